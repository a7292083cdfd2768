// The host calls of one execution that are answered here. Owns starting each once, and collecting answers as they come.
import type { WireResume } from '../presentation/wire.js'
import type { PythonSession } from '../session/python-session.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { Answer, Callbacks } from './callbacks.js'

interface Call {
  readonly settled: Promise<void>
  /** Undefined while it runs. */
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

  /** Calls that have begun already are left alone, and so are those that nothing here answers. */
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

  /** Answers to some of the calls, at least one. Undefined if nobody here will answer any of them. */
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

  /** The results of calls that still run are not needed. */
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
