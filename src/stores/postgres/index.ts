// The sub-path `brumate/stores/postgres`: a store in a table of PostgreSQL. Owns the statements that change nothing but this table; the
// table itself is the business of table.ts. One statement a call: a compare-and-set needs no transaction.
import { InvalidOptionError } from '../../shared/errors.js'
import { checkDelete, checkId, checkList, checkPut } from '../../store/arguments.js'
import {
  type ClientFacts,
  type ClientOptions,
  callClient,
  checkTimeoutMs,
  type Diagnosis,
  loadClient,
  secretsOfUrl,
} from '../../store/client-calls.js'
import { Once } from '../../store/once.js'
import { readRecord, writeRecord } from '../../store/record-text.js'
import type {
  DeleteOptions,
  ListOptions,
  PutOptions,
  SnapshotRecord,
  SnapshotStore,
  StoredPage,
  StoredSession,
  StoreEntry,
} from '../../store/store.js'
import { damagedRow, escapeText, lastWithPrefix, migrationOf, quoteTable, unescapeText } from './table.js'

export type { ClientOptions } from '../../store/client-calls.js'

/** A `Pool` or `Client` of the package `pg`, or what has its `query`. */
export interface PostgresClient {
  query(query: { text: string; values?: unknown[] }): Promise<{ rows: Record<string, unknown>[] }>
}

export interface PostgresStoreOptions extends ClientOptions {
  /** The table, with or without its schema: `sessions`, `app.sessions`. Letters, digits and `_`. Default `brumate_sessions`. */
  readonly table?: string | undefined
  /** Whether the first call makes the table if there is none. Default true. */
  readonly migrate?: boolean | undefined
}

interface OwnPool extends PostgresClient {
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** A value as text has twice the bytes, and the client decodes it at one go. */
const SLICE_BYTES = 2 ** 20
const MOST_TRIES = 20
/** Another transaction was in the way. Nothing was written. */
const CONFLICTS = ['40001', '40P01']
/** Another process made the same table at the same time. */
const MADE_MEANWHILE = ['23505', '42P07', '42710', 'XX000']

/** Columns as texts, so that type parsers that a program has set for `pg` do not matter. */
const FACTS = `generation::text, record::text, owner,
  (extract(epoch from created_at) * 1000)::text as created, (extract(epoch from updated_at) * 1000)::text as updated,
  (extract(epoch from expires_at) * 1000)::text as expires,
  (extract(epoch from expires_at - clock_timestamp()) * 1000)::text as remaining, octet_length(bytes)::text as size`

/**
 * Keeps sessions in a table of PostgreSQL, 12 or newer, whose encoding is UTF-8. An acknowledged write survives what a committed
 * transaction survives. Leases are by the server's clock.
 */
export class PostgresStore implements SnapshotStore {
  readonly #facts: ClientFacts
  readonly #table: string
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

  /** SQL that makes the table, for a program that has migrations of its own. It does nothing if there is one. */
  get migration(): string {
    return migrationOf(this.#table)
  }

  /** Makes the table, if there is none. The first other call does so, unless the option `migrate` is false. */
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
    for (;;) {
      const [row] = await this.#query(
        id,
        `select ${FACTS}, bytes_generation::text, ${hexOfSlice(2)} as slice from ${this.#table} where id = $1`,
        [escapeText(id), 1],
      )
      if (row === undefined) return undefined
      const bytes = await this.#bytesOf(id, row)
      // Undefined: others were written meanwhile.
      if (bytes) return { ...this.#describe(id, row), bytes }
    }
  }

  async #bytesOf(id: string, row: Record<string, unknown>): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(Number(row.size))
    let slice = Buffer.from(String(row.slice), 'hex')
    for (let at = 0; ; ) {
      bytes.set(slice, at)
      at += slice.length
      if (at >= bytes.length) return bytes
      const [next] = await this.#query(
        id,
        `select ${hexOfSlice(2)} as slice from ${this.#table} where id = $1 and bytes_generation = $3::bigint`,
        [escapeText(id), at + 1, row.bytes_generation],
      )
      if (next === undefined) return undefined
      slice = Buffer.from(String(next.slice), 'hex')
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
    const expiry = `now() + make_interval(secs => $4::float8 / 1000)`
    const create = `insert into ${this.#table}
      (id, generation, bytes_generation, bytes, record, owner, expires_at, created_at, updated_at)
      select $1, first, first, ${bytes === null ? "''::bytea" : '$5::bytea'}, $2::json, $3, ${expiry}, now(), now()
      from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as first) as clock
      on conflict (id) do nothing returning generation::text`
    const where = bytes === null ? 5 : 6
    const replace = `update ${this.#table} set generation = generation + 1, record = $2::json, owner = $3,
      expires_at = ${expiry}, updated_at = now()
      ${bytes === null ? '' : ', bytes = $5::bytea, bytes_generation = generation + 1'}
      where id = $1 and generation = $${where}::bigint returning generation::text`
    const [row] =
      generation === 0
        ? await this.#query(id, create, values)
        : await this.#query(id, replace, [...values, generation])
    return row && Number(row.generation)
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

  /** Ends the connections that the store has opened. A `Pool` that was passed in stays open. */
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
    // Class 53: out of resources. 57P: the server shuts down or starts.
    if (code.startsWith('53'))
      return { reason: 'unavailable', remedy: 'the server lacks resources; try again' }
    if (code.startsWith('57P'))
      return { reason: 'unavailable', remedy: 'the server is restarting; try again' }
    return undefined
  }
}

/** By SQLSTATE. Without a text: the table is not the store's. */
const REMEDIES: Readonly<Record<string, readonly [Diagnosis['reason'], string?]>> = {
  '42P01': ['unsuitable'],
  '42703': ['unsuitable'],
  '42P10': ['unsuitable'],
  '42804': ['unsuitable'],
  '42501': ['unsuitable', 'grant this user the right to create the table, or to read and write it'],
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
  // A connection that breaks while nobody uses it: the pool opens another, and a call that cannot have one says why.
  pool.on('error', () => {})
  return pool
}

function secretsOf(connection: string | object): string[] {
  // What `pg` falls back on.
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

function hexOfSlice(parameter: number): string {
  return `encode(substring(bytes from $${parameter}::int for ${SLICE_BYTES}), 'hex')`
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? code : ''
}
