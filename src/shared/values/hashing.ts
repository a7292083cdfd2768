// Limits the time for filling sets while one document is decoded. Owns the clock of that work, which is paused between slices, and decides
// when the time is over. decode.ts then drops the remaining members.

/**
 * V8's hashes of numbers and BigInts are predictable, and a BigInt's depends only on its lowest 64 bits. So members can collide by
 * design, or by chance (multiples of 2 ** 64). Other sets take about a hundredth of this time.
 */
const MAX_MS = 500
const MAX_MS_PER_MEMBER = 0.01

export class HashingBudget {
  /** Time spent decoding before the current slice. */
  #earlierMs = 0
  /** Undefined between slices, and if a document is decoded in one step. */
  #resumedMs: number | undefined
  /** Time spent on completed sets. */
  #spentMs = 0
  #members = 0
  /** Whether the time is over: no more members may be added, to this set or later ones. */
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

  /** Counts a member that is about to be added. */
  countMember(): void {
    this.#members += 1
  }

  /** Adds the time of a completed set, which was begun when `activeMs` was `sinceMs`. */
  complete(sinceMs: number): void {
    this.#spentMs += this.activeMs() - sinceMs
  }

  /** Checks the time of a set that is not complete yet, and was begun at `sinceMs`. */
  check(sinceMs: number, nowMs: number): void {
    const spentMs = this.#spentMs + this.activeMs(nowMs) - sinceMs
    if (spentMs > MAX_MS + MAX_MS_PER_MEMBER * this.#members) this.isSpent = true
  }
}
