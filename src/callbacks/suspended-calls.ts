// The suspended calls of a session: made, but to be answered by `session.resume`, maybe in another process. Owns their ids and what
// their arguments hold in the window; ids are the guest's own business, so they are looked up in a Map (R3).
import { InvalidOptionError } from '../shared/errors.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import { answerFailure, answerValue } from './answers.js'
import type { Request } from './requests.js'
import type { ArgumentWindow, Holding } from './window.js'

export interface SuspendedCall extends Pick<Request, 'id' | 'name' | 'args'> {
  readonly reason: string | undefined
  /** Set for a call that was made in this process; one restored from a snapshot holds nothing. */
  readonly holding: Holding | undefined
}

export class SuspendedCalls {
  readonly #window: ArgumentWindow
  readonly #calls = new Map<string, SuspendedCall>()

  constructor(window: ArgumentWindow) {
    this.#window = window
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
  resolve(
    results: Readonly<Record<string, unknown>>,
    errors: Readonly<Record<string, unknown>>,
  ): Uint8Array<ArrayBuffer>[] {
    const answers = new Map<string, Uint8Array<ArrayBuffer>>()
    const add = (option: string, id: string, encode: (call: SuspendedCall) => Uint8Array<ArrayBuffer>) => {
      const call = this.#calls.get(id)
      if (call === undefined || answers.has(id))
        throw new InvalidOptionError(
          option,
          'ids of pending calls, each at most once in results and errors together',
          id,
        )
      answers.set(id, encode(call))
    }
    for (const [id, value] of Object.entries(results))
      add('results', id, (call) => answerValue(call.id, value, `results.${id}`))
    for (const [id, error] of Object.entries(errors))
      add('errors', id, (call) => answerFailure(call.id, error))
    for (const id of answers.keys()) {
      const { holding } = this.#calls.get(id) ?? {}
      if (holding) this.#window.resume(holding)
      this.#calls.delete(id)
    }
    return [...answers.values()]
  }

  /** The state that made the calls is gone. */
  clear(): void {
    for (const { holding } of this.#calls.values()) if (holding) this.#window.resume(holding)
    this.#calls.clear()
  }
}
