// What a session's host calls make this thread hold, in bytes: messages that are being decoded, and arguments until their callback has
// settled. Owns the session's window of them, and giving slots credit for what is released. How long a call lives is dispatcher.ts's.

import type { MemoryAccount } from '../memory/account.js'
import { MalformedValueError } from '../shared/values/decode.js'
import { WINDOW_BYTES } from '../shared/values/weight.js'

/** A slot of ours never sends more than the window: this much is for the heads of messages. */
const SLACK_BYTES = 1024 * 1024

/** Credit of a slot that the session is in. */
export interface Lease {
  readonly releasedBytes: number
  release(bytes: number): void
}

/** What one call holds: arguments in the window, or kept beside it while the call is suspended. */
export interface Holding {
  readonly weightBytes: number
  readonly era: number
}

export class ArgumentWindow {
  readonly #account: MemoryAccount
  /** Of the slots that may have the session's calls: two while it moves. */
  readonly #leases = new Set<Lease>()
  #arrivingBytes = 0
  #heldBytes = 0
  #suspendedBytes = 0
  /** What was held in an earlier one has been released altogether. */
  #era = 0

  constructor(account: MemoryAccount) {
    this.#account = account
  }

  /** The session is about to attach to a slot: what the slot is told of the window. */
  open(lease: Lease): { readonly releasedBytes: number; readonly heldBytes: number } {
    this.#leases.add(lease)
    return { releasedBytes: lease.releasedBytes, heldBytes: this.#heldBytes }
  }

  /** The session is in the slot of the lease that was opened last, or in that of the one it had before. */
  settle(isNew: boolean): void {
    const leases = [...this.#leases]
    const kept = isNew ? leases.at(-1) : leases[0]
    for (const lease of leases) if (lease !== kept) this.#leases.delete(lease)
  }

  /** Of the slot whose messages come now. */
  get lease(): Lease | undefined {
    const [first] = this.#leases
    return first
  }

  /** @throws MalformedValueError when it is more than a slot of ours would send */
  arrive(messageBytes: number): void {
    if (this.#heldBytes + this.#arrivingBytes + messageBytes > WINDOW_BYTES + SLACK_BYTES)
      throw new MalformedValueError('host calls beyond their window')
    this.#arrivingBytes += messageBytes
    this.#account.take(messageBytes)
  }

  /** The message has been decoded, or is not wanted any more. */
  arrived(messageBytes: number): void {
    this.#arrivingBytes -= messageBytes
    this.#account.release(messageBytes)
  }

  /**
   * The arguments of a call, decoded. Undefined, and nothing is held, where the process has no room for them.
   *
   * @throws MalformedValueError when it is more than a slot of ours would send
   */
  hold(weightBytes: number): Holding | undefined {
    if (this.#heldBytes + weightBytes > WINDOW_BYTES + SLACK_BYTES)
      throw new MalformedValueError('host calls beyond their window')
    if (!this.#account.tryTake(weightBytes)) {
      this.#giveBack(weightBytes)
      return undefined
    }
    this.#heldBytes += weightBytes
    return { weightBytes, era: this.#era }
  }

  /** A call's callback has settled. Nothing for one that `releaseAll` has released. */
  release({ weightBytes, era }: Holding): void {
    if (era !== this.#era) return
    this.#heldBytes -= weightBytes
    this.#account.release(weightBytes)
    this.#giveBack(weightBytes)
  }

  /** A call's arguments stay, until it is resumed, and no longer take room of others. False if too much is kept already. */
  suspend({ weightBytes }: Holding): boolean {
    if (this.#suspendedBytes + weightBytes > WINDOW_BYTES) return false
    this.#suspendedBytes += weightBytes
    this.#heldBytes -= weightBytes
    this.#giveBack(weightBytes)
    return true
  }

  /** A suspended call has been answered. */
  resume({ weightBytes, era }: Holding): void {
    if (era !== this.#era) return
    this.#suspendedBytes -= weightBytes
    this.#account.release(weightBytes)
  }

  #giveBack(weightBytes: number): void {
    for (const lease of this.#leases) lease.release(weightBytes)
  }

  /** The state that made the calls has been given up: whatever callbacks still hold is theirs. */
  releaseAll(): void {
    this.#era += 1
    this.#account.release(this.#heldBytes + this.#suspendedBytes)
    this.#giveBack(this.#heldBytes)
    this.#heldBytes = 0
    this.#suspendedBytes = 0
  }
}
