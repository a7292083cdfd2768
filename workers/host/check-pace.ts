// How often running code looks for signals. CPython looks every 50 steps of its evaluation loop, which can be seconds where each step waits
// for slow C code. Owns measuring that, and the number of steps until the next look. In pure Python, looks are 2 µs apart.

/** CPython's own interval. */
const MOST_TICKS = 50
/** An interrupt is seen within about this time, or the time of one step if that is more. */
const TARGET_MS = 1
/** Reading the clock takes half as long as the code between two quick looks, so it is read at few of them while they come faster than this. */
const SHORT_MS = 0.05
const LOOKS_PER_READING = 64

export class CheckPace {
  #ticks = MOST_TICKS
  #readAtMs = 0
  /** Looks since then, and how many there are to be before the next reading. */
  #looks = 0
  #looksDue = 1

  /** The running code is another. */
  reset(): void {
    this.#ticks = MOST_TICKS
    this.#readAtMs = 0
    this.#looks = 0
    this.#looksDue = 1
  }

  /** Code looks for signals. Returns after how many ticks it should do so again, if sooner than it does by itself. */
  look(): number | undefined {
    if (++this.#looks < this.#looksDue) return undefined
    const nowMs = performance.now()
    if (this.#readAtMs > 0) {
      const lookMs = (nowMs - this.#readAtMs) / this.#looks
      this.#looksDue = lookMs < SHORT_MS ? LOOKS_PER_READING : 1
      const ticks = Math.floor((this.#ticks * TARGET_MS) / lookMs)
      this.#ticks = Math.max(1, Math.min(MOST_TICKS, ticks))
    }
    this.#readAtMs = nowMs
    this.#looks = 0
    // Looks that are not measured come at CPython's own interval.
    if (this.#looksDue > 1) this.#ticks = MOST_TICKS
    return this.#ticks < MOST_TICKS ? this.#ticks : undefined
  }
}
