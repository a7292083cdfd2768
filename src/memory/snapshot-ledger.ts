// Accounts for the snapshots that sessions hold: checkpoints, and those that dormant sessions wake from. Owns counting each snapshot once,
// however many sessions hold it, and each buffer once, however many snapshots have blocks in it. Does not count snapshots that only the
// user holds.
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { MemoryAccount } from './account.js'

export class SnapshotLedger {
  readonly #account: MemoryAccount
  readonly #holders = new Map<Snapshot, number>()
  /** How many of these snapshots have bytes in each buffer. */
  readonly #buffers = new Map<ArrayBufferLike, number>()

  constructor(account: MemoryAccount) {
    this.#account = account
  }

  get usedBytes(): number {
    return this.#account.usedBytes
  }

  /** Bytes that holding the snapshot would add to the account. Snapshots and buffers that are already held add nothing. */
  costOf(snapshot: Snapshot): number {
    if (this.#holders.has(snapshot)) return 0
    let bytes = headCost(snapshot)
    for (const buffer of snapshot.parts.body.buffers)
      if (!this.#buffers.has(buffer)) bytes += buffer.byteLength
    return bytes
  }

  /** Bytes that the snapshot takes from the account if no other snapshot shares its buffers. */
  costToHold(snapshot: Snapshot): number {
    let bytes = headCost(snapshot)
    for (const { byteLength } of snapshot.parts.body.buffers) bytes += byteLength
    return bytes
  }

  /** Call when a session starts to hold the snapshot. It already exists, so it counts whether or not it fits. */
  hold(snapshot: Snapshot): void {
    const holders = this.#holders.get(snapshot) ?? 0
    this.#account.take(this.costOf(snapshot))
    this.#holders.set(snapshot, holders + 1)
    if (holders > 0) return
    for (const buffer of snapshot.parts.body.buffers)
      this.#buffers.set(buffer, (this.#buffers.get(buffer) ?? 0) + 1)
  }

  /** Call when a session no longer holds the snapshot. */
  drop(snapshot: Snapshot): void {
    const left = (this.#holders.get(snapshot) ?? 0) - 1
    if (left > 0) {
      this.#holders.set(snapshot, left)
      return
    }
    this.#holders.delete(snapshot)
    let freedBytes = headCost(snapshot)
    for (const buffer of snapshot.parts.body.buffers) {
      const others = (this.#buffers.get(buffer) ?? 0) - 1
      if (others > 0) this.#buffers.set(buffer, others)
      else {
        this.#buffers.delete(buffer)
        freedBytes += buffer.byteLength
      }
    }
    this.#account.release(freedBytes)
  }
}

/** Memory of a snapshot's JavaScript objects, without its bytes, as measured with Node 20. */
const OBJECTS_BYTES = 1280

/** A head is in memory twice: as bytes, and decoded. */
function headCost({ parts: { headBytes } }: Snapshot): number {
  return OBJECTS_BYTES + 2 * headBytes.length
}
