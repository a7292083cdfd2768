// A9: more sessions than slots: which callers wait, for how long, and which are rejected.
import { PoolExhaustedError, PythonError, SessionClosedError } from 'brumate'
import { expect, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { expectTyped, rejectionOf, start, until } from '../support/session-code.js'
import { countersSince, sharedManager } from '../support/shared-manager.js'

test('A9: sessions that find no free slot wait and get one in the order they asked', async () => {
  const manager = await sharedManager({ slots: 1 })
  const first = await manager.createSession()
  const order: number[] = []
  const waiting = [1, 2, 3].map(async (n) => {
    const session = await manager.createSession()
    order.push(n)
    expect((await session.execute(String(n))).value).toBe(n)
    await session.close()
  })
  await until(() => manager.stats().queued === 3)
  await first.close()
  await Promise.all(waiting)
  expect(order).toEqual([1, 2, 3])
})

test('A9: a session that uses its slot does not lose it to waiting callers', async () => {
  const manager = await sharedManager({ slots: 1 })
  const holder = await manager.createSession()
  await holder.execute('x = 1')
  const waiting = manager.createSession()
  await until(() => manager.stats().queued === 1)
  expect((await holder.execute('x')).value).toBe(1)
  await holder.close()
  await using other = await waiting
  expect((await other.execute("'x' in globals()")).value).toBe(false)
})

test('A9: a caller beyond maxQueued is rejected with PoolExhaustedError, and those before it are served', async () => {
  const manager = await managerForTest({ slots: 1, maxQueued: 2 })
  const holder = await manager.createSession({ callbacks: { never: () => new Promise(() => {}) } })
  // An idle session would be evicted.
  const busy = rejectionOf(SessionClosedError, holder.execute('await never()'))
  const waiting = [manager.createSession(), manager.createSession()]
  await until(() => manager.stats().queued === 2)
  const error = await rejectionOf(PoolExhaustedError, manager.createSession({ id: 'refused' }))
  expectTyped(error, 'POOL_EXHAUSTED')
  await holder.close()
  await busy
  const second = await waiting[0]
  await second?.close()
  const third = await waiting[1]
  expect((await third?.execute('3'))?.value).toBe(3)
  await third?.close()
  expect((await manager.createSession({ id: 'refused' })).id).toBe('refused')
})

test('A9: with maxQueued 0, as many sessions as there are slots can be created at once', async () => {
  const manager = await managerForTest({ slots: 2, maxQueued: 0 })
  const sessions = await Promise.all([1, 2].map(() => manager.createSession()))
  await rejectionOf(PoolExhaustedError, manager.createSession())
  expect(sessions.map(({ state }) => state)).toEqual(['attached', 'attached'])
})

test('A9: a caller that waits longer than acquireTimeoutMs gets PoolExhaustedError', async () => {
  const manager = await managerForTest({ slots: 1, acquireTimeoutMs: 200 })
  // Waiting for the first slot to boot must not count towards the timeout.
  await until(() => manager.stats().slots.ready === 1)
  const holder = await manager.createSession()
  // A session with nothing to do would be evicted.
  const { result } = await start(holder, 'time.sleep(3)')
  const startedMs = performance.now()
  await rejectionOf(PoolExhaustedError, manager.createSession({ id: 'late' }))
  const elapsedMs = performance.now() - startedMs
  expect(elapsedMs).toBeGreaterThanOrEqual(199)
  expect(manager.stats().queued).toBe(0)
  await holder.interrupt()
  await rejectionOf(PythonError, result)
  expect((await holder.execute('1')).value).toBe(1)
})

test('A9: a killed session waits for a slot like any other, and continues when it gets one', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using killed = await manager.createSession({ limits: { interruptGraceMs: 0 } })
  await killed.execute('x = 1')
  await killed.execute('x = 0; sum(range(10**12))', { timeoutMs: 20 }).catch(() => {})
  const other = await manager.createSession()
  expect([killed.state, other.state]).toEqual(['dormant', 'attached'])
  const waiting = killed.execute('x')
  await other.close()
  expect((await waiting).value).toBe(1)
})

test("A9, S1: a slot serves one tenant after another in one thread and keeps no data; 'tenant' reserves it for one; 'never' ends it", async () => {
  for (const [slotReuse, boots, parked] of [
    ['any', 1, 0],
    ['tenant', 1, 1],
    ['never', 3, 0],
  ] as const) {
    const manager = await managerForTest({ slots: 1, slotReuse })
    const tenants = slotReuse === 'any' ? ['acme', undefined] : ['acme', 'acme']
    for (const tenant of tenants) {
      const session = await manager.createSession(tenant === undefined ? {} : { tenant })
      const code =
        "import sys, os; seen = hasattr(sys, 'mark') or os.path.exists('/tmp/mark'); sys.mark = 1; open('/tmp/mark', 'w').close(); seen"
      expect((await session.execute(code)).value).toBe(false)
      await session.close()
    }
    const last = await manager.createSession({ tenant: 'acme' })
    const { counters, slots } = manager.stats()
    expect([slotReuse, counters.boots, counters.renewals, slots.leased]).toEqual(
      slotReuse === 'never' ? ['never', 3, 0, 1] : [slotReuse, boots, 2, 1],
    )
    await last.close()
    await until(() => manager.stats().slots.renewing === 0)
    expect(manager.stats().slots.parked).toBe(parked)
    await manager.close()
  }
})

test('A9: a slot reserved for one tenant is given up for another that waits', async () => {
  const manager = await managerForTest({ slots: 1, slotReuse: 'tenant' })
  const first = await manager.createSession({ tenant: 'acme' })
  await first.close()
  const other = await manager.createSession({ tenant: 'other' })
  expect((await other.execute('1')).value).toBe(1)
  expect(manager.stats().slots).toMatchObject({ max: 1, leased: 1, parked: 0 })
})

test('A9: stats count sessions, executions, timeouts and cancellations', async () => {
  const manager = await sharedManager({ slots: 1 })
  const counted = countersSince(manager)
  const before = manager.stats().histograms
  await using session = await manager.createSession()
  await session.execute('1')
  await session.execute('1/0').catch(() => {})
  await session.execute('while True: pass', { timeoutMs: 30 }).catch(() => {})
  const controller = new AbortController()
  const { result } = await start(session, 'while True: pass', { signal: controller.signal })
  controller.abort()
  await result.catch(() => {})
  const { attached, dormant, queued, histograms, slots } = manager.stats()
  expect({ attached, dormant, queued, leased: slots.leased, max: slots.max }).toEqual({
    attached: 1,
    dormant: 0,
    queued: 0,
    leased: 1,
    max: 1,
  })
  expect(counted()).toMatchObject({ sessions: 1, executions: 4, timeouts: 1, cancellations: 1, crashes: 0 })
  expect(histograms.acquire.count - before.acquire.count).toBe(1)
  expect(histograms.execute.count - before.execute.count).toBeGreaterThanOrEqual(2)
})

test('A9: ten sessions over two slots, each executing three times, all finish', async () => {
  const manager = await sharedManager({ slots: 2 })
  const sums = await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      const session = await manager.createSession()
      await session.execute(`x = ${n}`)
      await session.execute('x += 1')
      const { value } = await session.execute('x')
      await session.close()
      return value
    }),
  )
  expect(sums).toEqual(Array.from({ length: 10 }, (_, n) => n + 1))
})

test('A9: a manager keeps one spare slot booted, and two once a caller has found none', async () => {
  const manager = await managerForTest({ slots: 8 })
  const sessions = [await manager.createSession()]
  await until(() => manager.stats().slots.ready === 1)
  // Longer than the pause between two boots of spares.
  await sessions[0]?.execute('import time; time.sleep(0.2)')
  expect(manager.stats().counters.boots).toBe(2)
  // Two callers at once, and one spare.
  sessions.push(...(await Promise.all([manager.createSession(), manager.createSession()])))
  await until(() => manager.stats().slots.ready === 2)
  expect(manager.stats().counters.boots).toBe(5)
  for (const session of sessions) await session.close()
})

test('A9: a manager whose first callers come at once keeps two spare slots', async () => {
  const manager = await managerForTest({ slots: 8 })
  const sessions = await Promise.all([manager.createSession(), manager.createSession()])
  await until(() => manager.stats().slots.ready === 2)
  for (const session of sessions) await session.close()
})
