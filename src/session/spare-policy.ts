// Decides whether to hibernate a session before a caller waits for its slot, so that a renewed slot is ready for the next caller. Owns
// this decision; idle-evictor.ts chooses the session and the time.

/** How many of the sessions hibernated last are remembered. */
const MOST_REMEMBERED = 16
const MOST_NEEDED = 4096

/** What the policy needs to know of the pool. */
export interface PoolPressure {
  /** Whether no slot is free, booting, being renewed, or bootable. */
  readonly isExhausted: boolean
  /** Whether the next caller gets a slot only if a session gives one up. */
  readonly isCrowded: boolean
}

export class SparePolicy {
  readonly #pool: PoolPressure
  readonly #leastNeeded: number
  /** How many callers in a row found no slot, except one that a session was hibernated for. */
  #contended = 0
  /** A session was hibernated for a spare, which no caller has taken yet. */
  #hasSpare = false
  /** A spare is worth its cost once `#contended` reaches this number. */
  #needed: number
  /** Sessions hibernated for a spare, oldest first. */
  readonly #hibernated = new Set<object>()

  constructor(slots: number, pool: PoolPressure) {
    this.#pool = pool
    this.#leastNeeded = slots
    this.#needed = slots
  }

  get isWanted(): boolean {
    return this.#contended >= this.#needed && this.#pool.isExhausted
  }

  /** Call when a caller asks for a slot, before it gets one. */
  callerCame(): void {
    if (this.#pool.isCrowded) this.#contended += 1
    else if (!this.#hasSpare) this.#contended = 0
    this.#hasSpare = false
  }

  /** Call when a session is hibernated for a spare. */
  hibernated(session: object): void {
    this.#hasSpare = true
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
