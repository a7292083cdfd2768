// Whether to hibernate a session before anybody waits for its slot, so that a renewed one is ready for the next caller. Owns that
// judgement; whose slot it is, and when, is idle-evictor.ts's.

/** Most of the sessions hibernated last that are remembered. */
const MOST_REMEMBERED = 16
const MOST_NEEDED = 4096

export class SparePolicy {
  readonly #isExhausted: () => boolean
  readonly #leastNeeded: number
  /** Callers in a row who found no free slot, or took the last. */
  #contended = 0
  /** So many make a spare worth its cost. */
  #needed: number
  /** Hibernated for a spare, the longest ago first. */
  readonly #hibernated = new Set<object>()

  /** @param isExhausted whether no slot is free, nor will be by itself */
  constructor(slots: number, isExhausted: () => boolean) {
    this.#isExhausted = isExhausted
    this.#leastNeeded = slots
    this.#needed = slots
  }

  get isWanted(): boolean {
    return this.#contended >= this.#needed && this.#isExhausted()
  }

  /** Call when somebody has asked for a slot. */
  acquired(): void {
    if (this.#isExhausted()) this.#contended += 1
  }

  /** Call when a session is hibernated for a spare. */
  hibernated(session: object): void {
    this.#hibernated.add(session)
    if (this.#hibernated.size <= MOST_REMEMBERED) return
    for (const oldest of this.#hibernated) {
      this.#hibernated.delete(oldest)
      break
    }
    // It has not been missed.
    this.#needed = Math.max(this.#leastNeeded, this.#needed / 2)
  }

  /** Call when a session has been used: one that was hibernated too soon says that those in use need all slots there are. */
  used(session: object): void {
    if (!this.#hibernated.delete(session)) return
    this.#contended = 0
    this.#needed = Math.min(this.#needed * 2, MOST_NEEDED)
  }
}
