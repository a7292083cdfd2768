// Flow control for a session's host calls: bounds the bytes of messages being decoded and of arguments whose callbacks have not settled.
// Owns the session's window and returns credit to its slots. dispatcher.ts owns the lifetime of each call.
import type { MemoryAccount } from '../memory/account.js'
import { MalformedValueError } from '../shared/values/decode.js'
import { WINDOW_BYTES } from '../shared/values/weight.js'

/** Tolerance for message headers. Arguments from a genuine slot never exceed the window. */
const SLACK_BYTES = 1024 * 1024

/** Lets the window return credit to a slot of the session. */
export interface Lease {
  readonly releasedBytes: number
  release(bytes: number): void
}

/** Bytes held by one call: inside the window, or outside it while the call is suspended. */
export interface Holding {
  readonly weightBytes: number
  readonly era: number
}

/** Shared by all sessions, because there may be thousands. */
const NO_LEASES: readonly Lease[] = []

export class ArgumentWindow {
  readonly #account: MemoryAccount
  /** One for each slot that may send the session's calls: two while the session moves. */
  #leases: readonly Lease[] = NO_LEASES
  #arrivingBytes = 0
  #heldBytes = 0
  #suspendedBytes = 0
  /** Incremented by `releaseAll`, so that releasing an older holding does nothing. */
  #era = 0

  constructor(account: MemoryAccount) {
    this.#account = account
  }

  /** Adds the slot that the session is about to attach to. Returns what that slot needs to compute its credit. */
  open(lease: Lease): { readonly releasedBytes: number; readonly heldBytes: number } {
    if (!this.#leases.includes(lease)) this.#leases = [...this.#leases, lease]
    return { releasedBytes: lease.releasedBytes, heldBytes: this.#heldBytes }
  }

  /** Ends an attachment. Keeps the lease opened last if `isNew`, otherwise the earlier one. */
  settle(isNew: boolean): void {
    if (this.#leases.length < 2) return
    this.#leases = isNew ? this.#leases.slice(-1) : this.#leases.slice(0, 1)
  }

  /** Removes all leases, because no slot sends calls any more. Held bytes stay counted. */
  leave(): void {
    this.#leases = NO_LEASES
  }

  /** The lease of the slot that is sending now. */
  get lease(): Lease | undefined {
    const [first] = this.#leases
    return first
  }

  /** Counts a message that has arrived. @throws MalformedValueError if it exceeds the window: then the slot is not genuine */
  arrive(messageBytes: number): void {
    if (this.#heldBytes + this.#arrivingBytes + messageBytes > WINDOW_BYTES + SLACK_BYTES)
      throw new MalformedValueError('more host calls than fit into the window')
    this.#arrivingBytes += messageBytes
    this.#account.take(messageBytes)
  }

  /** Releases a message that has been decoded or dropped. */
  arrived(messageBytes: number): void {
    this.#arrivingBytes -= messageBytes
    this.#account.release(messageBytes)
  }

  /**
   * Holds a call's decoded arguments. Returns undefined, holding nothing, if the process has no memory left for them.
   *
   * @throws MalformedValueError if they exceed the window: then the slot is not genuine
   */
  hold(weightBytes: number): Holding | undefined {
    if (this.#heldBytes + weightBytes > WINDOW_BYTES + SLACK_BYTES)
      throw new MalformedValueError('more host calls than fit into the window')
    if (!this.#account.tryTake(weightBytes)) {
      this.#giveBack(weightBytes)
      return undefined
    }
    this.#heldBytes += weightBytes
    return { weightBytes, era: this.#era }
  }

  /** Releases a call whose callback has settled. Does nothing after `releaseAll`. */
  release({ weightBytes, era }: Holding): void {
    if (era !== this.#era) return
    this.#heldBytes -= weightBytes
    this.#account.release(weightBytes)
    this.#giveBack(weightBytes)
  }

  /** Moves a call's arguments out of the window until `resume`. Returns false if suspended calls hold too much already. */
  suspend({ weightBytes }: Holding): boolean {
    if (this.#suspendedBytes + weightBytes > WINDOW_BYTES) return false
    this.#suspendedBytes += weightBytes
    this.#heldBytes -= weightBytes
    this.#giveBack(weightBytes)
    return true
  }

  /** Releases a suspended call that has been answered. */
  resume({ weightBytes, era }: Holding): void {
    if (era !== this.#era) return
    this.#suspendedBytes -= weightBytes
    this.#account.release(weightBytes)
  }

  #giveBack(weightBytes: number): void {
    for (const lease of this.#leases) lease.release(weightBytes)
  }

  /** Releases everything, because the Python state that made the calls is gone. Callbacks may still use their arguments. */
  releaseAll(): void {
    this.#era += 1
    this.#account.release(this.#heldBytes + this.#suspendedBytes)
    this.#giveBack(this.#heldBytes)
    this.#heldBytes = 0
    this.#suspendedBytes = 0
  }
}
