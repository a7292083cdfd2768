// The host calls of one execution that this client answers. Owns starting each call once, and collecting answers as they arrive.
import type { WireResume } from '../presentation/wire.js'
import type { PythonSession } from '../session/python-session.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { Answer, Callbacks } from './callbacks.js'

interface Call {
  readonly settled: Promise<void>
  /** Undefined while the callback runs. */
  answer: { readonly value: Answer } | undefined
  isSent: boolean
}

export type Answers = Required<Pick<WireResume, 'results' | 'errors'>>

export class Calls {
  readonly #callbacks: Callbacks
  readonly #session: PythonSession
  readonly #controller = new AbortController()
  readonly #calls = new Map<string, Call>()

  constructor(callbacks: Callbacks, session: PythonSession) {
    this.#callbacks = callbacks
    this.#session = session
  }

  /** Starts the calls that this client answers and that have not been started before. */
  start(pending: readonly PendingCall[]): void {
    for (const one of pending) {
      if (this.#calls.has(one.id) || !this.#callbacks.answers(one)) continue
      const done = this.#callbacks.call(one, this.#session, this.#controller.signal)
      const call: Call = {
        settled: done.then((value) => {
          call.answer = { value }
        }),
        answer: undefined,
        isSent: false,
      }
      this.#calls.set(one.id, call)
    }
  }

  /** Waits for the answers to some of the calls, at least one. Undefined if this client answers none of them. */
  async next(pending: readonly PendingCall[]): Promise<Answers | undefined> {
    for (;;) {
      const waiting = pending.flatMap(({ id }) => {
        const call = this.#calls.get(id)
        return call === undefined || call.isSent ? [] : [[id, call] as const]
      })
      const answers = answersOf(waiting)
      if (answers) return answers
      const running = waiting.filter(([, { answer }]) => answer === undefined)
      if (running.length === 0) return undefined
      await Promise.race(running.map(([, { settled }]) => settled))
    }
  }

  /** Aborts the calls that still run: their results are no longer needed. */
  end(): void {
    this.#controller.abort()
  }
}

function answersOf(waiting: readonly (readonly [string, Call])[]): Answers | undefined {
  const results: Record<string, unknown> = {}
  const errors: Record<string, { type: string; message: string }> = {}
  let count = 0
  for (const [id, call] of waiting) {
    const value = call.answer?.value
    if (value === undefined) continue
    call.isSent = true
    count++
    if ('error' in value) errors[id] = value.error
    else results[id] = value.result
  }
  return count === 0 ? undefined : { results, errors }
}
