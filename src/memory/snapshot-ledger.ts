// The snapshots that sessions hold: checkpoints, and what dormant sessions wake from. Owns counting each once, however many sessions
// hold it, and each buffer once, however many snapshots have blocks in it. What only the user holds is not counted.
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { MemoryAccount } from './account.js'

export class SnapshotLedger {
  readonly #account: MemoryAccount
  readonly #holders = new Map<Snapshot, number>()
  /** How many of these snapshots have bytes in a buffer. */
  readonly #buffers = new Map<ArrayBufferLike, number>()

  constructor(account: MemoryAccount) {
    this.#account = account
  }

  get usedBytes(): number {
    return this.#account.usedBytes
  }

  /** What the account needs for it: nothing for what is held already. */
  costOf(snapshot: Snapshot): number {
    if (this.#holders.has(snapshot)) return 0
    let bytes = headCost(snapshot)
    for (const buffer of snapshot.parts.body.buffers)
      if (!this.#buffers.has(buffer)) bytes += buffer.byteLength
    return bytes
  }

  /** Bytes that the snapshot takes of the account while a session holds it and nothing else. */
  costToHold(snapshot: Snapshot): number {
    let bytes = headCost(snapshot)
    for (const { byteLength } of snapshot.parts.body.buffers) bytes += byteLength
    return bytes
  }

  /** A session holds it from now on. It is there already, so it counts whether or not it fits. */
  hold(snapshot: Snapshot): void {
    const holders = this.#holders.get(snapshot) ?? 0
    this.#account.take(this.costOf(snapshot))
    this.#holders.set(snapshot, holders + 1)
    if (holders > 0) return
    for (const buffer of snapshot.parts.body.buffers)
      this.#buffers.set(buffer, (this.#buffers.get(buffer) ?? 0) + 1)
  }

  /** A session does not hold it any more. */
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

/** What the objects take that a snapshot is made of, beside its bytes, as measured with Node 20. */
const OBJECTS_BYTES = 1280

/** A head is there twice: as bytes and read. */
function headCost({ parts: { headBytes } }: Snapshot): number {
  return OBJECTS_BYTES + 2 * headBytes.length
}
