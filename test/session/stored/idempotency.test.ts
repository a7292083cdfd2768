// D2: a call with an idempotency key runs once; a repeated call settles in the same way, in any process.
import {
  type CallbackContext,
  CancelledError,
  InvalidOptionError,
  LimitError,
  MemoryStore,
  NotStoredError,
  PythonError,
  type Session,
  SessionClosedError,
  type SessionManager,
  SessionMovedError,
  Snapshot,
  type StoreEntry,
  StoreError,
  TimeoutError,
} from 'brumate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openManager } from '../../support/manager.js'
import { ScriptedStore } from '../../support/scripted-store.js'
import { rejectionOf, start } from '../../support/session-code.js'

const store = new ScriptedStore()
let a: SessionManager
let b: SessionManager

beforeAll(async () => {
  const options = { store, slots: 1, durability: 'checkpoint' as const }
  ;[a, b] = await Promise.all([openManager(options), openManager(options)])
})
afterAll(() => Promise.all([a.close(), b.close()]))

/** Opens the session like another process that takes over after this one was killed. */
function taken(id: string): Promise<Session> {
  return b.getOrCreate(id, { takeOver: true })
}

test('a repeated call returns the first result, here and in another process', async () => {
  const session = await a.createSession({ id: 'twice' })
  const key = { idempotencyKey: 'k1' }
  const code = `
n = globals().get('n', 0) + 1
print('out', n)
{'n': n, 'big': 2**70, 'raw': b'x', 'when': __import__('datetime').datetime(2026, 1, 2, tzinfo=__import__('datetime').UTC),
 'odd': {1: {2, 3}}, 'nan': float('nan'), '$tag': -0.0, 'array': __import__('array').array('i', [1, 2])}`
  const first = await session.execute(code, key)
  expect(await session.execute(code, key)).toEqual(first)
  const other = await taken('twice')
  expect(await other.execute(code, key)).toEqual(first)
  expect([await other.get('n'), other.executionCount]).toEqual([1, 1])
  expect((await other.execute('n += 1; n', { idempotencyKey: 'k2' })).value).toBe(2)
  expect((await other.execute(code, key)).stdout).toBe('out 1\n')
})

test('errors are repeated too, and the state that they left stays', async () => {
  const session = await a.createSession({ id: 'errors', limits: { outputBytes: 1000 } })
  await session.execute('n = 0')
  const [raise, loop, print] = [
    'print("out")\nn += 1\nraise ValueError("x")',
    'n += 1\nwhile True: pass',
    'n += 1\nprint("x" * 2000)',
  ]
  const raised = await rejectionOf(PythonError, session.execute(raise, { idempotencyKey: 'raised' }))
  const late = await rejectionOf(
    TimeoutError,
    session.execute(loop, { idempotencyKey: 'late', timeoutMs: 100 }),
  )
  const limited = await rejectionOf(LimitError, session.execute(print, { idempotencyKey: 'limited' }))
  const n = await session.get('n')
  const other = await taken('errors')
  for (const [type, error, code, idempotencyKey] of [
    [PythonError, raised, raise, 'raised'],
    [TimeoutError, late, loop, 'late'],
    [LimitError, limited, print, 'limited'],
  ] as const) {
    const again = await rejectionOf<Error>(type, other.execute(code, { idempotencyKey }))
    expect({ ...again, message: again.message }).toEqual({ ...error, message: error.message })
  }
  expect(await other.get('n')).toBe(n)
})

test('the outcome of a call that did not run is not kept, so repeating it runs it', async () => {
  const session = await a.createSession({ id: 'not-run', callbacks: { ask: (_, { suspend }) => suspend() } })
  const signal = AbortSignal.abort()
  await rejectionOf(CancelledError, session.execute('x = 1', { idempotencyKey: 'k', signal }))
  expect((await session.execute('x = 2; x', { idempotencyKey: 'k' })).value).toBe(2)
})

test('repeated calls of a suspended execution return what is pending, and answers count once', async () => {
  const callbacks = { ask: (_: unknown, { suspend }: { suspend: () => never }) => suspend() }
  const session = await a.createSession({ id: 'suspended', callbacks })
  const code = 'n = await ask(q=1); n'
  const first = await session.execute(code, { idempotencyKey: 's0' })
  const other = await b.getOrCreate('suspended', { takeOver: true, callbacks })
  expect(await other.execute(code, { idempotencyKey: 's0' })).toEqual(first)
  const results = { [first.pending[0]?.id ?? '']: 42 }
  const resumed = await other.resume({ results, idempotencyKey: 's1' })
  expect([resumed.status, resumed.value]).toEqual(['completed', 42])
  expect(await other.resume({ results, idempotencyKey: 's1' })).toEqual(resumed)
  expect((await other.execute(code, { idempotencyKey: 's0' })).pending).toEqual([])
})

test('a key is rejected for other code or other answers, in another process, too, and nothing runs', async () => {
  const callbacks = { ask: (_: unknown, { suspend }: CallbackContext) => suspend() }
  const options = { id: 'reused', callbacks }
  const session = await a.createSession(options)
  const code = 'n = await ask(); n'
  const { pending } = await session.execute(code, { idempotencyKey: 'run' })
  const id = pending[0]?.id ?? ''
  const answer = { results: { [id]: { allow: [true, 1n] } }, idempotencyKey: 'answer' }
  const resumed = await session.resume(answer)
  const other = await b.getOrCreate('reused', { takeOver: true, callbacks })
  const error = await rejectionOf(InvalidOptionError, other.execute('n = 7', { idempotencyKey: 'run' }))
  expect([error.option, error.message]).toEqual([
    'idempotencyKey',
    'idempotencyKey: "run" belongs to an earlier call of this session with other code or other answers; nothing ran. ' +
      'Give each call a key of its own, and repeat a call unchanged',
  ])
  for (const changed of [
    { results: { [id]: { allow: [false, 1n] } } },
    { results: { [`${id}0`]: { allow: [true, 1n] } } },
    { errors: { [id]: new Error('no') } },
  ])
    await rejectionOf(InvalidOptionError, other.resume({ ...changed, idempotencyKey: 'answer' }))
  await rejectionOf(InvalidOptionError, other.execute(code, { idempotencyKey: 'answer' }))
  // How long a caller waits, and what it listens to, do not make it another call.
  const listener = { onOutput: () => {}, timeoutMs: 1234 }
  expect(await other.resume({ ...answer, ...listener })).toEqual(resumed)
  expect(await other.get('n')).toEqual({ allow: [true, 1] })
})

test('an answer that is a buffer counts with its bytes', async () => {
  const callbacks = { ask: (_: unknown, { suspend }: CallbackContext) => suspend() }
  const session = await a.createSession({ id: 'buffers', callbacks })
  const { pending } = await session.execute('await ask()', { idempotencyKey: 'run' })
  const answer = (byte: number) => ({
    results: { [pending[0]?.id ?? '']: new Uint8Array([byte]).buffer },
    idempotencyKey: 'answer',
  })
  const resumed = await session.resume(answer(1))
  expect(resumed.value).toEqual(new Uint8Array([1]))
  expect(await session.resume(answer(1))).toEqual(resumed)
  await rejectionOf(InvalidOptionError, session.resume(answer(2)))
})

test('a key is also rejected for other code after the state was replaced', async () => {
  const callbacks = { ask: (_: unknown, { suspend }: CallbackContext) => suspend() }
  const session = await a.createSession({ id: 'replaced', callbacks })
  await session.execute('await ask()', { idempotencyKey: 'k' })
  await session.reset()
  await rejectionOf(InvalidOptionError, session.execute('1', { idempotencyKey: 'k' }))
})

test('an outcome of a version that did not store requests is returned for any code', async () => {
  const callbacks = { ask: (_: unknown, { suspend }: CallbackContext) => suspend() }
  const session = await a.createSession({ id: 'earlier', callbacks })
  const first = await session.execute('await ask()', { idempotencyKey: 'k' })
  await session.close()
  const { generation, tenant, imageId, labels, executionCount, outcomes } = (await store.get(
    'earlier',
  )) as StoreEntry
  const line: unknown[] = JSON.parse(outcomes ?? '')
  expect(line).toHaveLength(4)
  const record = { tenant, imageId, labels, executionCount, outcomes: JSON.stringify(line.slice(0, 2)) }
  await store.put('earlier', null, record, { generation })
  const opened = await b.openSession('earlier', { callbacks })
  expect(await opened.execute('n = 2', { idempotencyKey: 'k' })).toEqual(first)
  await opened.reset()
  expect((await opened.execute('n = 2', { idempotencyKey: 'k' })).status).toBe('suspended')
})

test('an outcome is stored together with the state it left, or not at all', async () => {
  const session = await a.createSession({ id: 'together' })
  await session.execute('n = 0')
  store.script('put', 'fail')
  const error = await rejectionOf(NotStoredError, session.execute('n += 1; n', { idempotencyKey: 'k' }))
  expect(error.result).toMatchObject({ value: 1 })
  // The store has neither, so a manager that takes over runs the code again.
  const other = await taken('together')
  expect((await other.execute('n += 1; n', { idempotencyKey: 'k' })).value).toBe(1)
  await rejectionOf(SessionMovedError, session.execute('n += 1; n', { idempotencyKey: 'k' }))
  // The handle that continues stores both before it repeats the outcome.
  store.script('put', 'fail')
  await rejectionOf(NotStoredError, other.execute('n += 1; n', { idempotencyKey: 'k2' }))
  expect((await other.execute('n += 1; n', { idempotencyKey: 'k2' })).value).toBe(2)
  const back = await a.getOrCreate('together', { takeOver: true })
  expect([(await back.execute('n += 1; n', { idempotencyKey: 'k2' })).value, await back.get('n')]).toEqual([
    2, 2,
  ])
})

test('a call interrupted by `close` leaves no effects, and can be repeated', async () => {
  const session = await a.createSession({ id: 'closed' })
  await session.execute('n = 0')
  const code = 'n += 1; time.sleep(60)'
  const running = await start(session, code, { idempotencyKey: 'k' })
  const interrupted = rejectionOf(SessionClosedError, running.result)
  await session.close()
  await interrupted
  const again = await b.openSession('closed')
  expect((await again.execute('n += 1; n', { idempotencyKey: 'k' })).value).toBe(1)
})

test('the last 16 outcomes are kept, large ones without values and with shortened text', async () => {
  const session = await a.createSession({ id: 'bounded' })
  await session.execute('n = -1')
  for (let i = 0; i < 17; i += 1) await session.execute('n += 1; n', { idempotencyKey: `k${i}` })
  expect((await session.execute('n += 1; n', { idempotencyKey: 'k1' })).value).toBe(1)
  expect((await session.execute('"again"', { idempotencyKey: 'k0' })).value).toBe('again')
  const code = 'print("x" * 100_000, end="end"); list(range(100_000))'
  const whole = await session.execute(code, { idempotencyKey: 'large' })
  expect([whole.stdout.length, whole.exact]).toEqual([100_003, true])
  const cut = await session.execute(code, { idempotencyKey: 'large' })
  expect([cut.value, cut.exact, cut.stdout.length, cut.stdout.endsWith('end')]).toEqual([
    undefined,
    false,
    8193,
    true,
  ])
  expect(cut.lost).toEqual(['result: too large to be kept whole: values, displays and files are left out'])
})

test.each([
  ['StoreError', () => new StoreError('of another store')],
  ['SessionClosedError', () => new SessionClosedError('another session')],
])(
  'a listener that throws a %s does not make the code run again and does not lose its state',
  async (name, make) => {
    const session = await a.createSession({ id: name })
    await session.execute('n = 0')
    const onOutput = () => {
      throw make()
    }
    const run = () => session.execute('n += 1; print("out")', { idempotencyKey: 'k', onOutput })
    for (let i = 0; i < 2; i++)
      expect(await rejectionOf(Error, run())).toMatchObject({ message: make().message })
    await session.execute('n += 10')
    await session.close()
    expect(await (await b.openSession(name)).get('n')).toBe(11)
  },
)

test('very long names chosen by Python code do not make an outcome too large to keep', async () => {
  const session = await a.createSession({ id: 'names' })
  const code = `
f = lambda: 1 / 0
f.__code__ = f.__code__.replace(co_name='B' * 1_200_000)
try: f()
except ZeroDivisionError as error: cause = error
raise type('A' * 1_200_000, (Exception,), {})('x') from cause`
  const error = await rejectionOf(PythonError, session.execute(code, { idempotencyKey: 'k' }))
  expect(error.type).toHaveLength(1_200_000)
  const again = await rejectionOf(PythonError, session.execute(code, { idempotencyKey: 'k' }))
  expect(again.type).toBe(`${'A'.repeat(256)}…`)
  expect((await session.execute('2', { idempotencyKey: 'other' })).value).toBe(2)
})

test('after a reset, a repeated suspended execution has no pending calls', async () => {
  const callbacks = { ask: (_: unknown, { suspend }: CallbackContext) => suspend() }
  const session = await a.createSession({ id: 'reset', callbacks })
  const run = () => session.execute('await ask()', { idempotencyKey: 'k' })
  expect((await run()).pending).toHaveLength(1)
  await session.reset()
  await session.execute('await ask()')
  expect(await run()).toMatchObject({ status: 'suspended', pending: [] })
})

test('outcomes appear neither in session lists nor in snapshots', async () => {
  const session = await a.createSession({ id: 'listed' })
  await session.execute('1', { idempotencyKey: 'k' })
  for await (const entry of a.list({ prefix: 'listed' })) expect(Object.keys(entry)).not.toContain('outcomes')
  const fork = await a.createSession({ id: 'fork', from: await session.snapshotState() })
  expect((await fork.execute('2', { idempotencyKey: 'k' })).value).toBe(2)
  expect(await session.snapshotState()).toBeInstanceOf(Snapshot)
})

test('a damaged outcome record causes an error, and nothing runs', async () => {
  const session = await a.createSession({ id: 'damaged' })
  await session.execute('n = 1', { idempotencyKey: 'k' })
  await session.close()
  for (const outcomes of ['no JSON', '["k"]', '["k",{"result":1}]', '7', `["k",${'['.repeat(2 ** 20)}`]) {
    const { generation, tenant, imageId, labels, executionCount } = (await store.get('damaged')) as StoreEntry
    await store.put('damaged', null, { tenant, imageId, labels, executionCount, outcomes }, { generation })
    const opened = await b.openSession('damaged')
    const error = await rejectionOf(StoreError, opened.execute('n = 2', { idempotencyKey: 'k' }))
    expect([error.reason, await opened.get('n')]).toEqual(['damaged', 1])
    await opened.close()
  }
  const opened = await b.openSession('damaged')
  await opened.reset()
  expect((await opened.execute('"n" in globals()')).value).toBe(false)
})

test('a key is rejected if it is invalid or cannot be honored', async () => {
  const plain = await a.createSession()
  const needs = { idempotencyKey: 'k' }
  expect((await rejectionOf(InvalidOptionError, plain.execute('1', needs))).message).toMatch(/with an id/)
  const lax = await openManager({ store: new MemoryStore(), slots: 1 })
  const session = await lax.createSession({ id: 'lax' })
  expect((await rejectionOf(InvalidOptionError, session.execute('1', needs))).message).toMatch(/durability/)
  for (const idempotencyKey of ['', 'x'.repeat(257), 7 as never])
    expect((await rejectionOf(InvalidOptionError, session.execute('1', { idempotencyKey }))).option).toBe(
      'idempotencyKey',
    )
  await lax.close()
})
