// Measures how late this thread's event loop is. Owns the clock: a timer that should fire every `STEP_MS`, and its delay.

const STEP_MS = 2

export interface LoopDelay {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly samples: number
}

export class LoopDelayMeter {
  readonly #lateMs: number[] = []
  #timer: NodeJS.Timeout
  #dueMs: number

  constructor() {
    this.#dueMs = performance.now() + STEP_MS
    this.#timer = setTimeout(this.#tick, STEP_MS)
  }

  stop(): LoopDelay {
    clearTimeout(this.#timer)
    this.#record(performance.now() - this.#dueMs)
    const sorted = this.#lateMs.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), samples: sorted.length }
  }

  readonly #tick = (): void => {
    const nowMs = performance.now()
    this.#record(nowMs - this.#dueMs)
    this.#dueMs = nowMs + STEP_MS
    this.#timer = setTimeout(this.#tick, STEP_MS)
  }

  /** A long stall counts as all the samples that it displaced. Otherwise, one of ten seconds would not show in the p99. */
  #record(lateMs: number): void {
    if (lateMs < 0) return
    for (let left = lateMs; left >= 0; left -= STEP_MS) this.#lateMs.push(left)
  }
}
