// Whether a thread that waits for another should stay awake for it: waking takes longer than most of what is waited for, and
// staying awake takes a processor that others may need. Owns the judgement, which is what came of the last tries.

/** Clock reads cost more than looks. */
const LOOKS_AT_ONCE = 8
/** A try in vain weighs as much as two that were not. */
const VAIN = 2
/** Of doubt: 2 ** 6 waits go by without a try. */
const MOST_DOUBT = 6

export class Patience {
  /** Of one try. */
  readonly longestMs: number
  readonly #longestRestMs: number
  readonly #now: () => number
  #doubt = 0
  #restWaits = 0
  #restUntilMs = 0

  /** `longestRestMs`: after that it tries again, however few waits there were. */
  constructor(longestMs: number, longestRestMs = Number.POSITIVE_INFINITY, now = () => performance.now()) {
    this.longestMs = longestMs
    this.#longestRestMs = longestRestMs
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
    if (this.#restWaits === 0) return true
    this.#restWaits -= 1
    if (this.#restUntilMs === Number.POSITIVE_INFINITY || this.#now() < this.#restUntilMs) return false
    this.#restWaits = 0
    return true
  }

  /** `came`: what was waited for, in time. */
  end(came: boolean): void {
    if (came) {
      this.#doubt = Math.max(0, this.#doubt - 1)
      return
    }
    this.#doubt = Math.min(this.#doubt + VAIN, MOST_DOUBT)
    this.#restWaits = 2 ** this.#doubt
    this.#restUntilMs = this.#now() + this.#longestRestMs
  }
}
