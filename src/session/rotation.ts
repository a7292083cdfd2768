// Which sessions go dormant so that waiting callers get a slot: the one that has been idle longest first. Owns that choice and
// its pace; that callers wait, and for how many slots, is the pool's to say.

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
  readonly #residents: () => Iterable<Resident>
  readonly #missing: () => number
  /** Sessions on their way out. */
  readonly #leaving = new Set<Resident>()
  /** Sessions that could not be captured, and when they had fallen idle then. */
  readonly #refused = new WeakMap<Resident, number>()
  #timer: NodeJS.Timeout | undefined

  /** `missing`: slots that callers wait for and that nothing else will give them. */
  constructor(residents: () => Iterable<Resident>, missing: () => number) {
    this.#residents = residents
    this.#missing = missing
  }

  /** Call when somebody begins to wait and when a session falls idle. */
  turn(): void {
    let missing = this.#missing() - this.#leaving.size
    if (missing <= 0) return
    const nowMs = performance.now()
    const idle = [...this.#residents()]
      .flatMap((resident) => {
        const sinceMs = resident.idleSinceMs
        const can = sinceMs !== undefined && this.#refused.get(resident) !== sinceMs
        return can && !this.#leaving.has(resident) ? [{ resident, sinceMs }] : []
      })
      .sort((a, b) => a.sinceMs - b.sinceMs)
    for (const { resident, sinceMs } of idle) {
      if (missing === 0) return
      if (nowMs - sinceMs < IDLE_MS && nowMs - resident.attachedSinceMs < TURN_MS) continue
      missing--
      void this.#hibernate(resident, sinceMs)
    }
    if (missing > 0 && idle.length > 0) this.#timer ??= setTimeout(() => this.#again(), IDLE_MS)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #again(): void {
    this.#timer = undefined
    this.turn()
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
