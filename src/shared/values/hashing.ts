// The time that filling sets may take while one document is decoded. Owns the clock of that work and the verdict; what becomes of the
// members of a set that takes too long is decode.ts's.

/**
 * Without pauses. V8's hashes of numbers and BigInts are predictable, and a BigInt's is made of its lowest 64 bits alone: members can
 * collide by design, or by chance (20,000 multiples of 2 ** 64). Other sets take about a hundredth of this.
 */
const MAX_MS = 500
const MAX_MS_PER_MEMBER = 0.01

export class HashingBudget {
  /** Time in sets that are complete. */
  #spentMs = 0
  #members = 0
  /** No more members may be added, in this set or the next. */
  isSpent = false

  /** A member is about to be added. */
  countMember(): void {
    this.#members += 1
  }

  /** A set that has been filled for `fillingMs` is complete. */
  complete(fillingMs: number): void {
    this.#spentMs += fillingMs
  }

  /** A set has been filled for `fillingMs` and is not complete. */
  check(fillingMs: number): void {
    if (this.#spentMs + fillingMs > MAX_MS + MAX_MS_PER_MEMBER * this.#members) this.isSpent = true
  }
}
