// Decides which idle sessions to evict: any past idleTimeoutMs and, when callers are queued, the least recently used. Owns that choice
// and its pace; the pool knows how many slots are needed.

/** What eviction needs from a session. */
export interface Evictable {
  /** When its last call settled; `undefined` while it is busy or has no slot. */
  readonly idleSinceMs: number | undefined
  readonly attachedSinceMs: number
  /** Hibernates the session. Its next call reports a lost worker. Rejects on any failure; the session may then keep its slot. */
  evict(): Promise<void>
}

/** Decides whether to evict a session before a caller waits for its slot (spare-policy.ts). */
export interface Spares {
  readonly isWanted: boolean
  hibernated(session: object): void
  used(session: object): void
}

/** A session keeps its slot until it has been idle or attached for this long. Otherwise every call could evict and wake sessions. */
const MIN_IDLE_MS = 5
const MIN_ATTACHED_MS = 200

export class IdleEvictor {
  readonly #slotsNeeded: () => number
  /** Least recently used first. May contain sessions that are busy again or dormant; they are added again when they become idle. */
  readonly #idle = new Set<Evictable>()
  /** Evictions in progress. */
  readonly #evicting = new Set<Evictable>()
  /** Sessions that could not be evicted, with the `idleSinceMs` that they had then. They are not tried again until they have been used. */
  readonly #refused = new WeakMap<Evictable, number>()
  readonly #idleTimeoutMs: number
  readonly #spares: Spares | undefined
  #retryTimer: NodeJS.Timeout | undefined
  #idleTimer: NodeJS.Timeout | undefined

  /**
   * @param slotsNeeded how many slots queued callers need that only eviction can free
   * @param idleTimeoutMs evict sessions idle for this long even if no caller waits; Infinity: never
   * @param spares default: none
   */
  constructor(slotsNeeded: () => number, idleTimeoutMs: number, spares?: Spares) {
    this.#spares = spares
    this.#slotsNeeded = slotsNeeded
    this.#idleTimeoutMs = idleTimeoutMs
  }

  /** Call when a session becomes idle. */
  markIdle(session: Evictable): void {
    this.#spares?.used(session)
    this.#idle.delete(session)
    this.#idle.add(session)
    this.evictForWaiters()
    this.#expireIn(this.#idleTimeoutMs)
  }

  /** Call when a session is closed. */
  remove(session: Evictable): void {
    this.#idle.delete(session)
  }

  /** Call when a caller starts waiting. Its time does not grow with the number of dormant sessions, of which there may be thousands. */
  evictForWaiters(): void {
    let slotsNeeded = this.#slotsNeeded() - this.#evicting.size
    const isAhead = slotsNeeded <= 0
    if (isAhead) {
      if (this.#evicting.size > 0 || !this.#spares?.isWanted) return
      slotsNeeded = 1
    }
    const nowMs = performance.now()
    let tooSoon = false
    for (const [session, sinceMs] of this.#candidates()) {
      if (nowMs - sinceMs < MIN_IDLE_MS && nowMs - session.attachedSinceMs < MIN_ATTACHED_MS) {
        tooSoon = true
        continue
      }
      if (isAhead) this.#spares?.hibernated(session)
      void this.#evictOne(session, sinceMs)
      if (--slotsNeeded === 0) return
    }
    if (tooSoon) this.#retryTimer ??= setTimeout(() => this.#retry(), MIN_IDLE_MS)
  }

  close(): void {
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#idleTimer)
  }

  #retry(): void {
    this.#retryTimer = undefined
    this.evictForWaiters()
  }

  /** One timer for all sessions; when it fires, it looks for the session that has been idle longest. */
  #expireIn(delayMs: number): void {
    if (delayMs !== Number.POSITIVE_INFINITY)
      this.#idleTimer ??= setTimeout(() => this.#expire(), Math.ceil(delayMs))
  }

  #expire(): void {
    this.#idleTimer = undefined
    const nowMs = performance.now()
    for (const [session, sinceMs] of this.#candidates()) {
      const leftMs = sinceMs + this.#idleTimeoutMs - nowMs
      if (leftMs > 0) return this.#expireIn(leftMs)
      void this.#evictOne(session, sinceMs)
    }
  }

  /** Sessions that can be evicted, the longest idle first. Removes those that are busy or have no slot. */
  *#candidates(): Iterable<readonly [session: Evictable, sinceMs: number]> {
    for (const session of this.#idle) {
      const sinceMs = session.idleSinceMs
      if (sinceMs === undefined) this.#idle.delete(session)
      else if (!this.#evicting.has(session) && this.#refused.get(session) !== sinceMs)
        yield [session, sinceMs]
    }
  }

  async #evictOne(session: Evictable, sinceMs: number): Promise<void> {
    this.#evicting.add(session)
    try {
      await session.evict()
    } catch {
      // The session keeps its slot. A caller that asks for a snapshot of it gets the error.
      this.#refused.set(session, sinceMs)
    } finally {
      this.#evicting.delete(session)
      this.evictForWaiters()
    }
  }
}
