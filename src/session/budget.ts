// How much of its time a busy session may spend on checkpoints. Owns a bucket of milliseconds: a burst of executions is
// checkpointed after each one, a loop of thousands loses a tenth of its time and no more.

const MOST_MS = 2_000
const REFILL_PER_MS = 0.1

export class CheckpointBudget {
  #leftMs = MOST_MS
  #sinceMs = performance.now()

  /** Whether one more may be taken now. */
  get allows(): boolean {
    this.#refill()
    return this.#leftMs > 0
  }

  spend(durationMs: number): void {
    this.#refill()
    this.#leftMs -= durationMs
  }

  #refill(): void {
    const nowMs = performance.now()
    this.#leftMs = Math.min(MOST_MS, this.#leftMs + (nowMs - this.#sinceMs) * REFILL_PER_MS)
    this.#sinceMs = nowMs
  }
}
