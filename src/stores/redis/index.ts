// The sub-path `brumate/stores/redis`: a store in Redis. Owns the client and the interpretation of replies; scripts.ts owns what happens on
// the server.
import { InvalidOptionError, StoreError } from '../../shared/errors.js'
import {
  checkDelete,
  checkId,
  checkList,
  checkPut,
  checkPutDelta,
  compareIds,
} from '../../store/arguments.js'
import {
  type ClientFacts,
  type ClientOptions,
  callClient,
  checkTimeoutMs,
  type Diagnosis,
  loadClient,
  secretsOfUrl,
} from '../../store/client-calls.js'
import { DeltaError, decodeDelta, encodeDelta, MOST_DELTAS, resolveChain } from '../../store/delta.js'
import { described } from '../../store/described.js'
import { Once } from '../../store/once.js'
import { readRecord, writeRecord } from '../../store/record-text.js'
import type {
  DeleteOptions,
  ListOptions,
  PutOptions,
  SnapshotDelta,
  SnapshotRecord,
  SnapshotStore,
  StoredPage,
  StoredSession,
  StoreEntry,
} from '../../store/store.js'
import { DELETE, GET, type Keys, keysOf, LIST, PUT, PUT_DELTA, type Script } from './scripts.js'

export type { ClientOptions } from '../../store/client-calls.js'

/** A connected client of the package `redis`, version 5 or 6. */
export interface RedisClient {
  sendCommand(args: readonly (string | Buffer)[], options?: object): Promise<unknown>
}

export interface RedisStoreOptions extends ClientOptions {
  /** Prefix of every key. Stores with different prefixes can share a server. Default `brumate:`. */
  readonly prefix?: string | undefined
}

interface OwnClient extends RedisClient {
  connect(): Promise<unknown>
  close(): Promise<unknown>
  destroy(): void
  readonly isReady: boolean
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

/** Makes replies bytes. The key is the character code of `$`, which begins such a reply. */
const AS_BYTES = { typeMapping: { 36: Buffer } }
const LONGEST_BACKOFF_MS = 2000
/** Appended to a prefix, it sorts after every id with that prefix, because this byte never occurs in UTF-8. */
const LAST = Buffer.of(0xff)

type Fields = readonly (Buffer | null)[]

/**
 * Keeps sessions in Redis 6 or newer, or in a compatible server. An acknowledged write survives whatever the server's persistence
 * survives: a loss of power with `appendonly yes` and `appendfsync always`, less by default. The server must not evict keys
 * (`maxmemory-policy noeviction`). Leases use the server's clock. Cluster clients are not supported; on a cluster, use a prefix with a
 * hash tag.
 */
export class RedisStore implements SnapshotStore {
  readonly #facts: ClientFacts
  readonly #keys: Keys
  readonly #given: string | RedisClient
  readonly #client: Once<RedisClient>

  /** @param connection a URL such as `redis://user:password@host:6379/0`, or a connected client, which `close` leaves open */
  constructor(connection: string | RedisClient, options: RedisStoreOptions = {}) {
    const { prefix = 'brumate:' } = options
    if (typeof connection !== 'string' && typeof connection?.sendCommand !== 'function')
      throw new InvalidOptionError('connection', 'a URL, or a client of the package redis', connection)
    if (typeof prefix !== 'string' || !prefix.isWellFormed())
      throw new InvalidOptionError('prefix', 'a string', prefix)
    this.#given = connection
    this.#client = new Once(async () =>
      typeof connection === 'string' ? await connect(connection, this.#facts.timeoutMs) : connection,
    )
    this.#keys = keysOf(prefix)
    this.#facts = {
      server: 'Redis',
      timeoutMs: checkTimeoutMs(options),
      secrets: typeof connection === 'string' ? secretsOfUrl(connection) : [],
      diagnose,
    }
  }

  async get(id: string): Promise<StoreEntry | undefined> {
    checkId(id)
    type Reply = readonly [now: Buffer, fields: Fields, deltas: Fields]
    const [now, fields, deltas] = (await this.#run(id, GET, [this.#keys.entry(id)], [])) as Reply
    if (!fields[0]) return undefined
    const bytes = await this.#resolved(id, fields[6], deltas)
    return { ...this.#describe(id, fields, bytes.length, Number(now)), bytes }
  }

  async #resolved(id: string, whole: Buffer | null | undefined, deltas: Fields): Promise<Uint8Array> {
    if (!whole) throw damaged(this.#keys.entry(id), id)
    try {
      const chain: SnapshotDelta[] = []
      // Treat a missing delta as an empty one, which `decodeDelta` rejects.
      for (const delta of deltas) chain.push(await decodeDelta(delta ?? new Uint8Array()))
      return await resolveChain(whole, chain)
    } catch (error) {
      throw error instanceof DeltaError ? damaged(this.#keys.entry(id), id) : error
    }
  }

  async put(
    id: string,
    bytes: Uint8Array | null,
    given: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | undefined> {
    const record = writeRecord(checkPut(id, bytes, given, options))
    const { generation, owner } = options
    const { entry, index, highest } = this.#keys
    const written = await this.#run(
      id,
      PUT,
      [entry(id), index, highest],
      [
        `${generation}`,
        record,
        id,
        owner?.id ?? '',
        `${Math.ceil(owner?.leaseMs ?? 0)}`,
        bytes === null ? '0' : '1',
        bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      ],
    )
    return written === null ? undefined : Number(written)
  }

  async putDelta(
    id: string,
    givenDelta: SnapshotDelta,
    given: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | 'whole' | undefined> {
    const { record, delta } = checkPutDelta(id, givenDelta, given, options)
    const { generation, owner } = options
    const bytes = await encodeDelta(delta)
    const written = await this.#run(
      id,
      PUT_DELTA,
      [this.#keys.entry(id)],
      [
        ...[`${generation}`, writeRecord(record), id, owner?.id ?? '', `${Math.ceil(owner?.leaseMs ?? 0)}`],
        ...[`${delta.baseBytes}`, `${delta.sizeBytes}`],
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        `${MOST_DELTAS}`,
      ],
    )
    if (written === null) return undefined
    return String(written) === 'whole' ? 'whole' : Number(written)
  }

  async delete(id: string, options: DeleteOptions): Promise<boolean> {
    checkDelete(id, options)
    const { entry, index, highest } = this.#keys
    return (await this.#run(id, DELETE, [entry(id), index, highest], [`${options.generation}`, id])) === 1
  }

  async list(options?: ListOptions): Promise<StoredPage> {
    const { prefix, cursor, limit } = checkList(options)
    const isAfterCursor = cursor !== undefined && compareIds(cursor, prefix) >= 0
    const first = isAfterCursor ? `(${cursor}` : prefix === '' ? '-' : `[${prefix}`
    const last = prefix === '' ? '+' : Buffer.concat([Buffer.from(`(${prefix}`), LAST])
    const args = [this.#keys.entries, first, last, `${limit + 1}`]
    type Row = readonly [id: Buffer, fields: Fields, sizeBytes: number]
    const [now, rows] = (await this.#run(undefined, LIST, [this.#keys.index], args)) as [Buffer, Row[]]
    const page = rows.slice(0, limit)
    const sessions = page.flatMap(([id, fields, sizeBytes]) =>
      // An entry that the server has evicted is still in the index.
      fields[0] ? this.#describe(id.toString(), fields, sizeBytes, Number(now)) : [],
    )
    const end = page.at(-1)
    return rows.length > limit && end ? { sessions, cursor: end[0].toString() } : { sessions }
  }

  /** Closes the connection that the store opened. A client that was passed in stays open. */
  async close(): Promise<void> {
    const opened = this.#client.take()
    if (opened === undefined || typeof this.#given !== 'string') return
    // If connecting failed, the calls that waited for it have already got the error.
    const client = (await opened.catch(() => undefined)) as OwnClient | undefined
    if (client === undefined) return
    if (client.isReady) await callClient(this.#facts, undefined, () => client.close())
    else client.destroy()
  }

  async #run(
    sessionId: string | undefined,
    { text, sha1 }: Script,
    keys: readonly string[],
    args: readonly (string | Buffer)[],
  ): Promise<unknown> {
    const rest = [`${keys.length}`, ...keys, ...args]
    return await callClient(this.#facts, sessionId, async () => {
      const client = await this.#client.get()
      try {
        return await client.sendCommand(['EVALSHA', sha1, ...rest], AS_BYTES)
      } catch (error) {
        // NOSCRIPT: the server has not seen the script since it started.
        if (kindOf(error) !== 'NOSCRIPT') throw error
        return await client.sendCommand(['EVAL', text, ...rest], AS_BYTES)
      }
    })
  }

  #describe(id: string, fields: Fields, sizeBytes: number, nowMs: number): StoredSession {
    const [generation, json, created, updated, owner, expires] = fields.map((field) => field?.toString())
    const record = readRecord(parse(json))
    if (record === undefined) throw damaged(this.#keys.entry(id), id)
    const facts = {
      id,
      record,
      generation: Number(generation),
      createdAtMs: Number(created),
      updatedAtMs: Number(updated),
      sizeBytes,
      owner: owner === undefined ? undefined : { id: owner, expiresAtMs: Number(expires) },
    }
    return described(facts, nowMs)
  }
}

async function connect(url: string, timeoutMs: number): Promise<RedisClient> {
  const { createClient } = await loadClient('redis', () => import('redis'))
  let wasReady = false
  // No offline queue: calls fail at once while the connection is lost, so that their outcome is known in time.
  const client: OwnClient = createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: timeoutMs,
      // Fail if the server was never reachable; reconnect if it was.
      reconnectStrategy: (retries, cause) =>
        wasReady ? Math.min(50 * 2 ** Math.min(retries, 10), LONGEST_BACKOFF_MS) : cause,
    },
  })
  client.on('ready', () => {
    wasReady = true
  })
  // Ignored: the client reconnects by itself, and calls fail with the reason.
  client.on('error', () => {})
  await client.connect()
  return client
}

function damaged(key: string, sessionId: string): StoreError {
  const remedy = 'restore it from a backup, or delete the key to discard the session'
  return new StoreError(`the key ${JSON.stringify(key)} of Redis is damaged; ${remedy}`, {
    reason: 'damaged',
    sessionId,
  })
}

function parse(json: string | undefined): unknown {
  try {
    return JSON.parse(json ?? '')
  } catch {
    return undefined
  }
}

/** The first word of a Redis error is its kind. The client's own errors are identified by their class. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  return /^[A-Z]{2,}(?= )/.exec(error.message)?.[0] ?? error.constructor.name
}

function diagnose(_code: string, error: Error): Diagnosis | undefined {
  const [reason, remedy] = REMEDIES[kindOf(error)] ?? []
  return reason && remedy ? { reason, remedy } : undefined
}

const LOST = 'the connection was lost and will be made again; try again'
const REMEDIES: Readonly<Record<string, readonly [Diagnosis['reason'], string]>> = {
  NOAUTH: ['unavailable', 'give a user and a password: redis://user:password@host'],
  WRONGPASS: ['unavailable', 'correct the user or the password'],
  NOPERM: [
    'unsuitable',
    'let this user run EVALSHA, EVAL and commands on hashes and sorted sets (ACL SETUSER)',
  ],
  OOM: ['unavailable', 'the server has no memory left; raise its maxmemory or delete sessions'],
  READONLY: ['unavailable', 'this server is a replica; connect to the primary'],
  LOADING: ['unavailable', 'the server is starting; try again'],
  MISCONF: ['unavailable', 'the server cannot write to its disk; see its log'],
  BUSY: ['unavailable', 'a script keeps the server busy; try again'],
  WRONGTYPE: ['unsuitable', 'another program uses this key; choose another prefix'],
  ClientClosedError: ['unavailable', 'connect() the client before the store uses it, and close it after'],
  ClientOfflineError: ['unavailable', LOST],
  SocketClosedUnexpectedlyError: ['unavailable', LOST],
  DisconnectsClientError: ['unavailable', LOST],
  ConnectionTimeoutError: ['unavailable', 'see whether the server can be reached'],
}
