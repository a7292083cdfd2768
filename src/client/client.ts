// The sessions of a server. Owns creating, opening and listing them; session.ts has a single session.
import { isRecord, isText, known } from '../options/check.js'
import type { WireSession } from '../presentation/wire.js'
import { InvalidOptionError, SessionClosedError } from '../shared/errors.js'
import { Callbacks } from './callbacks.js'
import {
  type ClientOptions,
  CREATE_OPTIONS,
  GET_OR_CREATE_OPTIONS,
  type LocalSessionOptions,
  OPEN_OPTIONS,
  type RemoteCreateOptions,
  type RemoteGetOrCreateOptions,
  type RemoteOpenOptions,
  resolveClientOptions,
  sessionId,
} from './options.js'
import { isMissing, RemoteSession, snapshotBytes } from './session.js'
import { Transport } from './transport.js'

export interface ListOptions {
  readonly prefix?: string
  /** Lists only sessions that have all of these labels. */
  readonly labels?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** The fields that `manager.list` has for a session. */
export interface ListedSession {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly imageId: string
  readonly executionCount: number
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly sizeBytes: number
}

const SESSIONS = '/v1/sessions'
const PAGE = 200

/** Sessions on a `brumate serve`. The client keeps nothing open, so there is no `close`. */
export class BrumateClient {
  readonly #transport: Transport

  /** @throws InvalidOptionError */
  constructor(options: ClientOptions) {
    this.#transport = new Transport(resolveClientOptions(options))
  }

  /**
   * Creates a session. Without an `id` it gets a random one, and `close` deletes the session.
   *
   * @throws InvalidOptionError, also for an `id` that is in use; SnapshotError for `from`; ServerError
   */
  async createSession(options: RemoteCreateOptions = {}): Promise<RemoteSession> {
    known('options', options, CREATE_OPTIONS)
    const { id, from, signal } = options
    const bytes = from === undefined ? undefined : snapshotBytes('from', from)
    const callbacks = new Callbacks(options.callbacks, options.onInput)
    const json = { ...(id !== undefined && { id: sessionId(id) }), ...creation(options, callbacks) }
    let created: WireSession
    try {
      created = await this.#transport.json<WireSession>('POST', SESSIONS, { json, signal })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SESSION_EXISTS') throw error
      const message = `id: the server has a session ${id}; open it with openSession or getOrCreate, or delete it`
      throw new InvalidOptionError('id', 'an id that is not in use', id, message)
    }
    const session = this.#session(options, callbacks, created, id === undefined)
    if (bytes === undefined) return session
    try {
      await session.restoreState(bytes)
    } catch (error) {
      // The caller learns why the snapshot was rejected, even if the session stays.
      await session.delete().catch(() => {})
      throw error
    }
    return session
  }

  /** Opens the session with this id, or creates it. @throws as `createSession` and `openSession` */
  async getOrCreate(id: string, options: RemoteGetOrCreateOptions = {}): Promise<RemoteSession> {
    known('options', options, GET_OR_CREATE_OPTIONS)
    const { signal, takeOver } = options
    const callbacks = new Callbacks(options.callbacks, options.onInput)
    const found = await this.#transport.json<WireSession>('PUT', `${SESSIONS}/${sessionId(id)}`, {
      ...{ json: creation(options, callbacks), signal, sessionId: id, isRepeatable: true },
      query: { takeOver: takeOver || undefined },
    })
    const session = this.#session(options, callbacks, found, false)
    if (found.executionCount > 0) await session.refresh({ signal })
    return session
  }

  /**
   * Opens the session with this id. `callbacks` answer the calls of the tools that it was created with.
   *
   * @throws InvalidOptionError when it does not exist; SessionOwnedError when another process of the server has it open; ServerError
   */
  async openSession(id: string, options: RemoteOpenOptions = {}): Promise<RemoteSession> {
    known('options', options, OPEN_OPTIONS)
    const callbacks = new Callbacks(options.callbacks, options.onInput)
    const blank = { id: sessionId(id), labels: {}, executionCount: 0, createdAt: '', updatedAt: '' }
    const before: WireSession = { ...blank, sizeBytes: 0, imageId: '', state: 'dormant' }
    const session = this.#session(options, callbacks, before, false)
    const { takeOver = false, signal } = options
    try {
      await session.refresh({ takeOver, signal })
    } catch (error) {
      if (!(error instanceof SessionClosedError && isMissing(error.cause))) throw error
      const message = `id: the server has no session ${id}; use createSession or getOrCreate`
      throw new InvalidOptionError('id', 'the id of a session', id, message)
    }
    return session
  }

  /** Resolves to whether the session existed. @throws SessionOwnedError, ServerError */
  async delete(id: string): Promise<boolean> {
    const path = `${SESSIONS}/${sessionId(id)}`
    try {
      await this.#transport.send('DELETE', path, { sessionId: id, isRepeatable: true })
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  /** The sessions of the key's tenant, ordered by id. */
  async *list(options: ListOptions = {}): AsyncGenerator<ListedSession, void> {
    known('options', options, ['prefix', 'labels', 'signal'])
    const { labels = {}, signal } = options
    const prefix = isText('prefix', options.prefix, { maxLength: 100 })
    const label = Object.entries(isRecord('labels', labels)).map(([name, value]) => `${name}=${value}`)
    let cursor: string | undefined
    do {
      const page: { sessions: WireSession[]; cursor?: string } = await this.#transport.json('GET', SESSIONS, {
        ...{ query: { prefix, label, cursor, limit: String(PAGE) }, signal },
      })
      for (const { state: _, pending: __, lostGlobals: ___, createdAt, updatedAt, ...one } of page.sessions)
        yield { ...one, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) }
      cursor = page.cursor
    } while (cursor !== undefined)
  }

  #session(
    options: LocalSessionOptions,
    callbacks: Callbacks,
    known: WireSession,
    isOwn: boolean,
  ): RemoteSession {
    return new RemoteSession({ transport: this.#transport, callbacks, options, isOwn }, known)
  }
}

/** The part of the options that the server stores with a new session. */
function creation(options: RemoteGetOrCreateOptions, callbacks: Callbacks) {
  const { labels, env, image, executionTimeoutMs } = options
  const limits = executionTimeoutMs === undefined ? options.limits : { ...options.limits, executionTimeoutMs }
  const { tools, hasInput } = callbacks
  return {
    ...(labels !== undefined && { labels }),
    ...(env !== undefined && { env }),
    ...(limits !== undefined && { limits }),
    ...(image !== undefined && { image }),
    ...(tools.length > 0 && { tools }),
    ...(hasInput && { input: true }),
  }
}
