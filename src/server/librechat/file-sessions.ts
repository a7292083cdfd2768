// The sessions behind LibreChat's ids: one for each upload and each execution, stored with its files in the manager's store. Owns their ids
// in the manager, who may open them, and how long they are kept.
import type { SessionManager } from '../../manager.js'
import type { SessionOptions } from '../../options.js'
import type { Session } from '../../session.js'
import { SessionClosedError, SessionMovedError } from '../../shared/errors.js'
import type { Account } from '../quotas.js'
import { LIBRECHAT_PREFIX } from '../session-ids.js'
import type { StoredBytes } from '../stored-bytes.js'
import { ApiError } from './api-error.js'
import { isId, newId } from './files.js'

const MAX_READS = 5
const SWEEP_INTERVAL_MS = 10 * 60_000

export interface FileSessionsOptions {
  readonly manager: SessionManager
  readonly storedBytes: StoredBytes
  readonly session: Omit<SessionOptions, 'id' | 'tenant' | 'from' | 'callbacks'>
  readonly retentionMs: number
  readonly onError: (error: Error) => void
}

export interface Opened {
  readonly id: string
  readonly session: Session
}

type Given = Pick<SessionOptions, 'callbacks' | 'labels'>

export class FileSessions {
  readonly #options: FileSessionsOptions
  #sweptMs = Number.NEGATIVE_INFINITY

  constructor(options: FileSessionsOptions) {
    this.#options = options
  }

  /**
   * Creates a session, and keeps it with its files unless `use` fails, returns `keep: false`, or it cannot be stored.
   *
   * @throws RequestProblem when the tenant has reached its quota of stored bytes; SnapshotError, StoreError
   */
  async create<T>(
    tenant: string,
    account: Account,
    given: Given,
    use: (opened: Opened) => Promise<{ readonly answer: T; readonly keep: boolean }>,
  ): Promise<T> {
    this.#sweep()
    const { manager, storedBytes, session: common } = this.#options
    // Sessions are created and deleted automatically here, so their number is not limited.
    await storedBytes.require(tenant, account, 'those of LibreChat are deleted a day after their last use')
    const id = newId()
    const session = await manager.createSession({ ...common, ...given, tenant, id: LIBRECHAT_PREFIX + id })
    let keep = false
    try {
      const used = await use({ id, session })
      // If it cannot be stored, nobody learns its id, so it is not kept.
      if (used.keep) await session.hibernate()
      keep = used.keep
      return used.answer
    } finally {
      if (!keep) await this.#delete(session)
    }
  }

  /** @throws ApiError (404) if the tenant has no such session */
  async use<T>(
    tenant: string,
    id: unknown,
    use: (opened: Opened) => Promise<T>,
    given: Given = {},
  ): Promise<T> {
    const session = await this.find(tenant, id, given)
    if (session === undefined || !isId(id))
      throw new ApiError(404, 'there is no such session, or it has expired')
    try {
      return await use({ id, session })
    } finally {
      // Frees the slot for other sessions, and lets other processes open the session from the store.
      if (session.state !== 'closed') await session.hibernate()
    }
  }

  /**
   * Like `use`, for a task that is safe to repeat: another process that reads the same files may take the session over meanwhile.
   *
   * @throws ApiError (404) if the tenant has no such session
   */
  async read<T>(tenant: string, id: unknown, read: (opened: Opened) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.use(tenant, id, read)
      } catch (error) {
        const isTaken = error instanceof SessionMovedError || error instanceof SessionClosedError
        if (!isTaken || tries === MAX_READS) throw error
      }
    }
  }

  async find(tenant: string, id: unknown, given: Given = {}): Promise<Session | undefined> {
    if (!isId(id)) return undefined
    const { manager, session: common } = this.#options
    const name = LIBRECHAT_PREFIX + id
    const isKnown = manager.get(name)?.tenant === tenant || (await this.#isStored(tenant, name))
    // Nothing runs in the session between two requests, so taking it over costs the other process nothing. If this
    // process had it open and lost it, this call notices.
    return isKnown ? manager.getOrCreate(name, { ...common, ...given, tenant, takeOver: true }) : undefined
  }

  async #isStored(tenant: string, name: string): Promise<boolean> {
    for await (const { id } of this.#options.manager.list({ tenant, prefix: name, limit: 1 }))
      if (id === name) return true
    return false
  }

  /** Deletes the session of an execution that has ended in a later request than the one that began it. */
  async drop(tenant: string, id: string): Promise<void> {
    const session = await this.find(tenant, id)
    if (session) await this.#delete(session)
  }

  async #delete(session: Session): Promise<void> {
    await session.delete().catch(this.#options.onError)
  }

  /** Runs with requests instead of a timer: without requests, nothing new is stored. */
  #sweep(): void {
    const { manager, retentionMs, onError } = this.#options
    const nowMs = performance.now()
    if (nowMs - this.#sweptMs < SWEEP_INTERVAL_MS) return
    this.#sweptMs = nowMs
    manager
      .sweep({ prefix: LIBRECHAT_PREFIX, idleMs: retentionMs })
      .then(({ failed }) => {
        for (const { error } of failed) onError(error as Error)
      })
      .catch(onError)
  }
}
