// Whether a thread that waits for another should stay awake for it: waking takes longer than most of what is waited for, and
// staying awake takes a processor that others may need. Owns the judgement, which is what came of the last tries.

/** Clock reads cost more than looks. */
const LOOKS_AT_ONCE = 8
/**
 * How many times as long as a try in vain there is none after it, doubled by each further one and halved by each that was not: where
 * nothing ever comes at once, a sixty-fourth of the time is lost at most.
 */
const LEAST_REST = 8
const MOST_REST = 64

export class Patience {
  /** Of one try. */
  readonly longestMs: number
  readonly #now: () => number
  #rest = LEAST_REST
  #restUntilMs = 0

  constructor(longestMs: number, now = () => performance.now()) {
    this.longestMs = longestMs
    this.#now = now
  }

  /** True if `look` came to be true in time; false also where a try has not been worth it of late. */
  stay(look: () => boolean): boolean {
    if (!this.begin()) return false
    const untilMs = this.#now() + this.longestMs
    do {
      for (let i = 0; i < LOOKS_AT_ONCE; i++) {
        if (!look()) continue
        this.end(true)
        return true
      }
    } while (this.#now() < untilMs)
    this.end(false)
    return false
  }

  /** For who stays awake in a way of its own: false where a try has not been worth it of late, else `end` has to follow. */
  begin(): boolean {
    if (this.#restUntilMs === 0) return true
    if (this.#now() < this.#restUntilMs) return false
    this.#restUntilMs = 0
    return true
  }

  /** `came`: what was waited for, in time. */
  end(came: boolean): void {
    if (came) {
      this.#rest = Math.max(LEAST_REST, this.#rest / 2)
      return
    }
    this.#restUntilMs = this.#now() + this.longestMs * this.#rest
    this.#rest = Math.min(MOST_REST, this.#rest * 2)
  }
}
