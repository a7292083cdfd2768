// PostgresStore with a real server, which the test starts if PostgreSQL is installed.
import { inspect } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { StoreError } from '../../src/shared/errors.js'
import { storeConformance } from '../../src/stores/conformance/index.js'
import { PostgresStore } from '../../src/stores/postgres/index.js'
import { callProgram } from '../support/program.js'
import { takenDeltas } from './support/chains.js'
import type { Server } from './support/processes.js'
import { expectSalvage } from './support/salvaged.js'
import { initdb, PASSWORD, startPostgres } from './support/servers.js'

const RECORD = { tenant: 't', imageId: 'i', labels: {}, executionCount: 1 }
const bytes = Buffer.from('a snapshot')

let server: Server
let url: string
let pool: pg.Pool

describe.skipIf(initdb === undefined)('PostgresStore', () => {
  beforeAll(async () => {
    ;({ server, url } = await startPostgres())
    pool = new pg.Pool({ connectionString: url })
    // A test terminates the connections of this pool.
    pool.on('error', () => {})
  })

  afterAll(async () => {
    await pool?.end()
    await server?.stop()
  })

  describe('passes the conformance suite', () => {
    const open = () => new PostgresStore(pool)
    for (const { name, run } of storeConformance(open, { shared: true })) test(name, run)
  })

  test('accepts a connection string, a configuration or a pool, and closes only connections that it opened', async () => {
    for (const connection of [url, { connectionString: url, max: 2 }, pool]) {
      const store = new PostgresStore(connection, { table: 'forms' })
      const generation = await store.put('a', bytes, RECORD, { generation: 0 })
      expect((await store.get('a'))?.bytes).toEqual(new Uint8Array(bytes))
      expect(await store.delete('a', { generation: generation ?? 0 })).toBe(true)
      await store.close()
    }
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('is opened by `brumate store salvage` with a URL, which creates no table', async () => {
    const store = new PostgresStore(pool, { table: 'salvaged' })
    await expectSalvage(store, url, '--table', 'salvaged')
    expect(
      await callProgram('store', 'salvage', url, '--table', 'absent', '--standard', '--json'),
    ).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('choose another table'),
    })
  })

  test('creates the table once if several stores start at the same time', async () => {
    await pool.query('create schema app')
    const stores = Array.from({ length: 10 }, () => new PostgresStore(pool, { table: 'app.Sessions' }))
    await Promise.all(stores.map((store, i) => store.put(`${i}`, bytes, RECORD, { generation: 0 })))
    expect((await stores[0]?.list())?.sessions).toHaveLength(10)
  })

  test('creates no table with migrate: false, and says what to do', async () => {
    const store = new PostgresStore(pool, { table: 'absent', migrate: false })
    const error = await failure(store.get('a'))
    expect(error.reason).toBe('unsuitable')
    expect(error.message).toMatch(/PostgreSQL: relation "absent" does not exist.*call migrate\(\)/)
    await store.migrate()
    await store.migrate()
    expect(await store.get('a')).toBeUndefined()
    expect(new PostgresStore(pool, { table: 'other' }).migration).toContain('create table "other"')
  })

  test('works for a user who cannot create tables, once the table exists', async () => {
    const store = new PostgresStore(pool, { table: 'granted' })
    await pool.query(`create role guest login password 'guest'`)
    // The default since PostgreSQL 15.
    await pool.query('revoke create on schema public from public')
    const guests = new pg.Pool({ connectionString: url.replace(/owner:[^@]*@/, 'guest:guest@') })
    onTestFinished(() => guests.end())
    const guest = new PostgresStore(guests, { table: 'granted' })
    const error = await failure(guest.get('a'))
    expect(error).toMatchObject({ reason: 'unsuitable' })
    expect(error.message).toContain('grant this user the right')
    await store.migrate()
    await pool.query('grant select, insert, update, delete on granted, granted_deltas to guest')
    const generation = (await guest.put('a', bytes, RECORD, { generation: 0 })) ?? 0
    expect(await guest.put('a', bytes, RECORD, { generation })).toBe(generation + 1)
  })

  test('reports a damaged or missing delta instead of returning wrong bytes', async () => {
    const store = new PostgresStore(pool, { table: 'chains' })
    const whole = Buffer.alloc(3_000_000, 'whole')
    let generation = (await store.put('a', whole, RECORD, { generation: 0 })) ?? 0
    // One delta is longer than a single read.
    for (const length of [10, 1_500_000, 10]) {
      const parts = [Buffer.alloc(length, 'new'), { start: length, end: whole.length }]
      const delta = { baseBytes: whole.length, sizeBytes: whole.length, parts }
      generation = (await store.putDelta('a', delta, RECORD, { generation })) as number
    }
    const expected = Buffer.concat([Buffer.alloc(1_500_000, 'new'), whole.subarray(1_500_000)])
    expected.set(Buffer.alloc(10, 'new'))
    expect(Buffer.compare((await store.get('a'))?.bytes ?? whole, expected)).toBe(0)
    const flip = 'set bytes = set_byte(bytes, 90, get_byte(bytes, 90) # 1)'
    for (const change of [
      `update chains_deltas ${flip} where generation = $1`,
      'delete from chains_deltas where generation = $1',
    ]) {
      await pool.query(change, [generation - 1])
      expect(await failure(store.get('a'))).toMatchObject({ reason: 'damaged', sessionId: 'a' })
    }
    await store.put('a', bytes, RECORD, { generation })
    expect((await store.get('a'))?.bytes).toEqual(new Uint8Array(bytes))
    const { rows } = await pool.query('select count(*)::int as count from chains_deltas')
    expect(rows).toEqual([{ count: 0 }])
    expect([await takenDeltas(store, 10), await takenDeltas(store, 30_000)]).toEqual([
      [32, 32],
      [3, 3],
    ])
  })

  test('lists with the index on the id', async () => {
    const store = new PostgresStore(pool, { table: 'indexed' })
    await store.migrate()
    const insert = `insert into indexed (id, generation, bytes_generation, bytes, size, record, created_at, updated_at)
      select 'tenant-' || i % 100 || '/' || i, 1, 1, '', 0, $1, now(), now() from generate_series(1, 20000) as i`
    await pool.query(insert, [JSON.stringify(RECORD)])
    await pool.query('analyze indexed')
    const plans: string[] = []
    const explaining = {
      query: async ({ text, values }: { text: string; values?: unknown[] }) => {
        if (text.startsWith('select id')) {
          const { rows } = await pool.query(`explain (analyze, buffers) ${text}`, values)
          plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
        }
        return await pool.query(text, values)
      },
    }
    const explained = new PostgresStore(explaining, { table: 'indexed' })
    for (const options of [{ prefix: 'tenant-42/' }, {}, { cursor: 'tenant-7/' }])
      expect((await explained.list(options)).sessions).toHaveLength(100)
    expect(plans.map((plan) => plan.includes('indexed_pkey'))).toEqual([true, true, true])
    // Without a prefix, the first page is the beginning of the index.
    expect(plans[1]).not.toMatch(/Sort|Seq Scan/)
    expect(plans.join()).not.toContain('Seq Scan')
  })

  test('does not write the snapshot again in a put without bytes', async () => {
    const store = new PostgresStore(pool, { table: 'renewals' })
    let generation = (await store.put('a', new Uint8Array(5_000_000).fill(7), RECORD, { generation: 0 })) ?? 0
    const size = async () =>
      Number((await pool.query(`select pg_total_relation_size('renewals') as size`)).rows[0].size)
    const before = await size()
    for (let i = 0; i < 20; i += 1)
      generation =
        (await store.put('a', null, RECORD, { generation, owner: { id: 'm', leaseMs: 1000 } })) ?? 0
    expect((await size()) - before).toBeLessThan(200_000)
  })

  test('does not depend on the program’s type parsers', async () => {
    const types = { getTypeParser: () => () => 'parsed by the program' }
    const strange = new pg.Pool({ connectionString: url, types } as pg.PoolConfig)
    onTestFinished(() => strange.end())
    const { query } = strange
    // Programs usually leave text alone.
    types.getTypeParser = ((oid: number) => (oid === 25 ? String : () => 'parsed by the program')) as never
    expect(query).toBeTypeOf('function')
    const store = new PostgresStore(strange, { table: 'parsers' })
    await store.put('a', bytes, { ...RECORD, labels: { a: 'b' } }, { generation: 0 })
    expect(await store.get('a')).toMatchObject({ labels: { a: 'b' }, sizeBytes: bytes.length })
  })

  test('never shows the password in errors', async () => {
    const wrong = url.replace('owner', 'nobody-there')
    const errors = [
      await failure(new PostgresStore(wrong).get('a')),
      await failure(new PostgresStore(url.replace('sockets', 'elsewhere')).get('a')),
      await failure(new PostgresStore({ user: 'x', password: PASSWORD, host: '/nowhere' }).get('a')),
      await failure(new PostgresStore(`postgresql://a:${PASSWORD}@[`).get('a')),
    ]
    for (const error of errors) {
      expect(error.code).toBe('STORE')
      for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)])
        expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret)
      expect(error.message).toMatch(/PostgreSQL: .+; .+/)
    }
    expect(errors[0]?.message).toContain('correct the user or the password')
    expect(errors[1]?.message).toContain('start the server, or correct the address')
    expect(inspect(new PostgresStore(url), { depth: 9 })).not.toContain('secret')
  })

  test('loses one call when the server ends a connection, and times out if the server does not answer', async () => {
    const store = new PostgresStore(url, { table: 'ended', timeoutMs: 2000 })
    await store.put('a', bytes, RECORD, { generation: 0 })
    await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename = 'owner'`,
    )
    await store.get('a').catch((error) => expect(error).toBeInstanceOf(StoreError))
    expect((await store.get('a'))?.executionCount).toBe(1)
    const client = await pool.connect()
    try {
      await client.query('begin; lock table ended')
      const hurried = new PostgresStore(url, { table: 'ended', timeoutMs: 300, migrate: false })
      expect((await failure(hurried.get('a'))).message).toContain('has not answered within 300 ms')
      await client.query('rollback')
      await hurried.close()
    } finally {
      client.release()
    }
    await store.close()
    await store.close()
  })
})

async function failure(call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(
    (value) => new Error(`expected a StoreError, got ${inspect(value)}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof StoreError)) throw error
  return error
}
