// Sessions over HTTP: lifecycle, execution, and isolation between tenants.
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { appForTest, eventsOf, type Json, KEYS } from './support/caller.js'

const SSE = { accept: 'text/event-stream' }

test('a session is created only once, and can be listed, forked, reset and deleted', async () => {
  const { call } = await appForTest({ tenant: 'life' })
  expect((await call('PUT', '/v1/sessions/one', { labels: { kind: 'a' } })).status).toBe(201)
  expect((await call('PUT', '/v1/sessions/one')).status).toBe(200)
  const again = await call('POST', '/v1/sessions', { id: 'one' })
  expect([again.status, again.body.code]).toEqual([409, 'SESSION_EXISTS'])
  await call('POST', '/v1/sessions/one/execute', { code: 'x = 1' })
  const fork = await call('POST', '/v1/sessions/one/fork', { id: 'two' })
  expect(fork.body).toMatchObject({ id: 'two', labels: { kind: 'a' }, executionCount: 1 })
  await call('POST', '/v1/sessions/one/reset')
  expect((await call('GET', '/v1/sessions/one/variables/x')).status).toBe(404)
  expect((await call('GET', '/v1/sessions/two/variables/x')).body).toEqual({ value: 1 })
  const first = await call('GET', '/v1/sessions?label=kind%3Da&limit=1')
  expect(first.body.sessions.map(({ id }: { id: string }) => id)).toEqual(['one'])
  const next = await call('GET', `/v1/sessions?label=kind%3Da&limit=1&cursor=${first.body.cursor}`)
  expect(next.body.sessions.map(({ id }: { id: string }) => id)).toEqual(['two'])
  expect(next.body.cursor).toBeUndefined()
  expect((await call('DELETE', '/v1/sessions/one')).status).toBe(204)
  expect((await call('DELETE', '/v1/sessions/one')).status).toBe(404)
  await call('DELETE', '/v1/sessions/two')
})

test('concurrent requests create a session once and open it once', async () => {
  const { call } = await appForTest({ tenant: 'once' })
  const made = await Promise.all(Array.from({ length: 6 }, () => call('PUT', '/v1/sessions/one')))
  expect(made.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 201])
  await call('POST', '/v1/sessions/one/close')
  const code = 'n = globals().get("n", 0) + 1\nn'
  const ran = await Promise.all(
    Array.from({ length: 4 }, () => call('POST', '/v1/sessions/one/execute', { code })),
  )
  expect(ran.map(({ body }) => body.value).sort()).toEqual([1, 2, 3, 4])
  await call('DELETE', '/v1/sessions/one')
})

test('tenants cannot see each other’s sessions and can use the same ids', async () => {
  const { call, bob } = await appForTest({ keys: KEYS })
  await call('PUT', '/v1/sessions/main')
  await call('POST', '/v1/sessions/main/execute', { code: 'secret = 1' })
  const [absent, foreign] = [await bob('GET', '/v1/sessions/nothing'), await bob('GET', '/v1/sessions/main')]
  expect(foreign.status).toBe(404)
  expect(foreign.body).toEqual(absent.body)
  expect((await bob('GET', '/v1/sessions')).body).toEqual({ sessions: [] })
  expect((await bob('PUT', '/v1/sessions/main')).status).toBe(201)
  expect((await bob('GET', '/v1/sessions/main/variables/secret')).status).toBe(404)
  expect((await call('GET', '/v1/sessions/main/variables/secret')).body).toEqual({ value: 1 })
  await Promise.all([call('DELETE', '/v1/sessions/main'), bob('DELETE', '/v1/sessions/main')])
})

test('a schema nested too deeply is rejected', async () => {
  const { call } = await appForTest({ tenant: 'deep' })
  const body = `{"tools":[{"name":"f","parameters":{"default":${'['.repeat(9000)}${']'.repeat(9000)}}}]}`
  const { status } = await call('PUT', '/v1/sessions/main', body, { 'content-type': 'application/json' })
  expect(status).toBe(422)
})

test('failing code is a normal response: an exception comes with its frames, a timeout with its outcome', async () => {
  const { call } = await appForTest({ tenant: 'failing' })
  await call('PUT', '/v1/sessions/main')
  const raised = await call('POST', '/v1/sessions/main/execute', { code: 'print("so far")\n1/0' })
  expect(raised.status).toBe(200)
  expect(raised.body).toMatchObject({ status: 'error', stdout: 'so far\n' })
  expect(raised.body.error).toMatchObject({
    code: 'PYTHON',
    type: 'ZeroDivisionError',
    frames: [{ line: 2 }],
  })
  const late = await call('POST', '/v1/sessions/main/execute', { code: 'while True: pass', timeoutMs: 200 })
  expect(late.body.error).toMatchObject({ code: 'TIMEOUT', outcome: 'interrupted' })
  const tooLong = await call('POST', '/v1/sessions/main/execute', { code: '1', timeoutMs: 600_001 })
  expect([tooLong.status, tooLong.body.code]).toEqual([422, 'VALIDATION'])
  await call('DELETE', '/v1/sessions/main')
})

test('events arrive in order and end with the result; a suspended call can be resumed', async () => {
  const { call } = await appForTest({ tenant: 'events' })
  const tools = [{ name: 'ask', parameters: { type: 'object', properties: { q: { type: 'string' } } } }]
  await call('PUT', '/v1/sessions/main', { tools, input: true })
  const code = 'print("a")\ndisplay(2)\nr = await ask(q="?")\nr + 1'
  const { body } = await call('POST', '/v1/sessions/main/execute', { code }, SSE)
  const events = eventsOf(body)
  expect(events.map(({ event }) => event)).toEqual(['output', 'display', 'pending', 'result'])
  expect(events[2]?.data.pending).toMatchObject([{ name: 'ask', args: { q: '?' } }])
  expect(events[3]?.data.status).toBe('suspended')
  // No other execution can start meanwhile, but the session can be closed.
  const busy = await call('POST', '/v1/sessions/main/execute', { code: '1' })
  expect([busy.status, busy.body.code]).toEqual([409, 'SESSION_SUSPENDED'])
  await call('POST', '/v1/sessions/main/close')
  const { pending } = (await call('GET', '/v1/sessions/main/pending')).body
  const raised = { errors: { [pending[0].id]: { type: 'ValueError', message: 'no' } } }
  const failed = await call('POST', '/v1/sessions/main/resume', raised)
  expect(failed.body.error).toMatchObject({ type: 'ValueError', detail: 'no' })
  const asked = await call('POST', '/v1/sessions/main/execute', { code: 'input("name? ")' })
  expect(asked.body.pending).toMatchObject([{ name: 'input' }])
  const results = { [asked.body.pending[0].id]: 'Ada' }
  expect((await call('POST', '/v1/sessions/main/resume', { results })).body.value).toBe('Ada')
  expect((await call('GET', '/v1/sessions/main/tools')).body.stubs).toContain('ask(q: str')
  await call('DELETE', '/v1/sessions/main')
})

test('a client that disconnects interrupts its execution, unless the execution is detached', async () => {
  const { call, send } = await appForTest({ tenant: 'leaving' })
  await call('PUT', '/v1/sessions/main')
  const begun = async (code: string, detached: boolean) => {
    const body = JSON.stringify({ code, detached })
    const headers = { 'content-type': 'application/json', ...SSE }
    const response = await send('/v1/sessions/main/execute', { method: 'POST', headers, body })
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
  }
  await begun('print("begun")\ntry:\n  while True: pass\nexcept KeyboardInterrupt:\n  left = True', false)
  expect((await call('GET', '/v1/sessions/main/variables/left')).body).toEqual({ value: true })
  await begun('print("begun")\nimport asyncio\nawait asyncio.sleep(0.05)\ndone = True', true)
  expect((await call('GET', '/v1/sessions/main/variables/done')).body).toEqual({ value: true })
  await call('DELETE', '/v1/sessions/main')
})

test('a repeated call answers as the first one did; its key with other code is a 422, and nothing runs', async () => {
  const manager = await managerForTest({ slots: 1, durability: 'checkpoint' })
  const { call } = await appForTest({ manager })
  await call('PUT', '/v1/sessions/main')
  const run = (body: object) =>
    call('POST', '/v1/sessions/main/execute', body, { 'idempotency-key': 'request-1' })
  const code = 'n = globals().get("n", 0) + 1\nn'
  const first = await run({ code })
  expect((await run({ code, timeoutMs: 1000 })).body).toEqual(first.body)
  const other = await run({ code: 'n = 7' })
  expect([other.status, other.body]).toMatchObject([
    422,
    {
      code: 'INVALID_OPTION',
      option: 'idempotencyKey',
      detail: expect.stringMatching(/"request-1".*nothing ran/),
    },
  ])
  expect((await call('GET', '/v1/sessions/main/variables/n')).body).toEqual({ value: 1 })
})

test('values survive a round trip in the exact form', async () => {
  const { call } = await appForTest({ tenant: 'exact' })
  await call('PUT', '/v1/sessions/main')
  const value = { $object: [['$a', { $bigint: 'fffffffffffffffffffff' }]] }
  expect((await call('PUT', '/v1/sessions/main/variables/x', { value, values: 'exact' })).status).toBe(204)
  const code = 'x, {1}, b"\\x00", float("nan")'
  const { body } = await call('POST', '/v1/sessions/main/execute', { code, values: 'exact' })
  expect(body.value).toEqual([value, { $set: [1] }, { $bytes: 'AA==' }, { $number: 'NaN' }])
  expect((await call('GET', '/v1/sessions/main/variables/x')).body.value).toEqual({
    $a: (16n ** 21n - 1n).toString(),
  })
  const wrong = await call('PUT', '/v1/sessions/main/variables/x', { value: { $nope: 1 }, values: 'exact' })
  expect(wrong.status).toBe(400)
  await call('DELETE', '/v1/sessions/main')
})

test('a released session keeps its tools and limits and reopens on the next request', async () => {
  const { call, manager } = await appForTest({ tenant: 'again', releaseAfterMs: 0 })
  const parameters = { type: 'object', properties: { text: { type: 'string' } } }
  const tools = Array.from({ length: 4 }, (_, i) => ({
    ...{ name: `tool_${i}`, parameters },
    // Random, so it does not compress and has to be split over several labels.
    description: randomBytes(200).toString('base64'),
  }))
  await call('PUT', '/v1/sessions/main', { tools, limits: { outputBytes: 10 } })
  await call('POST', '/v1/sessions/main/execute', { code: 'x = 1' })
  await expect.poll(() => manager.stats().attached).toBe(0)
  const { body } = await call('GET', '/v1/sessions/main/tools?format=openai')
  expect(body.tools.map((tool: Json) => tool.function.description)).toEqual(
    tools.map(({ description }) => description),
  )
  const tooMuch = await call('POST', '/v1/sessions/main/execute', { code: 'print("x" * 100)' })
  expect(tooMuch.body.error).toMatchObject({ code: 'LIMIT', limit: 'outputBytes' })
  const more = await call('POST', '/v1/sessions', { limits: { memoryBytes: 2 ** 32 } })
  expect([more.status, more.body.detail]).toEqual([
    422,
    'limits.memoryBytes: the server allows 268435456 at most',
  ])
  await call('DELETE', '/v1/sessions/main')
})

test('a call repeated with the same idempotency key runs once', async () => {
  const manager = await managerForTest({ slots: 1, durability: 'checkpoint' })
  const { call } = await appForTest({ manager })
  await call('PUT', '/v1/sessions/main')
  const code = 'n = globals().get("n", 0) + 1\nn'
  const key = { 'idempotency-key': 'first' }
  const one = await call('POST', '/v1/sessions/main/execute', { code }, key)
  const two = await call('POST', '/v1/sessions/main/execute', { code }, key)
  expect([one.body.value, two.body.value]).toEqual([1, 1])
  expect((await call('GET', '/v1/sessions/main/variables/n')).body).toEqual({ value: 1 })
})
