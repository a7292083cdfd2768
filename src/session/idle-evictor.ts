// Which sessions go dormant: those that have been idle for too long, and, where callers wait for a slot, the one that has been so
// longest. Owns that choice and its pace; that callers wait, and for how many slots, is the pool's to say.

/** What the rotation needs of a session. */
export interface Resident {
  /** When its last call settled; `undefined` while it is busy or has no slot. */
  readonly idleSinceMs: number | undefined
  readonly attachedSinceMs: number
  /** Goes dormant. Whoever calls it next is told of what went wrong, but for a session that cannot be captured. */
  giveWay(): Promise<void>
}

/** A session whose next call comes at once is not idle; it keeps its slot for a while, or every call would wake a session. */
const IDLE_MS = 5
const TURN_MS = 200

export class Rotation {
  readonly #missing: () => number
  /** Those that have fallen idle, the longest ago first. Some are busy again or without a slot: they come again when they rest. */
  readonly #resting = new Set<Resident>()
  /** Sessions on their way out. */
  readonly #leaving = new Set<Resident>()
  /** Sessions that could not be captured, and when they had fallen idle then. */
  readonly #refused = new WeakMap<Resident, number>()
  readonly #idleTimeoutMs: number
  #turnTimer: NodeJS.Timeout | undefined
  #idleTimer: NodeJS.Timeout | undefined

  /**
   * @param missing slots that callers wait for and that nothing else will give them
   * @param idleTimeoutMs longest that a session keeps a slot that nobody waits for; Infinity: for ever
   */
  constructor(missing: () => number, idleTimeoutMs: number) {
    this.#missing = missing
    this.#idleTimeoutMs = idleTimeoutMs
  }

  /** Call when a session falls idle. */
  rest(resident: Resident): void {
    this.#resting.delete(resident)
    this.#resting.add(resident)
    this.turn()
    this.#expireIn(this.#idleTimeoutMs)
  }

  /** Call when a session is closed. */
  forget(resident: Resident): void {
    this.#resting.delete(resident)
  }

  /** Call when somebody begins to wait. Takes no more time for sessions that are dormant: there may be thousands. */
  turn(): void {
    let missing = this.#missing() - this.#leaving.size
    if (missing <= 0) return
    const nowMs = performance.now()
    let tooSoon = false
    for (const [resident, sinceMs] of this.#idle()) {
      if (nowMs - sinceMs < IDLE_MS && nowMs - resident.attachedSinceMs < TURN_MS) {
        tooSoon = true
        continue
      }
      void this.#hibernate(resident, sinceMs)
      if (--missing === 0) return
    }
    if (tooSoon) this.#turnTimer ??= setTimeout(() => this.#again(), IDLE_MS)
  }

  close(): void {
    clearTimeout(this.#turnTimer)
    clearTimeout(this.#idleTimer)
  }

  #again(): void {
    this.#turnTimer = undefined
    this.turn()
  }

  /** One timer for all: it is the oldest one's, whichever that is when it fires. */
  #expireIn(delayMs: number): void {
    if (delayMs !== Number.POSITIVE_INFINITY)
      this.#idleTimer ??= setTimeout(() => this.#expire(), Math.ceil(delayMs))
  }

  #expire(): void {
    this.#idleTimer = undefined
    const nowMs = performance.now()
    for (const [resident, sinceMs] of this.#idle()) {
      const leftMs = sinceMs + this.#idleTimeoutMs - nowMs
      if (leftMs > 0) return this.#expireIn(leftMs)
      void this.#hibernate(resident, sinceMs)
    }
  }

  /** Who could leave, the one that has been idle longest first, and since when. Drops who is busy or has no slot on the way. */
  *#idle(): Iterable<readonly [resident: Resident, sinceMs: number]> {
    for (const resident of this.#resting) {
      const sinceMs = resident.idleSinceMs
      if (sinceMs === undefined) this.#resting.delete(resident)
      else if (!this.#leaving.has(resident) && this.#refused.get(resident) !== sinceMs)
        yield [resident, sinceMs]
    }
  }

  async #hibernate(resident: Resident, sinceMs: number): Promise<void> {
    this.#leaving.add(resident)
    try {
      await resident.giveWay()
    } catch {
      // It keeps its slot: what cannot be captured is told to whoever asks for a snapshot of it.
      this.#refused.set(resident, sinceMs)
    } finally {
      this.#leaving.delete(resident)
      this.turn()
    }
  }
}
