// Cache of the snapshots of stored, dormant sessions: kept in memory while there is room, so that waking a session does not read the store.
// Owns the choice of which to drop: the least recently used first.

/** The owner of such a snapshot. */
export interface HotHolder {
  /** Frees the snapshot, which the store has as well. */
  dropSnapshot(): void
}

/** Share of `maxMemoryBytes` that these snapshots may take. */
const SHARE = 1 / 8
const UNLIMITED_BYTES = 1024 * 1024 * 1024

export class HotSnapshots {
  readonly #maxBytes: number
  /** Sizes in bytes, least recently used first. */
  readonly #holders = new Map<HotHolder, number>()
  #usedBytes = 0

  constructor(maxMemoryBytes: number | null) {
    this.#maxBytes = maxMemoryBytes === null ? UNLIMITED_BYTES : Math.floor(maxMemoryBytes * SHARE)
  }

  add(holder: HotHolder, bytes: number): void {
    this.remove(holder)
    this.#holders.set(holder, bytes)
    this.#usedBytes += bytes
    this.#drop(this.#maxBytes)
  }

  remove(holder: HotHolder): void {
    this.#usedBytes -= this.#holders.get(holder) ?? 0
    this.#holders.delete(holder)
  }

  /** Frees all of them, because something else needs the memory. */
  dropAll(): void {
    this.#drop(0)
  }

  #drop(maxBytes: number): void {
    for (const holder of this.#holders.keys()) {
      if (this.#usedBytes <= maxBytes) return
      this.remove(holder)
      holder.dropSnapshot()
    }
  }
}
