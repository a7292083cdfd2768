// The sessions of a manager by id: those that are open, being opened, or being salvaged. Owns the rule that only one of these happens to
// an id at a time. opener.ts creates and opens sessions.
import { deferred } from '../deferred.js'
import type { Session } from '../session.js'

export class SessionTable {
  /** Open sessions, and those that are being closed. */
  readonly #sessions = new Map<string, Session>()
  /** Sessions with an id that are being created or opened. */
  readonly #opening = new Map<string, Promise<Session>>()
  /** Sessions that are being salvaged. All other calls wait until that is done. Never rejects. */
  readonly #salvaging = new Map<string, Promise<void>>()

  get size(): number {
    return this.#sessions.size
  }

  /** Every open session, including those that are being closed. */
  sessions(): Iterable<Session> {
    return this.#sessions.values()
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session)
  }

  remove(id: string): void {
    this.#sessions.delete(id)
  }

  /** The session if it is open; `undefined` while it is being closed or salvaged. */
  get(id: string): Session | undefined {
    if (this.#salvaging.has(id)) return undefined
    const session = this.#sessions.get(id)
    return session?.closing.hasBegun ? undefined : session
  }

  /** Whether the session is open here, or is being opened or salvaged. */
  isInUse(id: string): boolean {
    return this.#sessions.has(id) || this.#opening.has(id) || this.#salvaging.has(id)
  }

  /** Whether the session is being opened, and not in order to be salvaged. */
  isOpening(id: string): boolean {
    return this.#opening.has(id) && !this.#salvaging.has(id)
  }

  /** Whether the session is open, but dormant and without calls. */
  isAtRest(id: string): boolean {
    const session = this.#sessions.get(id)
    return session?.state === 'dormant' && session.isIdle && !this.#salvaging.has(id)
  }

  /**
   * Returns the session if it is open here and still owned by this manager. Waits while it is being opened, closed or salvaged.
   *
   * @param always ask the store who owns it even while the lease holds
   */
  async openNow(id: string, always: boolean): Promise<Session | undefined> {
    await this.#salvaging.get(id)
    await this.#sessions.get(id)?.closing.settled()
    const open = await (this.#opening.get(id) ?? this.get(id))
    return (await open?.isOwned(always)) ? open : undefined
  }

  /** Returns the session if it is open here, even if it is being closed. Waits while it is being opened or salvaged. */
  async settled(id: string): Promise<Session | undefined> {
    await this.#salvaging.get(id)
    await this.#opening.get(id)?.catch(() => {})
    return this.#sessions.get(id)
  }

  /** Creates or opens a session. Until it has settled, `openNow` waits for it. Call only while the id is not in use. */
  async open(id: string, open: () => Promise<Session>): Promise<Session> {
    const opening = open()
    this.#opening.set(id, opening)
    try {
      return await opening
    } finally {
      this.#opening.delete(id)
    }
  }

  /** Salvages a session, which may open and close it. Until it has settled, `get` does not find the session, and other calls wait. */
  async salvage<T>(id: string, salvage: () => Promise<T>): Promise<T> {
    const done = deferred<void>()
    this.#salvaging.set(id, done.promise)
    try {
      return await salvage()
    } finally {
      this.#salvaging.delete(id)
      done.resolve()
    }
  }

  /** Resolves when every session that is being opened has opened or failed. */
  async opened(): Promise<void> {
    await Promise.allSettled(this.#opening.values())
  }
}
