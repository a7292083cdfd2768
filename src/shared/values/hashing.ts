// Limits the time for filling sets while one document is decoded. Owns the clock for that work, which is paused between slices, and the
// decision. decode.ts drops the members of a set that takes too long.

/**
 * V8's hashes of numbers and BigInts are predictable, and a BigInt's depends only on its lowest 64 bits. So members can collide by
 * design, or by chance (multiples of 2 ** 64). Other sets take about a hundredth of this time.
 */
const MAX_MS = 500
const MAX_MS_PER_MEMBER = 0.01

export class HashingBudget {
  /** Time spent decoding before the current slice. */
  #earlierMs = 0
  /** Undefined between slices, and where a document is decoded in one step. */
  #resumedMs: number | undefined
  /** Time in sets that are complete. */
  #spentMs = 0
  #members = 0
  /** No more members may be added, in this set or the next. */
  isSpent = false

  resume(nowMs: number): void {
    this.#resumedMs = nowMs
  }

  pause(nowMs: number): void {
    this.#earlierMs = this.activeMs(nowMs)
    this.#resumedMs = undefined
  }

  /** Time spent decoding, without pauses. */
  activeMs(nowMs = performance.now()): number {
    return this.#earlierMs + (this.#resumedMs === undefined ? 0 : nowMs - this.#resumedMs)
  }

  /** A member is about to be added. */
  countMember(): void {
    this.#members += 1
  }

  /** A set that was begun when `activeMs` was `sinceMs` is complete. */
  complete(sinceMs: number): void {
    this.#spentMs += this.activeMs() - sinceMs
  }

  /** Such a set is not complete. */
  check(sinceMs: number, nowMs: number): void {
    const spentMs = this.#spentMs + this.activeMs(nowMs) - sinceMs
    if (spentMs > MAX_MS + MAX_MS_PER_MEMBER * this.#members) this.isSpent = true
  }
}
