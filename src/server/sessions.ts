// The sessions of tenants, by the ids that clients give them. Owns their ids in the manager, opening them for a request, and letting go of
// those that nobody uses, so that another process can serve them. Of a session it keeps only how many requests use it.
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { deferred } from '../deferred.js'
import type { WireCreate } from '../presentation/wire.js'
import type { Session } from '../session.js'
import { InvalidOptionError, SessionClosedError, SessionOwnedError } from '../shared/errors.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { StoredSession } from '../store/store.js'
import type { ResolvedAppOptions } from './options.js'
import { notFound, RequestProblem } from './problems.js'
import { overQuota, type Quotas } from './quotas.js'
import { labelsOf, readLabels, type SessionConfig } from './session-config.js'
import { checkConfig, sessionOptions, type ToolContext } from './tools.js'

export interface OpenOptions {
  readonly takeOver?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface Acquired {
  readonly session: Session
  /** To be called once. */
  readonly release: () => void
}

/** 128 bits: nobody finds another tenant of the same hash. */
const HASH_LENGTH = 22
const OWNER_POLL_MS = 100
/** A day: what a quota's client may wait for is up to the operator and itself. */
const QUOTA_RETRY_SECONDS = 60

/**
 * The id in the manager and its store of a session that a tenant's clients call `id`. Other programs on the store open it by that, with the
 * option `tenant`. Tenants never share an id, so no client can find out another tenant's.
 */
export function sessionIdOf(tenant: string, id: string): string {
  return prefixOf(tenant) + id
}

function prefixOf(tenant: string): string {
  const hash = createHash('sha256').update(tenant).digest('base64url').slice(0, HASH_LENGTH)
  return `h-${hash}-`
}

interface Usage {
  users: number
  timer: NodeJS.Timeout | undefined
}

export class Sessions {
  readonly #options: ResolvedAppOptions
  readonly #tools: ToolContext
  readonly #usages = new Map<string, Usage>()
  /** Sessions that are being opened, by their id in the manager. */
  readonly #opening = new Map<string, Promise<Session>>()

  constructor(options: ResolvedAppOptions, tools: ToolContext) {
    this.#options = options
    this.#tools = tools
  }

  /** The id as the tenant's clients know it. */
  nameOf(session: { readonly id: string; readonly tenant: string }): string {
    return session.id.slice(prefixOf(session.tenant).length)
  }

  /**
   * The session, wherever it is kept. It stays open until `release` is called.
   *
   * @throws RequestProblem when there is none; SessionOwnedError when another process has it
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

  /** Whether the session is open here. No store is asked. */
  get(tenant: string, id: string): Session | undefined {
    return this.#options.manager.get(sessionIdOf(tenant, id))
  }

  /** @throws RequestProblem, and what `createSession` throws */
  async create(tenant: string, quotas: Quotas, given: WireCreate, from?: Snapshot): Promise<StoredSession> {
    const id = given.id ?? randomUUID()
    const full = sessionIdOf(tenant, id)
    if (given.id !== undefined && (await this.#find(tenant, full)))
      throw new RequestProblem(409, 'SESSION_EXISTS', `there is a session ${id} already`)
    await this.#requireRoom(tenant, quotas)
    const release = this.#hold(full)
    try {
      await this.#create(tenant, full, given, from)
      return await this.#stored(tenant, full)
    } finally {
      release()
    }
  }

  /** @throws RequestProblem, and what `createSession` and `openSession` throw */
  async getOrCreate(
    tenant: string,
    quotas: Quotas,
    id: string,
    given: WireCreate,
    options: OpenOptions,
  ): Promise<{ readonly isNew: boolean; readonly stored: StoredSession }> {
    const full = sessionIdOf(tenant, id)
    const release = this.#hold(full)
    try {
      for (;;) {
        const found = await this.#find(tenant, full)
        if (found) {
          await this.#open(tenant, full, options)
          return { isNew: false, stored: found }
        }
        await this.#requireRoom(tenant, quotas)
        try {
          await this.#create(tenant, full, given)
          return { isNew: true, stored: await this.#stored(tenant, full) }
        } catch (error) {
          // Another request has just created it.
          if (!(error instanceof RequestProblem && error.code === 'SESSION_EXISTS')) throw error
        }
      }
    } finally {
      release()
    }
  }

  /** @throws RequestProblem when there is none */
  async read(tenant: string, id: string): Promise<StoredSession> {
    return this.#stored(tenant, sessionIdOf(tenant, id))
  }

  /** @throws RequestProblem when there is none */
  async delete(tenant: string, id: string, { takeOver = false }: OpenOptions): Promise<void> {
    const { manager } = this.#options
    const full = sessionIdOf(tenant, id)
    const found = await this.#find(tenant, full)
    if (!found) throw notFound()
    if (takeOver && !manager.get(full)) await this.#open(tenant, full, { takeOver })
    if (!(await manager.delete(full))) throw notFound()
  }

  /** Stores the session and lets go of it. */
  async close(tenant: string, id: string): Promise<void> {
    const full = sessionIdOf(tenant, id)
    const session = this.#options.manager.get(full)
    if (session) await session.close()
    else await this.#stored(tenant, full)
  }

  list(
    tenant: string,
    prefix: string,
    labels: Readonly<Record<string, string>>,
  ): AsyncIterable<StoredSession> {
    return this.#options.manager.list({ tenant, prefix: sessionIdOf(tenant, prefix), labels })
  }

  /** Lets go of all sessions that requests have opened: stored, for other processes. */
  async releaseAll(): Promise<void> {
    const ids = [...this.#usages.keys()]
    await Promise.all(ids.map((id) => this.#release(id)))
  }

  /** Marks the session as used until what it returns is called. */
  #hold(full: string): () => void {
    const usage = this.#usages.get(full) ?? { users: 0, timer: undefined }
    this.#usages.set(full, usage)
    usage.users++
    clearTimeout(usage.timer)
    return () => {
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

  /** A session that cannot be captured stays open: closing it would lose it. */
  async #release(full: string): Promise<void> {
    const session = this.#options.manager.get(full)
    const usage = this.#usages.get(full)
    clearTimeout(usage?.timer)
    try {
      await session?.hibernate()
      if (usage?.users === 0) await session?.close()
    } catch (error) {
      if (!(error instanceof SessionClosedError)) this.#options.onError(error as Error)
    }
    if (usage?.users === 0) this.#schedule(full, usage)
  }

  async #create(
    tenant: string,
    full: string,
    { labels = {}, env, image, limits, tools, input }: WireCreate,
    from?: Snapshot,
  ): Promise<void> {
    const config: SessionConfig = { limits, tools, ...(input ? { input } : {}) }
    checkConfig(config, this.#options)
    const options = {
      ...{ ...sessionOptions(tenant, config, this.#tools), id: full, labels: labelsOf(labels, config) },
      ...(env === undefined ? {} : { env }),
      ...(image === undefined ? {} : { image }),
      ...(from === undefined ? {} : { from }),
    }
    try {
      await this.#options.manager.createSession(options)
    } catch (error) {
      if (!(error instanceof InvalidOptionError && error.option === 'id')) throw error
      throw new RequestProblem(409, 'SESSION_EXISTS', 'there is such a session already')
    }
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

  /** Requests at the same time open a session once. */
  async #openOnce(tenant: string, full: string, { takeOver = false }: OpenOptions): Promise<Session> {
    const running = this.#opening.get(full)
    if (running) return running
    const opened = deferred<Session>()
    this.#opening.set(full, opened.promise)
    opened.promise.catch(() => {})
    try {
      const found = await this.#stored(tenant, full)
      const { config } = readLabels(found.labels)
      const options = { ...sessionOptions(tenant, config, this.#tools), salvage: true, takeOver }
      const session =
        this.#options.manager.get(full) ?? (await this.#options.manager.openSession(full, options))
      opened.resolve(session)
    } catch (error) {
      opened.reject(error as Error)
    } finally {
      this.#opening.delete(full)
    }
    return opened.promise
  }

  async #stored(tenant: string, full: string): Promise<StoredSession> {
    const found = await this.#find(tenant, full)
    if (!found) throw notFound()
    return found
  }

  async #find(tenant: string, full: string): Promise<StoredSession | undefined> {
    // Of ids that begin with it, the id itself comes first.
    for await (const one of this.#options.manager.list({ tenant, prefix: full }))
      return one.id === full ? one : undefined
    return undefined
  }

  /** @throws RequestProblem when the tenant has as many sessions, or bytes, as it may have */
  async #requireRoom(tenant: string, { sessions, storedBytes }: Quotas): Promise<void> {
    if (sessions === undefined && storedBytes === undefined) return
    let count = 0
    let bytes = 0
    for await (const one of this.list(tenant, '', {})) {
      count++
      bytes += one.sizeBytes
    }
    if (sessions !== undefined && count >= sessions)
      throw overQuota('sessions', sessions, QUOTA_RETRY_SECONDS, `there are ${count} sessions; delete one`)
    if (storedBytes !== undefined && bytes >= storedBytes) {
      const detail = `the sessions take ${bytes} bytes; delete some`
      throw overQuota('storedBytes', storedBytes, QUOTA_RETRY_SECONDS, detail)
    }
  }
}
