// Behaviours D3: host calls from synchronous code, which block the slot's thread but not the main thread.
import { CancelledError, TimeoutError } from 'brumate'
import { expect, test } from 'vitest'
import { deferred, py, pythonErrorOf, rejectionOf, sleep } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

const parameters = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a'],
}

test('D3: synchronous code can call by name and by position, also from functions that libraries call', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: { add: { fn: ({ a, b = 0 }) => sleep(1).then(() => a + b), parameters } },
  })
  const { value, callbackInvocations } = await session.execute(py`
    import brumate, functools
    [brumate.call_sync('add', a=1, b=2), brumate.call_sync('add', 3, 4), brumate.call_sync('add', 5),
     functools.reduce(lambda x, y: brumate.call_sync('add', x, y), range(5)), sorted([3, 1, 2], key=lambda n: brumate.call_sync('add', -n))]
  `)
  expect([value, callbackInvocations]).toEqual([[3, 7, 5, 10, [3, 2, 1]], 10])
})

test('D3: a blocking call blocks neither the main thread nor other sessions', async () => {
  const manager = await sharedManager({ slots: 2 })
  await using session = await manager.createSession({ callbacks: { slow: () => sleep(150) } })
  await using other = await manager.createSession()
  const running = session.execute('import brumate; brumate.call_sync("slow")')
  let beside = 0
  while ((await Promise.race([running, other.execute('1')])).value !== null && beside < 1000) {
    beside += 1
    if (beside > 3) break
  }
  expect(beside).toBeGreaterThan(3)
  await running
})

test('D3, D4, D5: errors, argument checks and unknown names behave as with await', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: {
      add: { fn: ({ a, b }) => a + b, parameters },
      fail: () => {
        throw new RangeError('why')
      },
      give: () => () => 1,
    },
  })
  const { value } = await session.execute(py`
    import brumate
    seen = []
    for call in (lambda: brumate.call_sync('add', a='x'), lambda: brumate.call_sync('add'), lambda: brumate.call_sync('nope'),
                 lambda: brumate.call_sync(5), lambda: brumate.call_sync('add', 1, 2, 3), lambda: brumate.call_sync('give'),
                 lambda: brumate.call_sync('add', a=object())):
        try: call()
        except Exception as error: seen.append(type(error).__name__)
    try: brumate.call_sync('fail')
    except brumate.HostError as error: seen.append([error.name, error.message])
    seen
  `)
  expect(value).toEqual([
    ...['TypeError', 'TypeError', 'NameError', 'TypeError', 'TypeError', 'TypeError', 'TypeError'],
    ['RangeError', 'why'],
  ])
})

test('D3, B5: a call_sync longer than callbackTimeoutMs raises TimeoutError', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: { never: () => new Promise(() => {}) },
    limits: { callbackTimeoutMs: 60 },
  })
  const { value } = await session.execute(
    'import brumate\ntry: brumate.call_sync("never")\nexcept TimeoutError as error: seen = str(error)\nseen',
  )
  expect(value).toBe('never() took longer than 60 ms')
})

test('D3, B1: the execution’s deadline interrupts call_sync, and the session keeps its state', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({ callbacks: { never: () => new Promise(() => {}) } })
  const error = await rejectionOf(
    TimeoutError,
    session.execute('x = 1\nimport brumate\nbrumate.call_sync("never")', { timeoutMs: 100 }),
  )
  expect(error.outcome).toBe('interrupted')
  expect((await session.execute('x')).value).toBe(1)
})

test('D3, B4: interrupt() raises KeyboardInterrupt in call_sync', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: {
      never: (_, { session }) => {
        setTimeout(() => void session.interrupt(), 20)
        return new Promise(() => {})
      },
    },
  })
  const code =
    'import brumate\ntry: brumate.call_sync("never")\nexcept KeyboardInterrupt: seen = "interrupted"\nseen'
  expect((await session.execute(code)).value).toBe('interrupted')
  const uncaught = rejectionOf(CancelledError, session.execute('brumate.call_sync("never")')).catch(
    () => undefined,
  )
  const error = await pythonErrorOf(session.execute('1/0'))
  expect(error.type).toBe('ZeroDivisionError')
  await uncaught
})

test('D3: asyncio.run in synchronous code can await callbacks, several at the same time', async () => {
  const manager = await sharedManager({ slots: 1 })
  const everyone = deferred()
  let there = 0
  await using session = await manager.createSession({
    callbacks: {
      meet: ({ n }) => {
        if (++there === 5) everyone.resolve()
        return everyone.promise.then(() => n)
      },
      fail: () => Promise.reject(new TypeError('t')),
    },
  })
  const { value } = await session.execute(py`
    import asyncio
    async def main():
        got = await asyncio.gather(*[meet(n=n) for n in range(5)])
        try: await fail()
        except TypeError as error: got.append(str(error))
        return got
    asyncio.run(main())
  `)
  expect(value).toEqual([0, 1, 2, 3, 4, 't'])
})

test('D3: the deadline interrupts an asyncio.run that awaits a callback', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({ callbacks: { never: () => new Promise(() => {}) } })
  const error = await rejectionOf(
    TimeoutError,
    session.execute('import asyncio\nasync def main(): await never()\nasyncio.run(main())', {
      timeoutMs: 100,
    }),
  )
  expect(error.outcome).toBe('interrupted')
})

test('D3, D8: suspending a blocking call raises RuntimeError, and the session goes on', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: { approve: (_, { suspend }) => suspend('wait'), echo: ({ x }) => x },
  })
  const { status, value } = await session.execute(py`
    import asyncio, brumate
    seen = []
    async def main(): await approve()
    for call in (lambda: brumate.call_sync('approve'), lambda: asyncio.run(main())):
        try: call()
        except RuntimeError as error: seen.append(str(error))
    [seen, brumate.call_sync('echo', x=1)]
  `)
  const message = 'a call that blocks its thread cannot be suspended; await it instead'
  expect([status, value]).toEqual(['completed', [[message, message], 1]])
  expect(session.pending).toEqual([])
})

test('D3, D9: call_sync carries ten megabytes both ways, and iterates an async iterable without await', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: {
      echo: ({ x }) => x,
      stream: async function* () {
        yield* [1, 2, 3]
      },
    },
  })
  const { value } = await session.execute(py`
    import brumate
    big = bytes(range(256)) * 40_000
    [brumate.call_sync('echo', x=big) == big, list(brumate.call_sync('stream'))]
  `)
  expect(value).toEqual([true, [1, 2, 3]])
})

test('D3: a callback can queue calls of its session while its Python code blocks', async () => {
  const manager = await sharedManager({ slots: 1 })
  const queued: Promise<unknown>[] = []
  await using session = await manager.createSession({
    callbacks: {
      queue: (_, { session }) => {
        queued.push(session.execute('"queued"'))
        return session.executionCount
      },
    },
  })
  expect((await session.execute('import brumate; brumate.call_sync("queue")')).value).toBe(1)
  expect(await Promise.all(queued)).toMatchObject([{ value: 'queued' }])
})
