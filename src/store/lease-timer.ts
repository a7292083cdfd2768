// Renews the leases of all sessions of a manager that need one, with one timer. Owns when, and how many at once.
import type { Observer } from '../telemetry/observer.js'

/** What the timer needs of a session. */
export interface Renewable {
  /** Its lease, or what it could not store so far, is to be written now. */
  readonly isDue: boolean
  /** Never rejects. */
  renew(): Promise<void>
}

/** Of a lease: it is looked at this often, and renewed at a third. */
const SHARE = 1 / 6
/** A store that was down for a while is not met by everything at once. */
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
    // The slots' threads keep the process alive, as long as the manager is open.
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
