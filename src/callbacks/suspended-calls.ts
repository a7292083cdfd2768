// The suspended calls of a session, which `session.resume` answers, possibly in another process. Owns their ids and the bytes that their
// arguments hold in the window. The guest chooses the ids, so they are looked up in a Map (R3).
import { InvalidOptionError } from '../shared/errors.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { Encoder } from '../shared/values/encode.js'
import { answerEncoder, answerFailure, answerIterator } from './answers.js'
import type { HostIterators } from './iterators.js'
import type { Request } from './requests.js'
import type { ArgumentWindow, Holding } from './window.js'

/** Runs an encoder, at once or in slices. @throws ConversionError, or rejects with it */
export type EncodeAnswer = (encoder: Encoder) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>

export interface SuspendedCall extends Pick<Request, 'id' | 'name' | 'args'> {
  readonly reason: string | undefined
  /** Set for a call that was made in this process. A call restored from a snapshot holds nothing. */
  readonly holding: Holding | undefined
  /** Whether the call is a step of an iteration. Then Python expects the value with a mark that the iteration has not ended. */
  readonly isStep?: boolean
}

/** Also explains the case of a restored copy of an execution that was in the middle of `async for x in name()`. */
const NOTHING_PENDING =
  'no host call is pending, so there is nothing to answer. An async iterable stays with the process that made it: an execution that was ' +
  'restored elsewhere in the middle of one continues with resume({}), and Python gets a RuntimeError where it awaits the next value'

export class SuspendedCalls {
  readonly #window: ArgumentWindow
  readonly #iterators: HostIterators
  readonly #calls = new Map<string, SuspendedCall>()

  constructor(window: ArgumentWindow, iterators: HostIterators) {
    this.#window = window
    this.#iterators = iterators
  }

  get size(): number {
    return this.#calls.size
  }

  get pending(): PendingCall[] {
    return [...this.#calls.entries()].map(([id, { name, args, reason }]) => ({
      id,
      name,
      args,
      ...(reason === undefined ? {} : { reason }),
    }))
  }

  add(call: SuspendedCall): void {
    this.#calls.set(String(call.id), call)
  }

  /** Adds the calls of a snapshot, except those with an id in `running`. */
  restore(calls: readonly PendingCall[], running: ReadonlySet<string>): void {
    for (const { id, name, args, reason } of calls) {
      if (running.has(id)) continue
      this.#calls.set(id, { id: Number(id), name, args: { ...args }, reason, holding: undefined })
    }
  }

  /** Encodes the answers and removes their calls; see `Dispatcher.resolve`. */
  async resolve(
    results: Readonly<Record<string, unknown>>,
    errors: Readonly<Record<string, unknown>>,
    encode: EncodeAnswer,
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    const given = [
      ...Object.entries(results).map(([id, value]) => ({ option: 'results', id, value })),
      ...Object.entries(errors).map(([id, value]) => ({ option: 'errors', id, value })),
    ]
    const requirePending = () => {
      const ids = new Set<string>()
      for (const { option, id } of given) {
        if (!this.#calls.has(id) || ids.has(id))
          throw new InvalidOptionError(
            option,
            'ids of pending calls, each at most once in results and errors together',
            id,
            this.#calls.size === 0 ? `${option}: ${NOTHING_PENDING}` : undefined,
          )
        ids.add(id)
      }
    }
    requirePending()
    const answers: Uint8Array<ArrayBuffer>[] = []
    const iterators: number[] = []
    const answerOf = (id: number, value: unknown) => {
      if (this.#calls.get(String(id))?.isStep)
        return encode(answerEncoder(id, [false, value === undefined ? null : value], `results.${id}`))
      const iterator = this.#iterators.add(value)
      if (iterator === undefined) return encode(answerEncoder(id, value, `results.${id}`))
      iterators.push(iterator)
      return answerIterator(id, iterator)
    }
    try {
      for (const { option, id, value } of given)
        answers.push(
          option === 'errors' ? answerFailure(Number(id), value) : await answerOf(Number(id), value),
        )
      // The interpreter may have been lost in the meantime.
      requirePending()
    } catch (error) {
      await Promise.allSettled(iterators.map((iterator) => this.#iterators.drop(iterator)))
      throw error
    }
    for (const { id } of given) {
      const { holding } = this.#calls.get(id) ?? {}
      if (holding) this.#window.resume(holding)
      this.#calls.delete(id)
    }
    return answers
  }

  /** Drops all calls, because the state that made them is gone. */
  clear(): void {
    for (const { holding } of this.#calls.values()) if (holding) this.#window.resume(holding)
    this.#calls.clear()
  }
}
