// Limits the share of its time that a busy session spends on checkpoints. Owns a token bucket of milliseconds: each execution of a short
// burst gets a checkpoint, while a loop of thousands of executions loses at most a twentieth of its time. Counts wall-clock time: on a busy
// machine checkpoints take longer, so executions have to wait for fewer of them.

const MOST_MS = 500
const REFILL_PER_MS = 0.05
/**
 * Number of checkpoints of a burst that are taken even if the machine is slow and the bucket is empty. They overdraw it by at most
 * `MOST_DEBT_MS`, which must then refill first.
 */
const LEAST_BURST = 32
const MOST_DEBT_MS = 500

export class CheckpointBudget {
  readonly #now: () => number
  #leftMs = MOST_MS
  #sinceMs: number
  /** Number of checkpoints since the bucket was last full. */
  #taken = 0

  constructor(now = sinceStart) {
    this.#now = now
    this.#sinceMs = now()
  }

  /** Whether one more checkpoint may be taken now. */
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

/** One function shared by all sessions, because there may be thousands. */
function sinceStart(): number {
  return performance.now()
}
