// RedisStore with a real server, which the test starts if Redis is installed.
import { inspect } from 'node:util'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StoreError } from '../../src/shared/errors.js'
import { storeConformance } from '../../src/stores/conformance/index.js'
import { RedisStore } from '../../src/stores/redis/index.js'
import { takenDeltas } from './support/chains.js'
import { freePort, type Server } from './support/processes.js'
import { expectSalvage } from './support/salvaged.js'
import { PASSWORD, redisServer, startRedis } from './support/servers.js'

const RECORD = { tenant: 't', imageId: 'i', labels: {}, executionCount: 1 }
const bytes = Buffer.from('a snapshot')

let server: Server
let url: string
let client: ReturnType<typeof createClient>

describe.skipIf(redisServer === undefined)('RedisStore', () => {
  beforeAll(async () => {
    ;({ server, url } = await startRedis(await freePort()))
    client = createClient({ url })
    await client.connect()
  })

  afterAll(async () => {
    await client?.close()
    await server?.stop()
  })

  describe('passes the conformance suite', () => {
    const open = () => new RedisStore(client)
    for (const { name, run } of storeConformance(open, { shared: true })) test(name, run)
  })

  test('leaves no keys behind', async () => {
    expect(await client.keys('*')).toEqual(['brumate:deleted'])
  })

  test('accepts a URL or a client, and closes only connections that it opened', async () => {
    for (const connection of [url, client]) {
      const store = new RedisStore(connection, { prefix: 'forms:' })
      const generation = await store.put('a', bytes, RECORD, { generation: 0 })
      expect((await store.get('a'))?.bytes).toEqual(new Uint8Array(bytes))
      expect(await store.delete('a', { generation: generation ?? 0 })).toBe(true)
      await store.close()
    }
    expect(await client.ping()).toBe('PONG')
  })

  test('is opened by `brumate store salvage` with a URL', async () => {
    await expectSalvage(new RedisStore(client, { prefix: 'salvaged:' }), url, '--key-prefix', 'salvaged:')
  })

  test('keeps sessions of different prefixes apart', async () => {
    const [a, b] = [new RedisStore(client, { prefix: 'a:' }), new RedisStore(client, { prefix: 'b:' })]
    await a.put('x', bytes, RECORD, { generation: 0 })
    expect(await b.get('x')).toBeUndefined()
    expect((await b.list()).sessions).toEqual([])
    expect((await client.keys('*')).filter((key) => key.startsWith('a:')).sort()).toEqual([
      'a:session:x',
      'a:sessions',
    ])
  })

  test('does not send the snapshot again in a put without bytes', async () => {
    const sent: number[] = []
    const counting = {
      sendCommand: (args: readonly (string | Buffer)[], options?: object) => {
        sent.push(args.reduce((sum, arg) => sum + Buffer.byteLength(arg), 0))
        return client.sendCommand(args, options)
      },
    }
    const store = new RedisStore(counting, { prefix: 'renewals:' })
    const generation = (await store.put('a', new Uint8Array(1_000_000), RECORD, { generation: 0 })) ?? 0
    sent.length = 0
    await store.put('a', null, RECORD, { generation, owner: { id: 'm', leaseMs: 1000 } })
    expect(Math.max(...sent)).toBeLessThan(3000)
    expect((await store.get('a'))?.sizeBytes).toBe(1_000_000)
  })

  test('sends its scripts again if the server has lost them', async () => {
    const store = new RedisStore(client, { prefix: 'forgotten:' })
    await store.put('a', bytes, RECORD, { generation: 0 })
    await client.sendCommand(['SCRIPT', 'FLUSH'])
    expect((await store.get('a'))?.executionCount).toBe(1)
  })

  test('reports an evicted or damaged entry instead of returning wrong bytes', async () => {
    const store = new RedisStore(client, { prefix: 'damaged:' })
    for (const id of ['a', 'b', 'c']) await store.put(id, bytes, RECORD, { generation: 0 })
    await client.del('damaged:session:a')
    await client.hDel('damaged:session:b', 'bytes')
    expect(await store.get('a')).toBeUndefined()
    expect((await failure(store.get('b'))).reason).toBe('damaged')
    expect((await store.list()).sessions.map(({ id }) => id)).toEqual(['b', 'c'])
    await client.hSet('damaged:session:c', 'record', '{')
    const error = await failure(store.get('c'))
    expect(error).toMatchObject({ reason: 'damaged', sessionId: 'c' })
    expect(error.message).toContain('damaged:session:c')
    await client.set('damaged:session:d', 'another program')
    expect((await failure(store.get('d'))).reason).toBe('unsuitable')
  })

  test('reports a damaged or missing delta instead of returning wrong bytes', async () => {
    const store = new RedisStore(client, { prefix: 'chains:' })
    const key = 'chains:session:a'
    let generation = (await store.put('a', Buffer.alloc(1000, 'whole'), RECORD, { generation: 0 })) ?? 0
    for (let i = 0; i < 3; i += 1) {
      const delta = { baseBytes: 1000, sizeBytes: 1000, parts: [Buffer.from([i]), { start: 1, end: 1000 }] }
      generation = (await store.putDelta('a', delta, RECORD, { generation })) as number
    }
    expect((await store.get('a'))?.bytes[0]).toBe(2)
    await client.hSet(key, 'd2', 'another delta')
    expect(await failure(store.get('a'))).toMatchObject({ reason: 'damaged', sessionId: 'a' })
    await client.hDel(key, 'd2')
    expect((await failure(store.get('a'))).reason).toBe('damaged')
    await store.put('a', bytes, RECORD, { generation })
    expect((await store.get('a'))?.bytes).toEqual(new Uint8Array(bytes))
    expect(Object.keys(await client.hGetAll(key)).filter((field) => /^d/.test(field))).toEqual([])
    expect([await takenDeltas(store, 10), await takenDeltas(store, 30_000)]).toEqual([
      [32, 32],
      [3, 3],
    ])
  })

  test('never shows the password in errors, which say what to do', async () => {
    const port = new URL(url).port
    const cases: [string, string][] = [
      [url.replace('very', 'wrong'), 'correct the user or the password'],
      [`redis://127.0.0.1:${port}`, 'give a user and a password'],
      [url.replace(port, `${await freePort()}`), 'start the server, or correct the address'],
      [`redis://:${PASSWORD}@[`, 'correct the URL'],
    ]
    for (const [connection, remedy] of cases) {
      const store = new RedisStore(connection)
      const error = await failure(store.get('a'))
      expect(error.message).toContain(remedy)
      const shown = inspect(error, { depth: 9, showHidden: true }) + inspect(store, { depth: 9 })
      for (const secret of ['secret', encodeURIComponent(PASSWORD)]) expect(shown).not.toContain(secret)
      await store.close()
    }
    const closed = createClient({ url })
    expect((await failure(new RedisStore(closed).get('a'))).message).toContain('connect() the client')
  })

  test('fails while the server is down, and works when it is back', async () => {
    const port = await freePort()
    const first = await startRedis(port)
    const store = new RedisStore(first.url, { timeoutMs: 5000 })
    await store.put('a', bytes, RECORD, { generation: 0 })
    await first.server.stop()
    expect((await failure(store.get('a'))).reason).toBe('unavailable')
    const second = await startRedis(port)
    await expect.poll(() => store.get('a').catch(() => 'gone'), { timeout: 20_000 }).toBeUndefined()
    await store.close()
    await store.close()
    await second.server.stop()
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
