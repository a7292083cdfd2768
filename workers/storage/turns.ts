// Whose request is done next. Owns fairness between the doors of a storage and the host: each gets the same time, so whoever asks for
// something dear waits until the others have had as much, and whoever asks for little is served at once (start-time fair queueing).

/** Whoever is ahead of the others by no more is served in the same round. */
const QUANTUM_MS = 1

export interface Party {
  readonly isWaiting: boolean
  /** Where it stands in time served; owned by `Turns`. */
  dueMs: number
  /** One step. */
  serve(): void
}

export class Turns {
  readonly #now: () => number
  readonly #waiting: Party[] = []
  /** Where whoever has not asked for a while stands: nobody saves up. */
  #servedMs = 0

  constructor(now = () => performance.now()) {
    this.#now = now
  }

  /** One step of everyone who waits and whose turn it is; false if nobody waits. */
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
    // Two are the host and the only session: nobody else waits meanwhile.
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
