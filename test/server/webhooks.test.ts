// Tools that a webhook answers: signatures, retries, and no access to private networks.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { isPublicAddress } from '../../src/server/webhooks/addresses.js'
import { post } from '../../src/server/webhooks/post.js'
import { appForTest } from './support/caller.js'

const SECRET = `whsec_${Buffer.from('x'.repeat(32)).toString('base64')}`
const PARAMETERS = { type: 'object', properties: { a: { type: 'integer' } } }

interface Received {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Starts a server that answers its n-th request with `answer(n)`. */
async function webhook(answer: (n: number) => readonly [status: number, body: string]) {
  const received: Received[] = []
  const server = createServer(async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    let body = ''
    for await (const part of incoming) body += part
    received.push({ headers: incoming.headers, body })
    const [status, text] = answer(received.length)
    outgoing.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received }
}

function isSigned(secret: string, { headers, body }: Received): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(content).digest('base64')}`
}

test('a webhook call of an operator’s tool is signed and retried under the same id, and its value reaches Python', async () => {
  const { url, received } = await webhook((n) =>
    n < 3 ? [503, ''] : [200, '{"value":{"$bigint":"ffffffffffffffffffff"}}'],
  )
  const { call } = await appForTest({
    tenant: 'hooked',
    tools: { double: { parameters: PARAMETERS } },
    webhooks: { secret: SECRET, url, allowPrivateAddresses: true },
  })
  await call('PUT', '/v1/sessions/main')
  const { body } = await call('POST', '/v1/sessions/main/execute', { code: 'await double(a=2)' })
  expect(body.repr).toBe((16n ** 20n - 1n).toString())
  expect(received.map((one) => isSigned(SECRET, one))).toEqual([true, true, true])
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  const { type, data } = JSON.parse(received[0]?.body ?? '')
  expect([type, data]).toEqual([
    'tool.call',
    { tenant: 'hooked', session: 'main', name: 'double', args: { a: 2 } },
  ])
  await call('DELETE', '/v1/sessions/main')
})

test('errors, redirects and invalid replies of a webhook raise in Python, and a suspension reaches the client', async () => {
  const answers = [
    [200, '{"error":{"type":"KeyError","message":"no such"}}'],
    [302, ''],
    [200, '{"suspend":true,"reason":"later"}'],
    [200, 'no JSON'],
  ] as const
  const { url } = await webhook((n) => answers[n - 1] ?? [500, ''])
  const webhooks = { secret: SECRET, allowPrivateAddresses: true }
  const { call } = await appForTest({ tenant: 'answers', tools: { ask: { webhook: url } }, webhooks })
  await call('PUT', '/v1/sessions/main')
  const ask = async () => (await call('POST', '/v1/sessions/main/execute', { code: 'await ask()' })).body
  expect((await ask()).error).toMatchObject({ type: 'KeyError' })
  expect((await ask()).error).toMatchObject({ type: 'HostError', detail: 'ask: the webhook answered 302' })
  const { pending } = await ask()
  expect(pending).toMatchObject([{ name: 'ask', reason: 'later' }])
  await call('POST', '/v1/sessions/main/resume', { results: { [pending[0].id]: 1 } })
  expect((await ask()).error.detail).toBe('ask: the webhook did not answer with JSON')
  await call('DELETE', '/v1/sessions/main')
})

test('a 101 Switching Protocols response from a webhook settles the request', async () => {
  const server = createServer()
  server.on('request', ({ socket }) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { signal } = new AbortController()
  const limits = { timeoutMs: 5000, maxAnswerBytes: 1024, allowPrivateAddresses: true, signal }
  const outcome = await post(`http://127.0.0.1:${port}/`, {}, '{}', limits)
  expect(outcome).toMatchObject({ kind: 'answer', status: 101 })
})

test('a session’s own webhook is signed with its tenant’s secret and must be allowed by the operator', async () => {
  const { url, received } = await webhook(() => [200, '{"value":1}'])
  const tools = [{ name: 'mine', webhook: url }]
  const refusing = await appForTest({ tenant: 'own' })
  expect((await refusing.call('POST', '/v1/sessions', { tools })).body.detail).toMatch(
    /allows no webhook for mine/,
  )
  const webhooks = { secret: SECRET, allowTenantUrls: true, allowPrivateAddresses: true }
  const { call } = await appForTest({ tenant: 'own', webhooks })
  await call('PUT', '/v1/sessions/main', { tools })
  expect((await call('POST', '/v1/sessions/main/execute', { code: 'await mine()' })).body.value).toBe(1)
  const { secret } = (await call('GET', '/v1/webhook-secret')).body
  expect(received.map((one) => [isSigned(secret, one), isSigned(SECRET, one)])).toEqual([[true, false]])
  await call('DELETE', '/v1/sessions/main')
})

test('a webhook is never called at an address of this machine or of a private network', async () => {
  const { url, received } = await webhook(() => [200, '{"value":1}'])
  const port = new URL(url).port
  const webhooks = { secret: SECRET, allowTenantUrls: true }
  const { call } = await appForTest({ tenant: 'private', webhooks })
  const hosts = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433']
  const tools = hosts.map((host, i) => ({ name: `t${i}`, webhook: `http://${host}:${port}/` }))
  await call('PUT', '/v1/sessions/main', { tools })
  for (const i of hosts.keys()) {
    const { body } = await call('POST', '/v1/sessions/main/execute', { code: `await t${i}()` })
    expect(body.error.detail).toMatch(/an address of this machine or a private network/)
  }
  expect(received).toEqual([])
  await call('DELETE', '/v1/sessions/main')
})

test.each([
  ...['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700:4700::1111'].map((address) => [address, true] as const),
  ...[
    '10.1.2.3',
    '172.16.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
  ].map((address) => [address, false] as const),
  ...[
    '::1',
    '::',
    'fe80::1%eth0',
    'fd00::1',
    '::ffff:8.8.8.8',
    '64:ff9b::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'x',
  ].map((address) => [address, false] as const),
])('%s is public: %s', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic)
})
