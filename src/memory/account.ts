// Counts the bytes that sessions make this process hold. Owns the arithmetic only: what is counted, and what happens when an
// account is full, is up to whoever takes from it.

/**
 * A running total with an optional bound. An account may belong to a larger one, for example a session's to its manager's:
 * what it holds counts there as well, and both bounds apply.
 */
export class MemoryAccount {
  /** In bytes; null: no bound of its own. */
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

  /** How much `tryTake` would grant now: the least that this account and those above it have left; never negative. */
  get freeBytes(): number {
    const own = this.maxBytes === null ? Number.POSITIVE_INFINITY : this.maxBytes - this.#usedBytes
    return Math.max(0, Math.min(own, this.#parent?.freeBytes ?? Number.POSITIVE_INFINITY))
  }

  /** Takes the bytes if they fit into this account and all above it; otherwise takes nothing and returns false. */
  tryTake(bytes: number): boolean {
    if (bytes > this.freeBytes) return false
    this.take(bytes)
    return true
  }

  /** Counts bytes that are held already, whether or not they fit. */
  take(bytes: number): void {
    this.#usedBytes += bytes
    this.#parent?.take(bytes)
  }

  /** Gives back what was taken before. */
  release(bytes: number): void {
    this.#usedBytes -= bytes
    this.#parent?.release(bytes)
  }
}
