// How many slots the pool keeps booted beyond what is leased, and when it boots them. The pool decides whether there is room.

/** One spare slot, and more once a caller has found none. */
const MIN_SPARES = 1
const MAX_SPARES = 2
/** Starting a thread blocks for milliseconds, so waiting callers are served before a spare slot is booted. */
const DELAY_MS = 10
/** The first delay is longer, so that the boot does not take a core from the first session of a process. */
const FIRST_DELAY_MS = 100

export class SpareSlots {
  readonly #boot: () => void
  #wanted = MIN_SPARES
  #hasHadCaller = false
  #timer: NodeJS.Timeout | undefined
  #delayMs = FIRST_DELAY_MS

  /** @param boot boots a spare slot if one is missing and there is room */
  constructor(boot: () => void) {
    this.#boot = boot
  }

  /** How many slots should be ready or coming beyond those that callers wait for. */
  get wanted(): number {
    return this.#wanted
  }

  /** Call for each caller. @param foundSlot whether a slot was free */
  callerCame(foundSlot: boolean): void {
    // The first caller does not count: it comes while the first slot boots.
    if (!foundSlot && this.#hasHadCaller) this.#wanted = MAX_SPARES
    this.#hasHadCaller = true
  }

  /** Calls `boot` soon. */
  schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#delayMs = DELAY_MS
      this.#boot()
    }, this.#delayMs)
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}
