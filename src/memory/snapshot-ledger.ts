// The snapshots that sessions hold: checkpoints, and what dormant sessions wake from. Owns counting each once, however many sessions
// hold it. One that only the user holds is the user's and is not counted.
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { MemoryAccount } from './account.js'

export class SnapshotLedger {
  readonly #account: MemoryAccount
  readonly #holders = new Map<Snapshot, number>()

  constructor(account: MemoryAccount) {
    this.#account = account
  }

  get usedBytes(): number {
    return this.#account.usedBytes
  }

  /** What the account needs for it: nothing where another session holds it already. */
  costOf(snapshot: Snapshot): number {
    return this.#holders.has(snapshot) ? 0 : snapshotBytes(snapshot)
  }

  /** Bytes that the snapshot takes of the account while a session holds it. */
  costToHold(snapshot: Snapshot): number {
    return snapshotBytes(snapshot)
  }

  /** A session holds it from now on. It is there already, so it counts whether or not it fits. */
  hold(snapshot: Snapshot): void {
    this.#account.take(this.costOf(snapshot))
    this.#holders.set(snapshot, (this.#holders.get(snapshot) ?? 0) + 1)
  }

  /** A session does not hold it any more. */
  drop(snapshot: Snapshot): void {
    const left = (this.#holders.get(snapshot) ?? 0) - 1
    if (left > 0) {
      this.#holders.set(snapshot, left)
      return
    }
    this.#holders.delete(snapshot)
    this.#account.release(snapshotBytes(snapshot))
  }
}

/** What the objects take that a snapshot is made of, beside its bytes, as measured with Node 20. */
const OBJECTS_BYTES = 1024

/** Its head is there twice: as bytes and read. */
function snapshotBytes({ parts: { headBytes, body } }: Snapshot): number {
  return OBJECTS_BYTES + 2 * headBytes.length + body.length
}
