// Renews the leases of a manager's sessions with one timer. Owns when leases are renewed, and how many at once.
import type { Observer } from '../telemetry/observer.js'

/** The part of a session that the timer needs. */
export interface Renewable {
  /** Whether its lease, or state that could not be stored before, should be written now. */
  readonly isDue: boolean
  /** Never rejects. May take long if it has to write a large snapshot, or wait for a write that has begun. */
  renew(): Promise<void>
}

/** Interval of the checks, as a share of the lease. A lease is renewed when a third of it has passed. */
const SHARE = 1 / 6
/** Most concurrent renewals begun at a check, so that a store that was down is not flooded when it is back. */
const AT_ONCE = 16

export class LeaseTimer {
  readonly #everyMs: number
  readonly #observer: Observer
  readonly #sessions = new Set<Renewable>()
  /** Sessions whose renewal has not begun yet, and those whose renewal has not ended yet. */
  readonly #due = new Set<Renewable>()
  readonly #renewing = new Set<Renewable>()
  /** How many more renewals may begin. Each check starts anew: those that hang since an earlier one must not keep others waiting. */
  #room = { places: AT_ONCE }
  #timer: NodeJS.Timeout | undefined

  constructor(leaseMs: number, observer: Observer) {
    this.#observer = observer
    this.#everyMs = Math.ceil(leaseMs * SHARE)
  }

  add(session: Renewable): void {
    this.#sessions.add(session)
    // Unref: the slots' threads already keep the process alive while the manager is open.
    this.#timer ??= this.#observer.detached(() => setInterval(() => this.#check(), this.#everyMs).unref())
  }

  delete(session: Renewable): void {
    this.#sessions.delete(session)
    this.#due.delete(session)
    if (this.#sessions.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #check(): void {
    for (const session of this.#sessions)
      if (!this.#renewing.has(session) && session.isDue) this.#due.add(session)
    this.#room = { places: AT_ONCE }
    this.#renewDue()
  }

  #renewDue(): void {
    const room = this.#room
    for (const session of this.#due) {
      if (room.places === 0) return
      room.places -= 1
      this.#due.delete(session)
      this.#renewing.add(session)
      void session.renew().then(() => {
        this.#renewing.delete(session)
        room.places += 1
        this.#renewDue()
      })
    }
  }
}
