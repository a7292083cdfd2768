// How much of its time a busy session may spend on checkpoints. Owns a bucket of milliseconds: a burst of executions is
// checkpointed after each one, a loop of thousands loses a twentieth of its time and no more. Time on the clock: where others keep
// the processors busy, a checkpoint takes longer, and there are fewer for executions to wait for.

const MOST_MS = 500
const REFILL_PER_MS = 0.05

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
