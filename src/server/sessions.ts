// The sessions of tenants, by the ids that clients give them. Owns opening sessions for a request, and closing those that nobody uses, so
// that another process can serve them. Of each session it keeps only how many requests use it.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { NameLocks } from '../presentation/name-locks.js'
import type { WireCreate } from '../presentation/wire.js'
import type { Session } from '../session.js'
import { InvalidOptionError, SessionClosedError, SessionOwnedError } from '../shared/errors.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { ListFilter } from '../store/listing.js'
import type { StoredSession } from '../store/store.js'
import type { ResolvedAppOptions } from './options.js'
import { notFound, RequestProblem } from './problems.js'
import { type Account, FULL_RETRY_SECONDS, overQuota } from './quotas.js'
import { labelsOf, readLabels, type SessionConfig } from './session-config.js'
import { sessionIdOf } from './session-ids.js'
import type { StoredBytes } from './stored-bytes.js'
import { checkConfig, sessionOptions, type ToolContext } from './tools.js'

export interface OpenOptions {
  readonly takeOver?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface Acquired {
  readonly session: Session
  /** Idempotent. */
  readonly release: () => void
}

const OWNER_POLL_MS = 100

interface Usage {
  users: number
  timer: NodeJS.Timeout | undefined
}

export class Sessions {
  readonly #options: ResolvedAppOptions
  readonly #storedBytes: StoredBytes
  readonly #tools: ToolContext
  readonly #usages = new Map<string, Usage>()
  /** Serializes creating, opening and closing, per session. */
  readonly #locks: NameLocks

  constructor(options: ResolvedAppOptions, storedBytes: StoredBytes, tools: ToolContext) {
    this.#options = options
    this.#storedBytes = storedBytes
    this.#tools = tools
    this.#locks = NameLocks.of(options.manager)
  }

  /**
   * Opens the session, wherever it is stored. It stays open until `release` is called.
   *
   * @throws RequestProblem when it does not exist; SessionOwnedError when another process has it open
   */
  async acquire(tenant: string, id: string, options: OpenOptions): Promise<Acquired> {
    const full = sessionIdOf(tenant, id)
    const release = this.#hold(full)
    try {
      return { session: await this.#open(tenant, full, options), release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Runs the task with the session. @throws what `acquire` throws */
  async use<T>(
    tenant: string,
    id: string,
    options: OpenOptions,
    task: (session: Session) => Promise<T>,
  ): Promise<T> {
    const { session, release } = await this.acquire(tenant, id, options)
    try {
      return await task(session)
    } finally {
      release()
    }
  }

  /** The session, if it is open in this process. Does not ask the store. */
  get(tenant: string, id: string): Session | undefined {
    return this.#options.manager.get(sessionIdOf(tenant, id))
  }

  /** @throws RequestProblem, and what `createSession` throws */
  async create(tenant: string, account: Account, given: WireCreate, from?: Snapshot): Promise<StoredSession> {
    const id = given.id ?? randomUUID()
    const full = sessionIdOf(tenant, id)
    const release = this.#hold(full)
    try {
      return await this.#locks.run(full, undefined, async () => {
        if (given.id !== undefined && (await this.#find(tenant, full)))
          throw new RequestProblem(409, 'SESSION_EXISTS', `there is a session ${id} already`)
        return this.#create(tenant, account, full, given, from)
      })
    } finally {
      release()
    }
  }

  /** @throws RequestProblem, and what `createSession` and `openSession` throw */
  async getOrCreate(
    tenant: string,
    account: Account,
    id: string,
    given: WireCreate,
    options: OpenOptions,
  ): Promise<{ readonly isNew: boolean; readonly stored: StoredSession }> {
    const full = sessionIdOf(tenant, id)
    const release = this.#hold(full)
    try {
      const created = await this.#locks.run(full, options.signal, async () =>
        (await this.#find(tenant, full)) ? undefined : this.#create(tenant, account, full, given),
      )
      if (created) return { isNew: true, stored: created }
      await this.#open(tenant, full, options)
      return { isNew: false, stored: await this.#stored(tenant, full) }
    } finally {
      release()
    }
  }

  /** @throws RequestProblem when the session does not exist */
  async read(tenant: string, id: string): Promise<StoredSession> {
    return this.#stored(tenant, sessionIdOf(tenant, id))
  }

  /** @throws RequestProblem when the session does not exist */
  async delete(tenant: string, id: string, { takeOver = false, signal }: OpenOptions): Promise<void> {
    const { manager } = this.#options
    const full = sessionIdOf(tenant, id)
    if (!(await this.#find(tenant, full))) throw notFound()
    if (takeOver && !manager.get(full)) await this.#open(tenant, full, { takeOver, signal })
    const isDeleted = await this.#locks.run(full, signal, () => manager.delete(full))
    if (!isDeleted) throw notFound()
  }

  /** Stores and closes the session. */
  async close(tenant: string, id: string): Promise<void> {
    const full = sessionIdOf(tenant, id)
    await this.#locks.run(full, undefined, async () => {
      const session = this.#options.manager.get(full)
      if (session) await session.close()
      else await this.#stored(tenant, full)
    })
  }

  /** The tenant's sessions in the order of their ids. `prefix` and `after` are ids of clients, or the beginnings of some. */
  list(tenant: string, { prefix = '', after, ...filter }: ListFilter = {}): AsyncIterable<StoredSession> {
    return this.#options.manager.list({
      ...{ ...filter, tenant, prefix: sessionIdOf(tenant, prefix) },
      ...(after === undefined ? {} : { after: sessionIdOf(tenant, after) }),
    })
  }

  /** Stores and closes all sessions that requests have opened. Running executions are interrupted. */
  async closeAll(): Promise<void> {
    const { manager, onError } = this.#options
    const closed = [...this.#usages].map(async ([id, { timer }]) => {
      clearTimeout(timer)
      await manager.get(id)?.close().catch(onError)
    })
    await Promise.all(closed)
  }

  /** Marks the session as used until the function it returns is called. */
  #hold(full: string): () => void {
    const usage = this.#usages.get(full) ?? { users: 0, timer: undefined }
    this.#usages.set(full, usage)
    usage.users++
    clearTimeout(usage.timer)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      usage.users--
      if (usage.users === 0) this.#schedule(full, usage)
    }
  }

  #schedule(full: string, usage: Usage): void {
    const { manager, releaseAfterMs } = this.#options
    if (!manager.get(full)) {
      this.#usages.delete(full)
      return
    }
    usage.timer = setTimeout(() => {
      if (usage.users === 0) this.#release(full).catch(this.#options.onError)
    }, releaseAfterMs)
    usage.timer.unref()
  }

  /** Closes an unused session. One that cannot be captured stays open, because closing would lose it. */
  async #release(full: string): Promise<void> {
    const usage = this.#usages.get(full)
    clearTimeout(usage?.timer)
    await this.#locks.run(full, undefined, async () => {
      const session = this.#options.manager.get(full)
      try {
        await session?.hibernate()
        if (usage?.users === 0) await session?.close()
      } catch (error) {
        if (!(error instanceof SessionClosedError)) this.#options.onError(error as Error)
      }
    })
    if (usage?.users === 0) this.#schedule(full, usage)
  }

  /** The caller holds the lock of the id. */
  async #create(
    tenant: string,
    account: Account,
    full: string,
    { labels = {}, env, image, limits, tools, input }: WireCreate,
    from?: Snapshot,
  ): Promise<StoredSession> {
    const config: SessionConfig = { limits, tools, ...(input ? { input } : {}) }
    checkConfig(config, this.#options)
    const options = {
      ...{ ...sessionOptions(tenant, config, this.#tools), id: full, labels: labelsOf(labels, config) },
      ...(env === undefined ? {} : { env }),
      ...(image === undefined ? {} : { image }),
      ...(from === undefined ? {} : { from }),
    }
    const create = async () => {
      await this.#requireSession(tenant, account)
      await this.#options.manager.createSession(options)
    }
    try {
      // Count and create one request at a time; otherwise several could pass the check together and exceed the quota.
      await (account.quotas.sessions === undefined
        ? create()
        : this.#locks.run(`sessions of ${tenant}`, undefined, create))
    } catch (error) {
      // Another process, or the operator's own program, has just created it.
      if (!(error instanceof InvalidOptionError && error.option === 'id')) throw error
      throw new RequestProblem(409, 'SESSION_EXISTS', 'there is such a session already')
    }
    return this.#stored(tenant, full)
  }

  async #open(tenant: string, full: string, options: OpenOptions): Promise<Session> {
    if (options.takeOver && !this.#options.allowTakeOver)
      throw new RequestProblem(403, 'FORBIDDEN', 'this server does not let requests take sessions over')
    const { manager } = this.#options
    const open = manager.get(full)
    if (open) return open
    const untilMs = performance.now() + this.#options.ownerWaitMs
    for (;;) {
      try {
        return await this.#openOnce(tenant, full, options)
      } catch (error) {
        if (!(error instanceof SessionOwnedError) || performance.now() >= untilMs) throw error
        await delay(OWNER_POLL_MS, undefined, options.signal ? { signal: options.signal } : {})
      }
    }
  }

  /** Concurrent requests share one opening. */
  #openOnce(tenant: string, full: string, { takeOver = false, signal }: OpenOptions): Promise<Session> {
    return this.#locks.run(full, signal, async () => {
      const { manager } = this.#options
      const open = manager.get(full)
      if (open) return open
      const { config } = readLabels((await this.#stored(tenant, full)).labels)
      return manager.openSession(full, {
        ...{ ...sessionOptions(tenant, config, this.#tools), salvage: true, takeOver },
      })
    })
  }

  async #stored(tenant: string, full: string): Promise<StoredSession> {
    const found = await this.#find(tenant, full)
    if (!found) throw notFound()
    return found
  }

  async #find(tenant: string, full: string): Promise<StoredSession | undefined> {
    // Among ids that begin with it, the id itself sorts first.
    for await (const one of this.#options.manager.list({ tenant, prefix: full, limit: 1 }))
      return one.id === full ? one : undefined
    return undefined
  }

  /** @throws RequestProblem when the tenant has reached its quota of sessions or of stored bytes */
  async #requireSession(tenant: string, account: Account): Promise<void> {
    const { sessions } = account.quotas
    if (sessions !== undefined) {
      let count = 0
      for await (const _ of this.list(tenant)) count++
      if (count >= sessions)
        throw overQuota('sessions', sessions, FULL_RETRY_SECONDS, `there are ${count} sessions; delete one`)
    }
    await this.#storedBytes.require(tenant, account)
  }
}
