// Behaviours D2, B5, B6: concurrent host calls, their timeout, and their maximum number.
import { expect, test } from 'vitest'
import { deferred, py, pythonErrorOf, sleep, until } from '../support/session-code.js'
import { countersSince, sharedManager } from '../support/shared-manager.js'

const GATHER = 'import asyncio\n'

test('D2: a gather starts all of its callbacks before any has settled', async () => {
  const manager = await sharedManager({ slots: 1 })
  let called = 0
  const all = deferred()
  const slow = () => {
    called += 1
    if (called === 3) all.resolve()
    return all.promise
  }
  await using session = await manager.createSession({ callbacks: { slow } })
  await session.execute(`${GATHER}await asyncio.gather(slow(), slow(), slow())`)
  expect(called).toBe(3)
})

test('D2: calls complete in the order in which the host answers', async () => {
  const manager = await sharedManager({ slots: 1 })
  const waiting = new Map<number, (value: string) => void>()
  await using session = await manager.createSession({
    callbacks: { wait: ({ n }) => new Promise((resolve) => waiting.set(n, resolve)) },
  })
  const running = session.execute(py`
    import asyncio
    order = []
    async def one(n): order.append([n, await wait(n=n)])
    await asyncio.gather(*[one(n) for n in range(5)])
    order
  `)
  await until(() => waiting.size === 5)
  const order = [3, 0, 4, 1, 2]
  for (const n of order) {
    waiting.get(n)?.(`answer ${n}`)
    await sleep(2)
  }
  expect((await running).value).toEqual(order.map((n) => [n, `answer ${n}`]))
})

test('D2: a thousand concurrent calls run on the host at the same time', async () => {
  const manager = await sharedManager({ slots: 1 })
  let now = 0
  const all = deferred()
  await using session = await manager.createSession({
    callbacks: {
      slow: async ({ n }) => {
        // No call is answered before the last one has started.
        if (++now === 1000) all.resolve()
        await all.promise
        return n
      },
    },
  })
  const { value, callbackInvocations } = await session.execute(
    `${GATHER}sum(await asyncio.gather(*[slow(n=n) for n in range(1000)]))`,
  )
  expect([value, callbackInvocations, now]).toEqual([499_500, 1000, 1000])
})

test('D2: a cancelled task stops waiting, and its late answer is dropped', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: { slow: () => sleep(60), echo: ({ x }) => x },
  })
  const { value } = await session.execute(py`
    import asyncio
    task = asyncio.create_task(slow())
    await asyncio.sleep(0.005)
    task.cancel()
    try: await task
    except asyncio.CancelledError: seen = 'cancelled'
    try: await asyncio.wait_for(slow(), 0.005)
    except TimeoutError: seen += ', timed out'
    await asyncio.sleep(0.1)
    [seen, await echo(x=1)]
  `)
  expect(value).toEqual(['cancelled, timed out', 1])
})

test('B5: a callback that never settles raises TimeoutError in Python, and the session goes on', async () => {
  const manager = await sharedManager({ slots: 1 })
  const signals: AbortSignal[] = []
  await using session = await manager.createSession({
    callbacks: {
      never: (_, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
      echo: ({ x }) => x,
    },
    limits: { callbackTimeoutMs: 80 },
  })
  const startedMs = performance.now()
  const { value } = await session.execute(py`
    try: await never()
    except TimeoutError as error: seen = str(error)
    [seen, await echo(x=1)]
  `)
  expect(value).toEqual(['never() took longer than 80 ms', 1])
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(75)
  expect(signals.map(({ aborted, reason }) => [aborted, reason.name])).toEqual([[true, 'TimeoutError']])
  const error = await pythonErrorOf(session.execute('await never()'))
  expect(error.type).toBe('TimeoutError')
})

test('B5: answers after the timeout are dropped and counted', async () => {
  const manager = await sharedManager({ slots: 1 })
  const counted = countersSince(manager)
  let suspended: unknown
  await using session = await manager.createSession({
    callbacks: {
      late: async ({ how }, { suspend }) => {
        await sleep(60)
        if (how === 'throws') throw new Error('too late')
        if (how === 'suspends') suspend('too late')
        return 'too late'
      },
    },
    limits: { callbackTimeoutMs: 20 },
  })
  const { status, value } = await session.execute(py`
    import asyncio
    async def one(how):
        try: return await late(how=how)
        except TimeoutError: return 'cut'
    seen = await asyncio.gather(one('returns'), one('throws'), one('suspends'))
    await asyncio.sleep(0.15)
    seen
  `)
  expect([status, value, suspended]).toEqual(['completed', ['cut', 'cut', 'cut'], undefined])
  expect(counted().lateAnswers).toBe(3)
  expect(session.pending).toEqual([])
})

test('B5: time spent waiting for host calls counts towards the execution’s time limit', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({ callbacks: { never: () => new Promise(() => {}) } })
  const failed = session.execute('await never()', { timeoutMs: 100 })
  await expect(failed).rejects.toMatchObject({ name: 'TimeoutError', outcome: 'interrupted' })
})

test('B5: callbackTimeoutMs null removes the time limit of a single call', async () => {
  const manager = await sharedManager({ slots: 1, limits: { callbackTimeoutMs: 10 } })
  await using session = await manager.createSession({
    callbacks: { slow: () => sleep(60).then(() => 'slept') },
    limits: { callbackTimeoutMs: null },
  })
  expect((await session.execute('await slow()')).value).toBe('slept')
})

test('B6: calls over the limit raise RuntimeError and are not made; the count restarts with each execution', async () => {
  const manager = await sharedManager({ slots: 1 })
  let called = 0
  await using session = await manager.createSession({
    callbacks: { tick: () => ++called },
    limits: { callbackInvocations: 5 },
  })
  const code = py`
    import asyncio, brumate
    seen = []
    for n in range(7):
        try: seen.append(await tick() if n % 2 else brumate.call_sync('tick'))
        except RuntimeError as error: seen.append(str(error))
    seen
  `
  const past = 'more than 5 host calls in one execution'
  expect((await session.execute(code)).value).toEqual([1, 2, 3, 4, 5, past, past])
  const again = await session.execute(code)
  expect(again.value).toEqual([6, 7, 8, 9, 10, past, past])
  expect(called).toBe(10)
})

test('B6: a limit of 0 allows no calls, null any number', async () => {
  const manager = await sharedManager({ slots: 2 })
  const callbacks = { tick: () => 1 }
  await using none = await manager.createSession({ callbacks, limits: { callbackInvocations: 0 } })
  expect((await pythonErrorOf(none.execute('await tick()'))).type).toBe('RuntimeError')
  await using any = await manager.createSession({ callbacks, limits: { callbackInvocations: null } })
  const { value } = await any.execute(`${GATHER}sum(await asyncio.gather(*[tick() for _ in range(1500)]))`)
  expect(value).toBe(1500)
})
