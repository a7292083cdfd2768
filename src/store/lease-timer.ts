// Renews the leases of a manager's sessions with one timer. Owns when leases are renewed, and how many at once.
import type { Observer } from '../telemetry/observer.js'

/** The part of a session that the timer needs. */
export interface Renewable {
  /** Whether its lease, or state that could not be stored before, should be written now. */
  readonly isDue: boolean
  /** Never rejects. */
  renew(): Promise<void>
}

/** Interval of the checks, as a share of the lease. A lease is renewed when a third of it has passed. */
const SHARE = 1 / 6
/** Most concurrent renewals, so that a store that was down is not flooded when it is back. */
const AT_ONCE = 16

export class LeaseTimer {
  readonly #everyMs: number
  readonly #observer: Observer
  readonly #sessions = new Set<Renewable>()
  #timer: NodeJS.Timeout | undefined
  #isRenewing = false

  constructor(leaseMs: number, observer: Observer) {
    this.#observer = observer
    this.#everyMs = Math.ceil(leaseMs * SHARE)
  }

  add(session: Renewable): void {
    this.#sessions.add(session)
    // Unref: the slots' threads already keep the process alive while the manager is open.
    this.#timer ??= this.#observer.detached(() =>
      setInterval(() => void this.#renew(), this.#everyMs).unref(),
    )
  }

  delete(session: Renewable): void {
    this.#sessions.delete(session)
    if (this.#sessions.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing) return
    this.#isRenewing = true
    const due = [...this.#sessions].filter(({ isDue }) => isDue)
    const renewNext = async () => {
      for (let next = due.pop(); next !== undefined; next = due.pop()) await next.renew()
    }
    await Promise.all(Array.from({ length: AT_ONCE }, renewNext))
    this.#isRenewing = false
  }
}
