// The MCP server over HTTP: both protocol versions, a client of another implementation, tokens, and rejected requests.
import { request } from 'node:http'
import { serveHttp } from 'brumate/mcp'
import { expect, onTestFinished, test } from 'vitest'
import { McpHost } from '../../src/mcp/host.js'
import { HttpSessions } from '../../src/mcp/http-sessions.js'
import { resolveMcpOptions } from '../../src/mcp/options.js'
import { sharedManager } from '../support/shared-manager.js'
import { callerOf, otherClient, overHttp, structured, textOf } from './support/clients.js'

const TOKENS = { ada: 'a-token-of-ada-00001', bob: 'b-token-of-bob-00001' }

const HEADERS = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }

async function served(options: object = {}) {
  const server = await serveHttp({ manager: await sharedManager({ slots: 2 }), ...options })
  onTestFinished(() => server.close())
  return server
}

/** Sends arbitrary headers, including those that `fetch` forbids. */
function post(url: string, headers: Record<string, string>, body = '{}', more: object = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers: { ...HEADERS, ...headers }, ...more })
    sent.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

test('clients of both protocol versions, and of another implementation, share their tenant’s sessions and no others', async () => {
  const { url } = await served({ tokens: TOKENS })
  const legacy = callerOf(await overHttp(url, TOKENS.ada))
  const client = await overHttp(url, TOKENS.ada, 'modern')
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  const modern = callerOf(client)
  const headers = { authorization: `Bearer ${TOKENS.ada}` }
  const other = await otherClient({ type: 'http', url, headers })
  const bob = callerOf(await overHttp(url, TOKENS.bob, 'modern'))

  await legacy('run_python', { code: 'x = 1' })
  expect(structured(await modern('run_python', { code: 'x += 1; x' })).value).toBe(2)
  expect(structured(await other.call('run_python', { code: 'x += 1; x' })).value).toBe(3)
  expect(Object.keys(other.tools)).toHaveLength(9)
  const failed = await other.call('run_python', { code: '1/0' })
  expect(failed.isError).toBe(true)

  expect(structured(await bob('run_python', { code: '"x" in globals()' })).value).toBe(false)
  const named = await bob('run_python', { code: '1', session: 'of-bob' })
  expect(named.isError).toBeFalsy()
  expect(textOf(await legacy('list_sessions'))).toBe('sessions: default\nsnapshots: none')
})

test.each(['legacy', 'modern'] as const)(
  'a client of the %s version receives progress and can cancel running code',
  async (version) => {
    const { url } = await served({ tenant: `cancel-${version}` })
    const client = await overHttp(url, undefined, version)
    const controller = new AbortController()
    const running = client.callTool(
      { name: 'run_python', arguments: { code: 'x = 1\nprint("going")\nwhile True: pass', timeout: 600 } },
      { signal: controller.signal, onprogress: () => controller.abort() },
    )
    await expect(running).rejects.toThrow()
    expect(structured(await callerOf(client)('run_python', { code: 'x' })).value).toBe(1)
  },
)

test('another tenant cannot use a client’s session id of the 2025 protocol', async () => {
  const { url } = await served({ tokens: TOKENS })
  const client = await overHttp(url, TOKENS.ada)
  const { sessionId = '' } = client.transport ?? {}
  const headers = { 'mcp-session-id': sessionId }
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
  const authorization = (tenant: keyof typeof TOKENS) => `Bearer ${TOKENS[tenant]}`
  expect(await post(url, { ...headers, authorization: authorization('ada') }, ping)).toBe(200)
  expect(await post(url, { ...headers, authorization: authorization('bob') }, ping)).toBe(404)
  expect(
    await post(url, { ...headers, 'mcp-session-id': 'x', authorization: authorization('ada') }, ping),
  ).toBe(404)
})

test('a tenant at its connection limit evicts its own idle connections, never busy ones or another tenant’s', async () => {
  const host = await McpHost.open(resolveMcpOptions({ manager: await sharedManager({ slots: 2 }) }))
  const sessions = new HttpSessions({ host, maxBodyBytes: 1024, maxPerTenant: 2 })
  onTestFinished(async () => {
    await sessions.close()
    await host.close()
  })
  const send = async (tenant: string, body: object | undefined, id?: string) => {
    let end = () => {}
    const headers = {
      ...HEADERS,
      'mcp-protocol-version': '2025-06-18',
      ...(id === undefined ? {} : { 'mcp-session-id': id }),
    }
    const sent = body === undefined ? { method: 'GET' } : { method: 'POST', body: JSON.stringify(body) }
    const request = new Request('http://localhost/mcp', { ...sent, headers })
    const response = await sessions.respond(request, tenant, (ended) => {
      end = ended
    })
    return { response, end }
  }
  const open = async (tenant: string) => {
    const clientInfo = { name: 'test', version: '1' }
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
    const { response, end } = await send(tenant, { jsonrpc: '2.0', id: 1, method: 'initialize', params })
    await response.text()
    end()
    return response.headers.get('mcp-session-id') ?? `status ${response.status}`
  }
  const ping = async (tenant: string, id: string) => {
    const { response, end } = await send(tenant, { jsonrpc: '2.0', id: 2, method: 'ping' }, id)
    await response.text()
    end()
    return response.status
  }
  const bob = await open('bob')
  const first = await open('ada')
  // An event stream, which stays open.
  const { end: endFirst } = await send('ada', undefined, first)
  const second = await open('ada')
  const third = await open('ada')
  expect(await Promise.all([first, second, third].map((id) => ping('ada', id)))).toEqual([200, 404, 200])
  const { end: endThird } = await send('ada', undefined, third)
  expect(await open('ada')).toBe('status 503')
  expect(await ping('ada', first)).toBe(200)
  expect(await open('carl')).toMatch(/^[\w-]{36}$/)
  endThird()
  const fourth = await open('ada')
  expect(await Promise.all([first, third, fourth].map((id) => ping('ada', id)))).toEqual([200, 404, 200])
  endFirst()
  expect(await ping('bob', bob)).toBe(200)
})

test('rejects wrong tokens, hosts, origins, paths, methods and content types, and bodies that are too large', async () => {
  const guarded = await served({ tokens: TOKENS, allowedOrigins: ['app.example'] })
  expect(await post(guarded.url, {})).toBe(401)
  expect(await post(guarded.url, { authorization: 'Bearer wrong' })).toBe(401)
  const authorization = `Bearer ${TOKENS.ada}`
  expect(await post(guarded.url, { authorization })).toBe(400)
  expect(await post(guarded.url, { authorization, origin: 'https://app.example' })).toBe(400)
  const { url } = await served({ maxBodyBytes: 1024 })
  expect(await post(url, { host: 'evil.example' })).toBe(403)
  expect(await post(url, { origin: 'https://evil.example' })).toBe(403)
  expect(await post(url, { origin: 'null' })).toBe(403)
  expect(await post(url, { origin: 'http://localhost:3000' })).toBe(400)
  expect(await post(url.replace('/mcp', '/other'), {})).toBe(404)
  expect(await post(url, { 'content-type': 'text/plain' })).toBe(415)
  expect(await post(url, {}, `"${'x'.repeat(2000)}"`)).toBe(413)
  expect(await post(url, {}, '{')).toBe(400)
  expect(await post(url, {}, '{}', { method: 'PUT' })).toBe(405)
  expect(await post(url, {}, '{}', { path: 'http://[' })).toBe(400)
  expect(await post(url, {}, '{}', { path: 'http://u:p@localhost/mcp' })).toBe(400)
})

test('requires tokens when other machines can connect, and rejects short ones', async () => {
  await expect(served({ host: '0.0.0.0' })).rejects.toThrow(/other machines, so clients need tokens/)
  await expect(served({ tokens: { ada: 'short' } })).rejects.toThrow(
    /tokens\.ada: expected a token of at least 16 visible ASCII characters, got 5 characters/,
  )
  await expect(served({ tokens: {} })).rejects.toThrow(/tokens: expected/)
  await expect(served({ path: 'mcp' })).rejects.toThrow(/path: expected/)
  const { url } = await served({ host: '0.0.0.0', tokens: TOKENS })
  await expect(served({ port: Number(new URL(url).port), host: '0.0.0.0', tokens: TOKENS })).rejects.toThrow(
    /port: cannot listen on 0\.0\.0\.0.*EADDRINUSE/,
  )
  const reachable = url.replace('0.0.0.0', '127.0.0.1')
  expect(await post(reachable, { host: 'some.name', authorization: `Bearer ${TOKENS.ada}` })).toBe(400)
})

test('closing the server ends running code', async () => {
  const server = await served({ tenant: 'closing' })
  const client = await overHttp(server.url, undefined, 'modern')
  const started = new Promise<void>((resolve) => {
    const running = client.callTool(
      { name: 'run_python', arguments: { code: 'print("going")\nwhile True: pass' } },
      { onprogress: () => resolve() },
    )
    running.catch(() => {})
  })
  await started
  await server.close()
  await expect(post(server.url, {})).rejects.toThrow(/ECONNREFUSED/)
})
