// Decides whose request is served next (start-time fair queueing). Owns fairness between a storage's sessions and the host: each gets the
// same time. After an expensive request a party waits until the others have caught up; cheap requests are served at once.

/** Parties ahead of the least served one by no more than this are served in the same round. */
const QUANTUM_MS = 1

export interface Party {
  readonly isWaiting: boolean
  /** Virtual time used so far. `Turns` owns it. */
  dueMs: number
  /** Serves one request. */
  serve(): void
}

export class Turns {
  readonly #now: () => number
  readonly #waiting: Party[] = []
  /** Virtual time of the least served party. Idle parties are moved up to it, so that they cannot save up time. */
  #servedMs = 0

  constructor(now = () => performance.now()) {
    this.#now = now
  }

  /** Serves one request of every waiting party whose turn it is. Returns false if none waits. */
  serve(parties: readonly Party[]): boolean {
    const waiting = this.#waiting
    let leastMs = Number.POSITIVE_INFINITY
    waiting.length = 0
    for (const party of parties) {
      if (!party.isWaiting) continue
      if (party.dueMs < this.#servedMs) party.dueMs = this.#servedMs
      if (party.dueMs < leastMs) leastMs = party.dueMs
      waiting.push(party)
    }
    if (waiting.length === 0) return false
    this.#servedMs = leastMs
    // With the host and one session, a single waiting party competes with nobody, so skip the clock.
    if (parties.length <= 2 && waiting.length === 1) {
      waiting[0]?.serve()
      return true
    }
    let startedMs = this.#now()
    for (const party of waiting) {
      if (party.dueMs - leastMs > QUANTUM_MS) continue
      party.serve()
      const doneMs = this.#now()
      party.dueMs += doneMs - startedMs
      startedMs = doneMs
    }
    return true
  }
}
