// Counts the bytes that this process holds for sessions. Owns the arithmetic only: the callers decide what to count, and what to do when
// an account is full.

/**
 * A running total with an optional limit. An account may have a parent: the manager's account, for example, is the parent of its sessions'.
 * Bytes count in both, and both limits apply.
 */
export class MemoryAccount {
  /** Limit in bytes; null: only the limits of its parents apply. */
  readonly maxBytes: number | null
  readonly #parent: MemoryAccount | undefined
  #usedBytes = 0

  constructor(maxBytes: number | null, parent?: MemoryAccount) {
    this.maxBytes = maxBytes
    this.#parent = parent
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** How many bytes `tryTake` would grant now: the minimum that this account and its parents have left; never negative. */
  get freeBytes(): number {
    const own = this.maxBytes === null ? Number.POSITIVE_INFINITY : this.maxBytes - this.#usedBytes
    return Math.max(0, Math.min(own, this.#parent?.freeBytes ?? Number.POSITIVE_INFINITY))
  }

  /** Takes the bytes if they fit into this account and all its parents; otherwise takes nothing and returns false. */
  tryTake(bytes: number): boolean {
    if (bytes > this.freeBytes) return false
    this.take(bytes)
    return true
  }

  /** Counts bytes that are already held, whether or not they fit. */
  take(bytes: number): void {
    this.#usedBytes += bytes
    this.#parent?.take(bytes)
  }

  /** Returns bytes that were taken before. */
  release(bytes: number): void {
    this.#usedBytes -= bytes
    this.#parent?.release(bytes)
  }
}
