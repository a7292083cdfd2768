// Decides whether a thread that waits for another should spin before it sleeps. Waking a thread takes longer than most of these waits,
// but spinning occupies a core that others may need. Owns the decision, which depends on the results of the last spins.

/** Checking the condition is cheaper than reading the clock. */
const CHECKS_PER_CLOCK_READ = 8
/** A failed spin counts as much as two that succeeded. */
const FAILED_SPIN_WEIGHT = 2
/** After repeated failures, skip up to 2 ** 6 waits before spinning again. */
const MAX_BACKOFF_EXPONENT = 6

export class SpinPolicy {
  /** Longest time of one spin. */
  readonly spinMs: number
  readonly #maxSkipMs: number
  readonly #now: () => number
  #backoffExponent = 0
  #waitsToSkip = 0
  #skipUntilMs = 0

  /** @param maxSkipMs spin again after this time, however many waits are left to skip */
  constructor(spinMs: number, maxSkipMs = Number.POSITIVE_INFINITY, now = () => performance.now()) {
    this.spinMs = spinMs
    this.#maxSkipMs = maxSkipMs
    this.#now = now
  }

  /** True if the condition became true while spinning. False if it did not, or if spinning is not worthwhile now. */
  spinUntil(condition: () => boolean): boolean {
    if (!this.shouldSpin()) return false
    const untilMs = this.#now() + this.spinMs
    do {
      for (let i = 0; i < CHECKS_PER_CLOCK_READ; i++) {
        if (!condition()) continue
        this.record(true)
        return true
      }
    } while (this.#now() < untilMs)
    this.record(false)
    return false
  }

  /** For callers with a spin loop of their own. After true, call `record` when the loop has ended. */
  shouldSpin(): boolean {
    if (this.#waitsToSkip === 0) return true
    this.#waitsToSkip -= 1
    if (this.#skipUntilMs === Number.POSITIVE_INFINITY || this.#now() < this.#skipUntilMs) return false
    this.#waitsToSkip = 0
    return true
  }

  /** @param succeeded whether the condition became true in time */
  record(succeeded: boolean): void {
    if (succeeded) {
      this.#backoffExponent = Math.max(0, this.#backoffExponent - 1)
      return
    }
    this.#backoffExponent = Math.min(this.#backoffExponent + FAILED_SPIN_WEIGHT, MAX_BACKOFF_EXPONENT)
    this.#waitsToSkip = 2 ** this.#backoffExponent
    this.#skipUntilMs = this.#now() + this.#maxSkipMs
  }
}
