// Files and snapshots over HTTP.
import { sessionIdOf } from 'brumate/server'
import { expect, test } from 'vitest'
import { appForTest } from './support/caller.js'

const FILE = '/v1/sessions/main/files?path=/tmp/a%20b.html'

test('a file can be uploaded and downloaded, whole or by range, and is sent so that no browser executes it', async () => {
  const { call } = await appForTest({ tenant: 'files' })
  await call('PUT', '/v1/sessions/main')
  expect((await call('PUT', FILE, new TextEncoder().encode('0123456789'))).status).toBe(204)
  const { headers, body } = await call('GET', FILE)
  expect(body).toBe('0123456789')
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-length': '10',
    'content-type': 'text/html',
    'content-disposition': `attachment; filename="a b.html"; filename*=UTF-8''a%20b.html`,
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
  })
  const range = async (value: string, more: object = {}) => {
    const answer = await call('GET', FILE, undefined, { range: value, ...more })
    return [
      answer.status,
      typeof answer.body === 'string' ? answer.body : answer.body.code,
      answer.headers.get('content-range'),
    ]
  }
  expect(await range('bytes=2-3')).toEqual([206, '23', 'bytes 2-3/10'])
  expect(await range('bytes=8-')).toEqual([206, '89', 'bytes 8-9/10'])
  expect(await range('bytes=-3')).toEqual([206, '789', 'bytes 7-9/10'])
  expect(await range('bytes=10-')).toEqual([416, 'RANGE', 'bytes */10'])
  expect(await range('bytes=1-2,4-5')).toEqual([200, '0123456789', null])
  const etag = headers.get('etag') ?? ''
  expect(await range('bytes=0-1', { 'if-range': etag })).toEqual([200, '0123456789', null])
  expect((await call('GET', FILE, undefined, { 'if-none-match': etag })).status).toBe(304)
  const head = await call('HEAD', FILE)
  expect([head.body, head.headers.get('content-length')]).toEqual(['', '10'])
  await call('POST', '/v1/sessions/main/files/mkdir', { path: '/tmp/x/y', recursive: true })
  await call('POST', '/v1/sessions/main/files/rename', { from: '/tmp/a b.html', to: '/tmp/x/y/b' })
  expect((await call('GET', '/v1/sessions/main/files/list?path=/tmp/x/y')).body).toEqual({ names: ['b'] })
  expect((await call('GET', '/v1/sessions/main/files/stat?path=/tmp/x')).body).toMatchObject({
    kind: 'directory',
  })
  const folder = await call('GET', '/v1/sessions/main/files?path=/tmp/x')
  expect([folder.status, folder.body.reason]).toEqual([409, 'EISDIR'])
  expect((await call('DELETE', '/v1/sessions/main/files?path=/tmp/x&recursive=true')).status).toBe(204)
  const gone = await call('GET', '/v1/sessions/main/files/stat?path=/tmp/x')
  expect([gone.status, gone.body]).toMatchObject([404, { code: 'STORAGE', reason: 'ENOENT', path: '/tmp/x' }])
  await call('DELETE', '/v1/sessions/main')
})

test('a download fails promptly if the file is truncated while it is being sent', async () => {
  const { call, send } = await appForTest({ tenant: 'shorter' })
  await call('PUT', '/v1/sessions/main')
  await call('PUT', FILE, new Uint8Array(8 * 2 ** 20))
  const response = await send(FILE, {})
  await call('POST', '/v1/sessions/main/execute', { code: 'open("/tmp/a b.html", "w").close()' })
  await expect(response.arrayBuffer()).rejects.toThrow('shorter')
  await call('DELETE', '/v1/sessions/main')
})

test('a download whose client has left before it began does not keep the session open', async () => {
  const { call, send, manager } = await appForTest({ tenant: 'left', releaseAfterMs: 0 })
  await call('PUT', '/v1/sessions/main')
  await call('PUT', FILE, new Uint8Array(8 * 2 ** 20))
  const client = new AbortController()
  const answered = send(FILE, { signal: client.signal })
  client.abort()
  await Promise.resolve(answered).catch(() => {})
  await expect.poll(() => manager.get(sessionIdOf('left', 'main'))).toBeUndefined()
  await call('DELETE', '/v1/sessions/main')
})

test('an upload over the size limit is rejected and the old file stays', async () => {
  const { call, send } = await appForTest({ tenant: 'uploads', maxUploadBytes: 2000, maxBodyBytes: 1024 })
  await call('PUT', '/v1/sessions/main')
  await call('PUT', FILE, 'before')
  const parts = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 4; i++) controller.enqueue(new Uint8Array(700))
      controller.close()
    },
  })
  const refused = await send(FILE, { method: 'PUT', body: parts, duplex: 'half' } as RequestInit)
  expect(refused.status).toBe(413)
  expect((await call('PUT', FILE, new Uint8Array(2001), { 'content-length': '2001' })).status).toBe(413)
  expect((await call('GET', FILE)).body).toBe('before')
  const lost = await call('PUT', '/v1/sessions/main/files?path=/no/such', 'x')
  expect(lost.body).toMatchObject({ status: 404, path: '/no/such', syscall: 'open' })
  expect((await call('GET', '/v1/sessions/main/files/list?path=/tmp')).body).toEqual({ names: ['a b.html'] })
  const long = await call('POST', '/v1/sessions/main/execute', { code: '#'.repeat(2000) })
  expect([long.status, long.body.code]).toEqual([413, 'TOO_LARGE'])
  await call('DELETE', '/v1/sessions/main')
})

test('JSON bodies have the JSON size limit, even if a session or variable is named "files" or "snapshot"', async () => {
  const { call } = await appForTest({ tenant: 'json', maxBodyBytes: 1024, maxUploadBytes: 2 ** 20 })
  const value = { value: 'x'.repeat(2000) }
  const type = { 'content-type': 'application/json' }
  for (const path of [
    '/files',
    '/main/variables/files',
    '/main/variables/snapshot',
    '/sessions/variables/files',
  ])
    expect((await call('PUT', `/v1/sessions${path}`, JSON.stringify(value), type)).status).toBe(413)
  // Node's HTTP server rejects such a length, but the application may be mounted in another one.
  for (const length of ['many', '-1', '1.5']) {
    const headers = { ...type, 'content-length': length }
    const refused = await call('PUT', '/v1/sessions/main/variables/x', JSON.stringify(value), headers)
    expect(refused.status).toBe(413)
  }
})

test('a snapshot downloaded from one session can be uploaded to another; a corrupt one is rejected', async () => {
  const { call, send } = await appForTest({ tenant: 'snapshots' })
  await Promise.all([call('PUT', '/v1/sessions/one'), call('PUT', '/v1/sessions/two')])
  await call('PUT', '/v1/sessions/one/variables/x', { value: [1, 2] })
  const response = await send('/v1/sessions/one/snapshot', {})
  const bytes = new Uint8Array(await response.arrayBuffer())
  expect(response.headers.get('content-length')).toBe(String(bytes.length))
  expect((await call('PUT', '/v1/sessions/two/snapshot', bytes)).body).toEqual({ lostGlobals: [] })
  expect((await call('GET', '/v1/sessions/two/variables/x')).body).toEqual({ value: [1, 2] })
  const at = bytes.length - 20
  const damaged = bytes.with(at, (bytes[at] ?? 0) ^ 1)
  for (const hostile of [new Uint8Array(), bytes.subarray(0, 100), damaged]) {
    const { status, body } = await call('PUT', '/v1/sessions/two/snapshot', hostile)
    expect([status, body.code, body.reason]).toEqual([422, 'SNAPSHOT', 'corrupt'])
  }
  expect((await call('GET', '/v1/sessions/two/variables/x')).body).toEqual({ value: [1, 2] })
  await Promise.all([call('DELETE', '/v1/sessions/one'), call('DELETE', '/v1/sessions/two')])
})

test('concurrent request bodies share one memory limit, and finished requests free their share', async () => {
  const bytes = 64 * 1024
  const { call, send } = await appForTest({ tenant: 'held', maxUploadBytes: bytes, maxBodyBytes: bytes })
  await call('PUT', '/v1/sessions/main')
  const path = '/v1/sessions/main/snapshot'
  /** Uploads a snapshot whose last byte is missing. The server reads it in a later turn of the event loop. */
  const unfinished = () => {
    const { readable, writable } = new TransformStream<Uint8Array>()
    const writer = writable.getWriter()
    const headers = { 'content-type': 'application/octet-stream' }
    const answer = send(path, { method: 'PUT', body: readable, duplex: 'half', headers } as RequestInit)
    return { answer, isRead: writer.write(new Uint8Array(bytes - 1)), end: () => writer.close() }
  }
  const [first, second] = [unfinished(), unfinished()]
  await Promise.all([first.isRead, second.isRead])
  const refused = await call('PUT', path, new Uint8Array(bytes))
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'BUSY', '1'])
  await Promise.all([first.end(), second.end()])
  expect([(await first.answer).status, (await second.answer).status]).toEqual([422, 422])
  expect((await call('PUT', path, new Uint8Array(bytes))).status).toBe(422)
  await call('DELETE', '/v1/sessions/main')
})
