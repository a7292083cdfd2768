// The sub-path `brumate/stores/postgres`: a store in two tables of PostgreSQL, for sessions and their deltas. Owns the statements that read
// and write rows; table.ts owns the tables. Each write is a single statement, so a compare-and-set needs no transaction.
import { InvalidOptionError } from '../../shared/errors.js'
import { checkDelete, checkId, checkList, checkPut, checkPutDelta } from '../../store/arguments.js'
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
import {
  damagedRow,
  deltaTableOf,
  escapeText,
  lastWithPrefix,
  migrationOf,
  quoteTable,
  unescapeText,
} from './table.js'

export type { ClientOptions } from '../../store/client-calls.js'

/** A `Pool` or `Client` of the package `pg`, or any object with the same `query`. */
export interface PostgresClient {
  query(query: { text: string; values?: unknown[] }): Promise<{ rows: Record<string, unknown>[] }>
}

export interface PostgresStoreOptions extends ClientOptions {
  /**
   * The table, with or without its schema: `sessions`, `app.sessions`. At most 56 letters, digits and `_`. The table of the deltas is named
   * after it: `sessions_deltas`. Default `brumate_sessions`.
   */
  readonly table?: string | undefined
  /** Whether the first call creates the tables if they do not exist. Default true. */
  readonly migrate?: boolean | undefined
}

interface OwnPool extends PostgresClient {
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** Bytes read by one query. As text, a value takes twice as many bytes, and the client decodes it in one go. */
const SLICE_BYTES = 2 ** 20
/** Bytes of each delta, in a query that reads the beginnings of all deltas. */
const SHORT_SLICE_BYTES = SLICE_BYTES / MOST_DELTAS
const MOST_TRIES = 20
/** SQLSTATEs of a conflict with another transaction. Nothing was written. */
const CONFLICTS = ['40001', '40P01']
/** SQLSTATEs if another process creates the same table at the same time. */
const MADE_MEANWHILE = ['23505', '42P07', '42710', 'XX000']

/** Columns as text, so that the type parsers that a program sets for `pg` do not matter. */
const FACTS = `generation::text, record::text, owner,
  (extract(epoch from created_at) * 1000)::text as created, (extract(epoch from updated_at) * 1000)::text as updated,
  (extract(epoch from expires_at) * 1000)::text as expires,
  (extract(epoch from expires_at - clock_timestamp()) * 1000)::text as remaining, size::text`

const EXPIRY = 'now() + make_interval(secs => $4::float8 / 1000)'
/** The assignments of every write. */
const RECORD = `generation = generation + 1, record = $2::json, owner = $3, expires_at = ${EXPIRY}, updated_at = now()`

/**
 * Keeps sessions in two tables of PostgreSQL 12 or newer, in a database whose encoding is UTF-8. An acknowledged write survives whatever a
 * committed transaction survives. Leases use the server's clock.
 */
export class PostgresStore implements SnapshotStore {
  readonly #facts: ClientFacts
  readonly #table: string
  readonly #deltaTable: string
  readonly #isMigrating: boolean
  readonly #ownsClient: boolean
  readonly #client: Once<PostgresClient>
  readonly #migrated = new Once(() => this.migrate())

  /** @param connection a connection string, a configuration of `pg`'s `Pool`, or a `Pool`, which `close` leaves open */
  constructor(connection: string | PostgresClient | object, options: PostgresStoreOptions = {}) {
    if (typeof connection !== 'string' && (typeof connection !== 'object' || connection === null))
      throw new InvalidOptionError(
        'connection',
        'a connection string, a configuration, or a Pool',
        connection,
      )
    const { table = 'brumate_sessions', migrate = true } = options
    this.#table = quoteTable(table)
    this.#deltaTable = deltaTableOf(this.#table)
    this.#isMigrating = migrate
    this.#facts = {
      server: 'PostgreSQL',
      timeoutMs: checkTimeoutMs(options),
      secrets: secretsOf(connection),
      diagnose: (code) => this.#diagnose(code),
    }
    this.#ownsClient = !isClient(connection)
    this.#client = new Once(async () =>
      isClient(connection) ? connection : await openPool(connection, this.#facts.timeoutMs),
    )
  }

  /** SQL that creates the tables, for a program with its own migrations. It does nothing if the table of sessions exists. */
  get migration(): string {
    return migrationOf(this.#table)
  }

  /** Creates the tables if they do not exist. The first call of any other method does this, unless the option `migrate` is false. */
  async migrate(): Promise<void> {
    await callClient(this.#facts, undefined, async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          return void (await (await this.#client.get()).query({ text: this.migration }))
        } catch (error) {
          if (tries === MOST_TRIES || !MADE_MEANWHILE.includes(codeOf(error))) throw error
        }
      }
    })
  }

  async get(id: string): Promise<StoreEntry | undefined> {
    checkId(id)
    for (let before: string | undefined; ; ) {
      const [row] = await this.#query(
        id,
        `select ${FACTS}, bytes_generation::text, octet_length(bytes)::text as whole, deltas::text, ${hexOfSlice(2)} as slice
          from ${this.#table} where id = $1`,
        [escapeText(id), 1],
      )
      if (row === undefined) return undefined
      const bytes = await this.#bytesOf(id, row)
      if (bytes) return { ...this.#describe(id, row), bytes }
      // The entry was written while it was read, unless its generation is still the same: then it is damaged.
      if (row.generation === before) throw damagedRow(this.#table, id)
      before = String(row.generation)
    }
  }

  /** Reads the snapshot of a row; undefined if parts of it have been removed meanwhile. */
  async #bytesOf(id: string, row: Record<string, unknown>): Promise<Uint8Array | undefined> {
    const whole = await this.#slices(id, row.slice, row.whole, (at) => ({
      text: `select ${hexOfSlice(2)} as slice from ${this.#table} where id = $1 and bytes_generation = $3::bigint`,
      values: [escapeText(id), at, row.bytes_generation],
    }))
    if (whole === undefined || row.deltas === '0') return whole
    const rows = await this.#query(
      id,
      `select generation::text, octet_length(bytes)::text as size, ${hexOfSlice(4, SHORT_SLICE_BYTES)} as slice
        from ${this.#deltaTable} where id = $1 and generation > $2::bigint and generation <= $3::bigint order by generation`,
      [escapeText(id), row.bytes_generation, row.generation, 1],
    )
    if (rows.length !== Number(row.deltas)) return undefined
    try {
      const chain: SnapshotDelta[] = []
      for (const { generation, size, slice } of rows) {
        const bytes = await this.#slices(id, slice, size, (at) => ({
          text: `select ${hexOfSlice(2)} as slice from ${this.#deltaTable} where id = $1 and generation = $3::bigint`,
          values: [escapeText(id), at, generation],
        }))
        if (bytes === undefined) return undefined
        chain.push(await decodeDelta(bytes))
      }
      return await resolveChain(whole, chain)
    } catch (error) {
      throw error instanceof DeltaError ? damagedRow(this.#table, id) : error
    }
  }

  /** @param next makes the query for the slice that begins at a position, counted from 1 */
  async #slices(
    id: string,
    first: unknown,
    size: unknown,
    next: (at: number) => { readonly text: string; readonly values: unknown[] },
  ): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(Number(size))
    let slice = Buffer.from(String(first), 'hex')
    for (let at = 0; ; ) {
      bytes.set(slice, at)
      at += slice.length
      if (at >= bytes.length) return bytes
      const { text, values } = next(at + 1)
      const [row] = await this.#query(id, text, values)
      if (row === undefined) return undefined
      slice = Buffer.from(String(row.slice), 'hex')
      if (slice.length === 0) throw damagedRow(this.#table, id)
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
    const values = [
      escapeText(id),
      record,
      owner ? escapeText(owner.id) : null,
      owner?.leaseMs ?? null,
      ...(bytes === null ? [] : [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)]),
    ]
    const create = `insert into ${this.#table}
      (id, generation, bytes_generation, bytes, size, record, owner, expires_at, created_at, updated_at)
      select $1, first, first, bytes, octet_length(bytes), $2::json, $3, ${EXPIRY}, now(), now()
      from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as first, ${bytes === null ? "''::bytea" : '$5::bytea'} as bytes) as given
      on conflict (id) do nothing returning generation::text`
    const where = bytes === null ? 5 : 6
    const replace = `update ${this.#table} set ${RECORD}
      ${bytes === null ? '' : ', bytes = $5::bytea, size = octet_length($5::bytea), bytes_generation = generation + 1, deltas = 0, delta_bytes = 0'}
      where id = $1 and generation = $${where}::bigint returning id, generation`
    const change = `with changed as (${replace})
      ${bytes === null ? '' : `, gone as (delete from ${this.#deltaTable} d using changed where d.id = changed.id)`}
      select generation::text from changed`
    const [row] =
      generation === 0
        ? await this.#query(id, create, values)
        : await this.#query(id, change, [...values, generation])
    return row && Number(row.generation)
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
    const text = `with changed as (update ${this.#table} set ${RECORD},
        deltas = deltas + 1, delta_bytes = delta_bytes + octet_length($5::bytea), size = $8::bigint
        where id = $1 and generation = $6::bigint and size = $7::bigint and octet_length(bytes) > 0 and deltas < ${MOST_DELTAS}
        and delta_bytes + octet_length($5::bytea) <= octet_length(bytes) returning id, generation),
      added as (insert into ${this.#deltaTable} (id, generation, bytes) select id, generation, $5::bytea from changed)
      select generation::text from changed`
    const [row] = await this.#query(id, text, [
      ...[escapeText(id), writeRecord(record), owner ? escapeText(owner.id) : null, owner?.leaseMs ?? null],
      ...[Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), generation],
      ...[delta.baseBytes, delta.sizeBytes],
    ])
    if (row) return Number(row.generation)
    const found = `select generation::text from ${this.#table} where id = $1`
    const [current] = await this.#query(id, found, [escapeText(id)])
    return Number(current?.generation ?? 0) === generation ? 'whole' : undefined
  }

  async delete(id: string, options: DeleteOptions): Promise<boolean> {
    checkDelete(id, options)
    const text = `delete from ${this.#table} where id = $1 and generation = $2::bigint returning 1 as gone`
    return (await this.#query(id, text, [escapeText(id), options.generation])).length > 0
  }

  async list(options?: ListOptions): Promise<StoredPage> {
    const { prefix, cursor = '', limit } = checkList(options)
    const rows = await this.#query(
      undefined,
      `select id, ${FACTS} from ${this.#table} where id > $1 and id >= $2 and id <= $3 order by id limit $4`,
      [escapeText(cursor), escapeText(prefix), lastWithPrefix(prefix), limit + 1],
    )
    const sessions = rows.slice(0, limit).map((row) => this.#describe(unescapeText(String(row.id)), row))
    const last = sessions.at(-1)
    return rows.length > limit && last ? { sessions, cursor: last.id } : { sessions }
  }

  /** Ends the connections that the store opened. A `Pool` that was passed in stays open. */
  async close(): Promise<void> {
    const client = this.#client.take()
    if (client === undefined || !this.#ownsClient) return
    await callClient(this.#facts, undefined, async () => await ((await client) as OwnPool).end())
  }

  async #query(
    sessionId: string | undefined,
    text: string,
    values: unknown[],
  ): Promise<Record<string, unknown>[]> {
    if (this.#isMigrating) await this.#migrated.get()
    return await callClient(this.#facts, sessionId, async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          return (await (await this.#client.get()).query({ text, values })).rows
        } catch (error) {
          if (tries === MOST_TRIES || !CONFLICTS.includes(codeOf(error))) throw error
        }
      }
    })
  }

  #describe(id: string, row: Record<string, unknown>): StoredSession {
    const record = readRecord(JSON.parse(String(row.record)))
    if (record === undefined) throw damagedRow(this.#table, id)
    return {
      ...record,
      id,
      generation: Number(row.generation),
      createdAt: new Date(Math.floor(Number(row.created))),
      updatedAt: new Date(Math.floor(Number(row.updated))),
      sizeBytes: Number(row.size),
      ...(typeof row.owner === 'string' && {
        owner: {
          id: unescapeText(row.owner),
          expiresAt: new Date(Number(row.expires)),
          remainingMs: Number(row.remaining),
        },
      }),
    }
  }

  #diagnose(code: string): Diagnosis | undefined {
    const missing = `the table ${this.#table} is missing or has other columns; call migrate(), or choose another table`
    const [kind, remedy] = REMEDIES[code] ?? []
    if (kind) return { reason: kind, remedy: remedy ?? missing }
    // Class 53: out of resources. 57P: the server is shutting down or starting.
    if (code.startsWith('53'))
      return { reason: 'unavailable', remedy: 'the server lacks resources; try again' }
    if (code.startsWith('57P'))
      return { reason: 'unavailable', remedy: 'the server is restarting; try again' }
    return undefined
  }
}

/** Diagnoses by SQLSTATE. Those without a remedy mean that the table is missing, or not a table of this store. */
const REMEDIES: Readonly<Record<string, readonly [Diagnosis['reason'], string?]>> = {
  '42P01': ['unsuitable'],
  '42703': ['unsuitable'],
  '42P10': ['unsuitable'],
  '42804': ['unsuitable'],
  '42501': [
    'unsuitable',
    'grant this user the right to create the table and that of its deltas, or to read and write both',
  ],
  '3F000': ['unsuitable', 'create the schema, or choose another table'],
  '22P05': ['unsuitable', 'use a database whose encoding is UTF-8'],
  '28P01': ['unavailable', 'correct the user or the password'],
  '28000': ['unavailable', 'correct the user or the password, or let it in (pg_hba.conf)'],
  '3D000': ['unavailable', 'create the database, or correct its name'],
  '25006': ['unavailable', 'this server is read-only; connect to the primary'],
}

function isClient(connection: string | object): connection is PostgresClient {
  return typeof connection === 'object' && typeof (connection as Partial<PostgresClient>).query === 'function'
}

async function openPool(connection: string | object, timeoutMs: number): Promise<PostgresClient> {
  const module = await loadClient('pg', () => import('pg'))
  const given = typeof connection === 'string' ? { connectionString: connection } : connection
  const settings = { connectionTimeoutMillis: timeoutMs, keepAlive: true, allowExitOnIdle: true, ...given }
  const pool = new module.default.Pool(settings) as OwnPool
  // Ignored: an idle connection broke. The pool opens another, and a call that cannot get one reports the reason.
  pool.on('error', () => {})
  return pool
}

function secretsOf(connection: string | object): string[] {
  // `pg` falls back on this variable.
  const { PGPASSWORD } = process.env
  return [...(PGPASSWORD ? [PGPASSWORD] : []), ...secretsIn(connection)]
}

function secretsIn(connection: string | object): string[] {
  if (typeof connection === 'string') return secretsOfUrl(connection)
  const { connectionString, password, options } = connection as Record<string, unknown>
  const own = typeof password === 'string' && password !== '' ? [password] : []
  const inUrl = typeof connectionString === 'string' ? secretsOfUrl(connectionString) : []
  // A pool keeps its configuration in `options`.
  return [...own, ...inUrl, ...(typeof options === 'object' && options !== null ? secretsIn(options) : [])]
}

function hexOfSlice(parameter: number, bytes = SLICE_BYTES): string {
  return `encode(substring(bytes from $${parameter}::int for ${bytes}), 'hex')`
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? code : ''
}
