// Decides whether to hibernate a session before a caller waits for its slot, so that a renewed slot is ready for the next caller. Owns
// this decision; idle-evictor.ts chooses the session and the time.

/** How many of the sessions hibernated last are remembered. */
const MOST_REMEMBERED = 16
const MOST_NEEDED = 4096

export class SparePolicy {
  readonly #isExhausted: () => boolean
  readonly #leastNeeded: number
  /** How many callers in a row found no free slot, or took the last one. */
  #contended = 0
  /** A spare is worth its cost once `#contended` reaches this number. */
  #needed: number
  /** Sessions hibernated for a spare, oldest first. */
  readonly #hibernated = new Set<object>()

  /** @param isExhausted whether no slot is free, booting, being renewed, or bootable */
  constructor(slots: number, isExhausted: () => boolean) {
    this.#isExhausted = isExhausted
    this.#leastNeeded = slots
    this.#needed = slots
  }

  get isWanted(): boolean {
    return this.#contended >= this.#needed && this.#isExhausted()
  }

  /** Call when a caller has asked for a slot. */
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
    // The oldest session has not been used since, so hibernating it was right: make spares more readily.
    this.#needed = Math.max(this.#leastNeeded, this.#needed / 2)
  }

  /** Call when a session has been used. If it was hibernated for a spare, active sessions need all slots: make spares less readily. */
  used(session: object): void {
    if (!this.#hibernated.delete(session)) return
    this.#contended = 0
    this.#needed = Math.min(this.#needed * 2, MOST_NEEDED)
  }
}
