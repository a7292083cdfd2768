// How much of its time a busy session may spend on checkpoints. Owns a bucket of milliseconds: a burst of executions is
// checkpointed after each one, a loop of thousands loses a twentieth of its time and no more. Time on the clock: where others keep
// the processors busy, a checkpoint takes longer, and there are fewer for executions to wait for.

const MOST_MS = 500
const REFILL_PER_MS = 0.05
/** So many of a burst are taken where the machine is slow, too, for as much again that is saved afterwards. */
const LEAST_BURST = 32
const MOST_DEBT_MS = 500

export class CheckpointBudget {
  readonly #now: () => number
  #leftMs = MOST_MS
  #sinceMs: number
  /** Since the bucket was full. */
  #taken = 0

  constructor(now = sinceStart) {
    this.#now = now
    this.#sinceMs = now()
  }

  /** Whether one more may be taken now. */
  get allows(): boolean {
    this.#refill()
    return this.#leftMs > 0 || (this.#taken < LEAST_BURST && this.#leftMs > -MOST_DEBT_MS)
  }

  spend(durationMs: number): void {
    this.#refill()
    this.#leftMs -= durationMs
    this.#taken += 1
  }

  #refill(): void {
    const nowMs = this.#now()
    this.#leftMs = Math.min(MOST_MS, this.#leftMs + (nowMs - this.#sinceMs) * REFILL_PER_MS)
    this.#sinceMs = nowMs
    if (this.#leftMs === MOST_MS) this.#taken = 0
  }
}

/** One function for all sessions: there may be thousands. */
function sinceStart(): number {
  return performance.now()
}
