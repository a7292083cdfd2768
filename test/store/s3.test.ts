// S3Store with a fake server that has S3's conditional writes, and with versitygw, a real server, if that is installed (or
// BRUMATE_S3_SERVER has its path).
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { StoreError } from '../../src/shared/errors.js'
import { storeConformance } from '../../src/stores/conformance/index.js'
import { S3Store } from '../../src/stores/s3/index.js'
import { escapeId } from '../../src/stores/s3/keys.js'
import { type FakeS3, startFakeS3 } from './support/fake-s3.js'
import { findProgram, freePort, type Server, startServer, temporaryDirectory } from './support/processes.js'
import { expectSalvage } from './support/salvaged.js'

const SECRET = 'very/secret+key'
const RECORD = { tenant: 't', imageId: 'i', labels: {}, executionCount: 1 }
const bytes = Buffer.from('a snapshot')
const program = process.env.BRUMATE_S3_SERVER ?? findProgram('versitygw')

const configuration = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: 'access', secretAccessKey: SECRET },
})

describe.skipIf(program === undefined)('S3Store with versitygw', () => {
  let server: Server
  let client: S3Client

  beforeAll(async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'root/bucket'), { recursive: true })
    const port = await freePort()
    const args = ['--port', `127.0.0.1:${port}`, '--access', 'access', '--secret', SECRET]
    server = await startServer(
      program ?? '',
      [...args, 'posix', join(directory, 'root')],
      /listening|http:\/\//i,
      directory,
    )
    client = new S3Client(configuration(`http://127.0.0.1:${port}`))
  })

  afterAll(async () => {
    client?.destroy()
    await server?.stop()
  })

  const open = () => new S3Store(client, { bucket: 'bucket' })
  for (const { name, run } of storeConformance(open, { shared: true })) test(name, run)
})

describe('S3Store with a fake server', () => {
  let fake: FakeS3
  let client: S3Client

  beforeAll(async () => {
    fake = await startFakeS3()
    client = new S3Client(configuration(fake.endpoint))
  })

  afterEach(() => {
    fake.intercept = undefined
    fake.conditions = true
    fake.received.length = 0
  })

  afterAll(async () => {
    client.destroy()
    await fake.stop()
  })

  describe('passes the conformance suite', () => {
    const open = () => new S3Store(client, { bucket: 'bucket' })
    for (const { name, run } of storeConformance(open, { shared: true })) test(name, run)
  })

  const keysWith = (prefix: string) => [...fake.objects.keys()].filter((key) => key.startsWith(prefix))

  test('accepts a client or a configuration, and closes only clients that it created', async () => {
    for (const connection of [client, configuration(fake.endpoint)]) {
      const store = new S3Store(connection, { bucket: 'bucket', prefix: 'forms/' })
      const generation = await store.put('a', bytes, RECORD, { generation: 0 })
      expect((await store.get('a'))?.bytes).toEqual(new Uint8Array(bytes))
      expect(await store.delete('a', { generation: generation ?? 0 })).toBe(true)
      await store.close()
    }
  })

  test('is opened by `brumate store salvage` with a URL and credentials from the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'access')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET)
    const store = new S3Store(client, { bucket: 'bucket', prefix: 'salvaged/' })
    await expectSalvage(store, `s3://bucket/salvaged/?region=us-east-1&endpoint=${fake.endpoint}`)
    vi.unstubAllEnvs()
  })

  test('does not upload the snapshot again in a put without bytes', async () => {
    const store = new S3Store(client, { bucket: 'bucket', prefix: 'renewals/' })
    const generation = (await store.put('a', new Uint8Array(1_000_000), RECORD, { generation: 0 })) ?? 0
    fake.received.length = 0
    await store.put('a', null, RECORD, { generation, owner: { id: 'm', leaseMs: 1000 } })
    expect(Math.max(...fake.received)).toBeLessThan(1000)
    expect((await store.get('a'))?.sizeBytes).toBe(1_000_000)
  })

  test('keeps one record and one snapshot per session, even after lost races', async () => {
    const store = new S3Store(client, { bucket: 'bucket', prefix: 'pairs/' })
    let generation = (await store.put('a', bytes, RECORD, { generation: 0 })) ?? 0
    for (let round = 0; round < 3; round += 1) {
      const all = Array.from({ length: 5 }, () => store.put('a', bytes, RECORD, { generation }))
      generation = (await Promise.all(all)).find((written) => written !== undefined) ?? 0
    }
    expect(keysWith('pairs/records/')).toHaveLength(1)
    expect(keysWith('pairs/snapshots/')).toHaveLength(1)
    await store.delete('a', { generation })
    expect(keysWith('pairs/snapshots/')).toEqual([])
  })

  test('rejects a server that ignores conditions before anything is written', async () => {
    fake.conditions = false
    const store = new S3Store(client, { bucket: 'bucket', prefix: 'ignored/' })
    const error = await failure(store.put('a', bytes, RECORD, { generation: 0 }))
    expect(error.reason).toBe('unsuitable')
    expect(error.message).toContain('ignores If-None-Match or If-Match')
    expect(keysWith('ignored/')).toEqual(['ignored/conditional-writes'])
  })

  test('recognizes its own write if the response is lost and the client retries', async () => {
    const store = new S3Store(client, { bucket: 'bucket', prefix: 'retried/' })
    const generation = (await store.put('a', bytes, RECORD, { generation: 0 })) ?? 0
    let lost = 0
    fake.intercept = (request, response, didWrite) => {
      if (!didWrite || lost > 0 || !request.url?.includes('/records/')) return false
      lost += 1
      response.writeHead(503)
      response.end()
      return true
    }
    expect(await store.put('a', bytes, RECORD, { generation })).toBe(generation + 1)
    expect(lost).toBe(1)
  })

  test('reports a missing or short snapshot, and reads again if a later write removed it', async () => {
    const store = new S3Store(client, { bucket: 'bucket', prefix: 'damaged/' })
    const generation = (await store.put('a', bytes, RECORD, { generation: 0 })) ?? 0
    // Another writer acts between the reads of the record and the snapshot.
    let writes = 0
    fake.intercept = (request, response) => {
      if (writes > 0 || request.method !== 'GET' || !request.url?.includes('/snapshots/')) return false
      writes += 1
      void store.put('a', Buffer.from('later'), RECORD, { generation }).then(() => {
        response.writeHead(404, { 'content-type': 'application/xml' })
        response.end('<Error><Code>NoSuchKey</Code></Error>')
      })
      return true
    }
    expect(Buffer.from((await store.get('a'))?.bytes ?? []).toString()).toBe('later')
    const [key = ''] = keysWith('damaged/snapshots/')
    const object = fake.objects.get(key)
    if (object) fake.objects.set(key, { ...object, bytes: Buffer.from('late') })
    expect(await failure(store.get('a'))).toMatchObject({ reason: 'damaged', sessionId: 'a' })
    fake.objects.delete(key)
    const error = await failure(store.get('a'))
    expect(error.reason).toBe('damaged')
    expect(error.message).toContain(`${key} of bucket is missing`)
    const [record = ''] = keysWith('damaged/records/')
    const stored = fake.objects.get(record)
    if (stored) fake.objects.set(record, { ...stored, bytes: stored.bytes.subarray(1) })
    expect((await failure(store.get('a'))).message).toContain(`${record} of bucket is damaged`)
  })

  test('sweep removes old leftovers of killed processes and deleted sessions', async () => {
    const store = new S3Store(client, { bucket: 'bucket', prefix: 'swept/' })
    await store.put('kept', bytes, RECORD, { generation: 0 })
    await store.delete('gone', {
      generation: (await store.put('gone', bytes, RECORD, { generation: 0 })) ?? 0,
    })
    await store.put('killed', bytes, RECORD, { generation: 0 })
    const [orphan = ''] = keysWith('swept/snapshots/killed')
    const object = fake.objects.get(orphan)
    if (object)
      for (const nonce of ['0', '1']) fake.objects.set(`swept/snapshots/killed/${nonce}`, { ...object })
    expect(await store.sweep()).toEqual({ snapshots: 0, records: 0 })
    for (const one of fake.objects.values()) one.modifiedAtMs -= 2 * 86_400_000
    expect(await store.sweep()).toEqual({ snapshots: 2, records: 1 })
    expect((await store.list()).sessions.map(({ id }) => id)).toEqual(['kept', 'killed'])
    for (const id of ['kept', 'killed']) expect((await store.get(id))?.sizeBytes).toBe(bytes.length)
    expect(keysWith('swept/')).toHaveLength(5)
    await expect(store.sweep({ olderThanMs: 1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('never shows the secret key in errors, which say what to do', async () => {
    const gone = configuration(`http://127.0.0.1:${await freePort()}`)
    const cases: [S3Store, string][] = [
      [new S3Store(client, { bucket: 'elsewhere' }), 'create the bucket, or correct its name'],
      [
        new S3Store({ ...gone, maxAttempts: 1 }, { bucket: 'bucket' }),
        'start the server, or correct the address',
      ],
    ]
    for (const [store, remedy] of cases) {
      const error = await failure(store.put('a', bytes, RECORD, { generation: 0 }))
      expect(error.message).toContain(remedy)
      expect(inspect(error, { depth: 9, showHidden: true }) + inspect(store, { depth: 9 })).not.toContain(
        SECRET,
      )
      await store.close()
      await store.close()
    }
  })

  test('sorts keys in the order of ids', () => {
    const characters = Array.from({ length: 0x180 }, (_, i) => String.fromCharCode(i))
    const ids = [
      ...characters,
      ...characters.map((one) => `a${one}`),
      ...characters.map((one) => `${'a'.repeat(199)}${one}b`),
    ]
    const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
    const byKeys = (a: string, b: string) => byBytes(escapeId(a), escapeId(b))
    expect([...ids].sort(byKeys)).toEqual([...ids].sort(byBytes))
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
