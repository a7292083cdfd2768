// Access to the server: authentication, quotas, allowed origins and hosts.
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import { InvalidOptionError } from 'brumate'
import { type ServeOptions, serve } from 'brumate/server'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Account } from '../../src/server/quotas.js'
import { sharedManager } from '../support/shared-manager.js'
import { appForTest, callerOf, KEYS } from './support/caller.js'

async function served(options: Partial<ServeOptions> = {}) {
  const server = await serve({ manager: await sharedManager({ slots: 4 }), ...options })
  onTestFinished(() => server.close())
  return server
}

/** Sends arbitrary headers, including those that `fetch` forbids. */
function status(url: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** Sends these raw lines as a request and returns the raw response. */
function exchange(url: string, ...lines: readonly string[]): Promise<string> {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write([lines[0], `Host: ${hostname}`, 'Connection: close', ...lines.slice(1), '', ''].join('\r\n'))
  return text(socket)
}

test('a request with no body, Content-Length or Content-Type is treated as having an empty body', async () => {
  const { url } = await served({ tenant: 'no body' })
  expect(await exchange(url, 'PUT /v1/sessions/main HTTP/1.1')).toMatch(/^HTTP\/1.1 201 /)
  expect(await exchange(url, 'POST /v1/sessions/main/reset HTTP/1.1')).toMatch(/^HTTP\/1.1 204 /)
  expect(await exchange(url, 'DELETE /v1/sessions/main HTTP/1.1')).toMatch(/^HTTP\/1.1 204 /)
})

test('without a valid key, only /health and /openapi.json are accessible', async () => {
  const { send } = await appForTest({ keys: [{ tenant: 'ada', key: KEYS.ada }] })
  for (const key of [undefined, 'a-key-of-ada-0000002', KEYS.bob]) {
    const { status, headers, body } = await callerOf(send, key)('GET', '/v1/sessions')
    expect([status, body.code, headers.get('www-authenticate')]).toEqual([401, 'UNAUTHORIZED', 'Bearer'])
    expect(headers.get('content-type')).toBe('application/problem+json')
  }
  expect((await callerOf(send)('GET', '/health')).body).toEqual({ status: 'ok' })
  expect((await callerOf(send)('GET', '/openapi.json')).body.security).toEqual([{ key: [] }])
})

test('a server reachable from other machines requires keys, and errors never reveal a key', async () => {
  const manager = await sharedManager({ slots: 4 })
  await expect(serve({ manager, host: '0.0.0.0' })).rejects.toThrow(/clients need keys/)
  const short = await serve({ manager, keys: { ada: 'too-short' } }).catch((error) => error)
  expect(short).toBeInstanceOf(InvalidOptionError)
  expect(short.message).not.toContain('too-short')
})

test('a key shared by two tenants is rejected, and so is a malformed CORS origin', async () => {
  const manager = await sharedManager({ slots: 4 })
  await expect(serve({ manager, keys: { ada: KEYS.ada, bob: KEYS.ada } })).rejects.toThrow(/ada and bob/)
  for (const origin of ['example.com', 'https://example.com/'])
    await expect(serve({ manager, cors: [origin] })).rejects.toThrow(/cors: expected origins/)
})

test('requests from other origins and host names are rejected, except those listed in cors', async () => {
  const { url } = await served({ cors: ['https://example.com'] })
  expect(await status(`${url}/health`, { host: 'evil.example' })).toBe(403)
  expect(await status(`${url}/v1/sessions`, { origin: 'https://evil.example' })).toBe(403)
  expect(await status(`${url}/v1/sessions`, { origin: 'https://example.com' })).toBe(200)
  const asked = { origin: 'https://example.com', 'access-control-request-method': 'PUT' }
  const preflight = await fetch(`${url}/v1/sessions/x`, { method: 'OPTIONS', headers: asked })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-origin')).toBe('https://example.com')
})

test('/metrics is open to this machine only, unless metricsKey is set: then it requires that key', async () => {
  const { url } = await served()
  await fetch(`${url}/v1/sessions/unknown`)
  const text = await (await fetch(`${url}/metrics`)).text()
  expect(text).toContain('brumate_http_requests_total{method="GET",route="/v1/sessions/{id}",status="404"} 1')
  expect(text).toMatch(/^brumate_execute_seconds_bucket\{le="\+Inf"\} \d+$/m)
  expect(await status(`${url}/metrics`, { 'x-forwarded-for': '1.2.3.4' })).toBe(403)
  const { send } = await appForTest({ metricsKey: 'a-key-of-metrics-1' })
  expect((await callerOf(send)('GET', '/metrics')).status).toBe(401)
  expect((await callerOf(send, 'a-key-of-metrics-1')('GET', '/metrics')).status).toBe(200)
})

test('concurrent requests cannot create more sessions than the quota allows', async () => {
  const { call, manager } = await appForTest({
    keys: [{ tenant: 'quota-all', key: KEYS.ada, quotas: { sessions: 2 } }],
  })
  const list = manager.list.bind(manager)
  // Yields to the event loop first, as a store outside this process would.
  const slow = vi.spyOn(manager, 'list').mockImplementation(async function* (filter) {
    await setImmediate()
    yield* list(filter)
  })
  onTestFinished(() => slow.mockRestore())
  const made = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => call('PUT', `/v1/sessions/${id}`)))
  expect(made.map(({ status }) => status).sort()).toEqual([201, 201, 429, 429, 429])
  await Promise.all([call('DELETE', '/v1/sessions/a'), call('DELETE', '/v1/sessions/b')])
})

test('exceeding any quota answers 429 with the name of the quota and does not affect other tenants', async () => {
  const { call, bob } = await appForTest({
    keys: [
      {
        tenant: 'quota-ada',
        key: KEYS.ada,
        quotas: { sessions: 1, storedBytes: 1, concurrentExecutions: 1 },
      },
      { tenant: 'quota-bob', key: KEYS.bob, quotas: { requestsPerSecond: 0.001, requestBurst: 2 } },
    ],
  })
  const quotaOf = ({ status, headers, body }: Awaited<ReturnType<typeof call>>) => [
    ...[status, body.code, body.quota],
    Number(headers.get('retry-after')) > 0,
  ]
  await call('PUT', '/v1/sessions/main')
  expect(quotaOf(await call('PUT', '/v1/sessions/more'))).toEqual([429, 'QUOTA', 'sessions', true])
  const slow = { code: 'import asyncio\nawait asyncio.sleep(1)' }
  const [one, two] = await Promise.all([
    call('POST', '/v1/sessions/main/execute', slow),
    call('POST', '/v1/sessions/main/execute', slow),
  ])
  expect([one, two].map(({ status }) => status).sort()).toEqual([200, 429])
  const refused = one.status === 429 ? one : two
  expect(quotaOf(refused)).toEqual([429, 'QUOTA', 'concurrentExecutions', true])
  expect((await bob('GET', '/v1/sessions')).status).toBe(200)
  expect((await bob('GET', '/v1/sessions')).status).toBe(200)
  expect(quotaOf(await bob('GET', '/v1/sessions'))).toEqual([429, 'QUOTA', 'requestsPerSecond', true])
  expect((await call('DELETE', '/v1/sessions/main')).status).toBe(204)
})

test('execution time counts against the quota for an hour, and Retry-After says when enough of it expires', () => {
  const account = new Account({ executionSecondsPerHour: 10 }, 0)
  account.used(4_000, 0)
  account.used(7_000, 30 * 60_000)
  const thrown = () => account.begin(31 * 60_000)
  expect(thrown).toThrow(/10 seconds within an hour/)
  try {
    thrown()
  } catch (error) {
    expect((error as { extra: object }).extra).toMatchObject({
      quota: 'executionSecondsPerHour',
      retryAfter: 29 * 60,
    })
  }
  account.begin(60 * 60_000)()
})

test('a server that closes lets a download in progress end', async () => {
  const server = await served({ tenant: 'closing', drainMs: 20_000 })
  const file = `${server.url}/v1/sessions/main/files?path=/tmp/f`
  await fetch(`${server.url}/v1/sessions/main`, { method: 'PUT' })
  await fetch(file, { method: 'PUT', body: new Uint8Array(32 * 2 ** 20) })
  const reader = (await fetch(file)).body?.getReader()
  let bytes = (await reader?.read())?.value?.length ?? 0
  // A client that reads no more for a while: the rest waits in the server.
  const closing = server.close()
  await Promise.race([closing, delay(1000)])
  for (;;) {
    const part = await reader?.read()
    if (part?.value === undefined) break
    bytes += part.value.length
  }
  expect(bytes).toBe(32 * 2 ** 20)
  await closing
})

test('a draining server finishes running requests, rejects new ones and stores its sessions', async () => {
  const { call, manager, drain, close } = await appForTest({ tenant: 'draining' })
  await call('PUT', '/v1/sessions/main')
  const running = call('POST', '/v1/sessions/main/execute', {
    code: 'import asyncio\nawait asyncio.sleep(0.2)\n7',
  })
  await expect.poll(() => manager.stats().slots.leased).toBeGreaterThan(0)
  const drained = drain()
  const refused = await call('GET', '/v1/sessions')
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
    503,
    'DRAINING',
    '1',
  ])
  expect((await call('GET', '/health')).status).toBe(503)
  await drained
  expect((await running).body.value).toBe(7)
  await close()
  const { call: other } = await appForTest({ tenant: 'draining' })
  expect((await other('GET', '/v1/sessions/main')).body).toMatchObject({
    executionCount: 1,
    state: 'dormant',
  })
  await other('DELETE', '/v1/sessions/main')
})
