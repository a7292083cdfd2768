// Sessions without a slot: they resume where they were, and idle ones are evicted when others need a slot.
import { type CallbackContext, SnapshotError } from 'brumate'
import { describe, expect, test } from 'vitest'
import { rejectionOf, until } from '../support/session-code.js'
import { countersSince, sharedManager } from '../support/shared-manager.js'

describe('hibernate', () => {
  test('frees the slot, and the next call resumes the session where it was', async () => {
    const manager = await sharedManager({ slots: 1 })
    const counted = countersSince(manager)
    await using first = await manager.createSession({ checkpoint: 'manual' })
    await first.execute('import itertools; c = itertools.count(5); next(c)')
    await first.hibernate()
    expect(first.state).toBe('dormant')
    await using second = await manager.createSession()
    expect((await second.execute('"c" in globals()')).value).toBe(false)
    await second.hibernate()
    expect((await first.execute('next(c)')).value).toBe(6)
    expect(first.state).toBe('attached')
    expect(counted()).toMatchObject({ hibernations: 2, thaws: 1, crashes: 0 })
  })

  test('has no effect on a dormant session, whose snapshot is available without waking it', async () => {
    const manager = await sharedManager({ slots: 1 })
    await using session = await manager.createSession()
    await session.execute('x = 1')
    await session.hibernate()
    await session.hibernate()
    expect((await session.snapshotState()).globals()).toEqual({ x: 1 })
    expect(session.state).toBe('dormant')
  })

  test('waits for the calls before it', async () => {
    const manager = await sharedManager({ slots: 1 })
    await using session = await manager.createSession()
    const calls = [session.execute('x = 1'), session.hibernate(), session.execute('x += 1; x')]
    expect((await Promise.all(calls))[2]).toMatchObject({ value: 2 })
  })

  test('C3: keeps a session that cannot be captured attached, and says why', async () => {
    const manager = await sharedManager({ slots: 1 })
    await using session = await manager.createSession({ limits: { snapshotBytes: 256 * 1024 } })
    await session.execute('import os; big = os.urandom(1_000_000)')
    const error = await rejectionOf(SnapshotError, session.hibernate())
    expect([error.reason, error.message]).toEqual(['too-large', expect.stringMatching(/snapshotBytes/)])
    expect((await session.execute('len(big)')).value).toBe(1_000_000)
  })
})

describe('idleTimeoutMs', () => {
  test('an idle session hibernates after the timeout, and its next call resumes it where it was', async () => {
    const manager = await sharedManager({ slots: 1, idleTimeoutMs: 20 })
    const counted = countersSince(manager)
    await using session = await manager.createSession()
    await session.execute('import itertools; c = itertools.count(5); next(c)')
    await until(() => session.state === 'dormant')
    expect(manager.stats()).toMatchObject({ attached: 0, dormant: 1, slots: { leased: 0 } })
    expect((await session.execute('next(c)')).value).toBe(6)
    expect(counted()).toMatchObject({ hibernations: 1, thaws: 1, crashes: 0 })
  })

  test('an execution that runs longer keeps its slot', async () => {
    const manager = await sharedManager({ slots: 1, idleTimeoutMs: 20 })
    await using session = await manager.createSession()
    const states: string[] = []
    const { value } = await session.execute(
      'import asyncio\nfor _ in range(10): print("."); await asyncio.sleep(0.02)\nout = "kept"; out',
      { onStdout: () => states.push(session.state) },
    )
    expect(value).toBe('kept')
    expect(new Set(states)).toEqual(new Set(['attached']))
  })

  test('a suspended execution waits for resume without holding a slot', async () => {
    const manager = await sharedManager({ slots: 1, idleTimeoutMs: 20 })
    await using session = await manager.createSession({
      callbacks: { approve: (_: unknown, { suspend }: CallbackContext) => suspend('later') },
    })
    await session.execute('"yes" if await approve() else "no"')
    await until(() => session.state === 'dormant')
    const [call] = session.pending
    expect((await session.resume({ results: { [call?.id ?? '']: true } })).value).toBe('yes')
  })
})

describe('when every slot is leased', () => {
  test('nine open sessions work on three slots, each with its own state', async () => {
    const manager = await sharedManager({ slots: 3 })
    const sessions = await Promise.all(Array.from({ length: 9 }, () => manager.createSession()))
    await Promise.all(sessions.map((session, n) => session.set('n', n)))
    const values = await Promise.all(sessions.map((session) => session.execute('n * n')))
    expect(values.map(({ value }) => value)).toEqual(sessions.map((_, n) => n * n))
    expect(manager.stats().attached).toBeLessThanOrEqual(3)
    await Promise.all(sessions.map((session) => session.close()))
  }, 120_000)

  test('the session that has been idle longest is evicted', async () => {
    const manager = await sharedManager({ slots: 2 })
    await using old = await manager.createSession()
    await using young = await manager.createSession()
    await old.execute('x = "old"')
    await young.execute('x = "young"')
    await using third = await manager.createSession()
    expect([old.state, young.state, third.state]).toEqual(['dormant', 'attached', 'attached'])
    expect(await old.get('x')).toBe('old')
    expect(young.state).toBe('dormant')
  })

  test('a running execution is never evicted', async () => {
    const manager = await sharedManager({ slots: 1 })
    await using busy = await manager.createSession()
    let started = false
    const running = busy.execute('print(1, flush=True); import time; time.sleep(0.4); x = 1; x', {
      onStdout: () => {
        started = true
      },
    })
    await until(() => started)
    await using other = await manager.createSession()
    expect((await running).value).toBe(1)
    expect((await other.execute('2')).value).toBe(2)
    expect(await busy.get('x')).toBe(1)
  })

  test('consecutive restores reuse the slots there are and boot no more', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession({ checkpoint: 'manual' })
    await session.execute('x = 1')
    const snapshot = await session.snapshotState()
    // Callers that find no slot make the manager keep two spares.
    const others = await Promise.all(Array.from({ length: 3 }, () => manager.createSession()))
    for (const other of others) await other.close()
    await until(() => manager.stats().slots.ready >= 2 && manager.stats().slots.booting === 0)
    const { boots } = manager.stats().counters
    for (let i = 0; i < 15; i++) await session.restoreState(snapshot)
    expect(await session.get('x')).toBe(1)
    expect(manager.stats().counters.boots).toBe(boots)
  })

  test('a snapshot is restored in place if there is no other slot', async () => {
    const manager = await sharedManager({ slots: 1 })
    await using session = await manager.createSession()
    await session.execute('x = 1; open("/tmp/f", "w").write("one")')
    const snapshot = await session.snapshotState()
    await session.execute('x = 2; y = bytearray(30_000_000); open("/tmp/g", "w").write("two")')
    await session.restoreState(snapshot)
    const { value } = await session.execute('import os; [x, "y" in globals(), sorted(os.listdir("/tmp"))]')
    expect(value).toEqual([1, false, ['f']])
  })
})

describe('C4: time and randomness after a thaw', () => {
  test('two forks draw different random numbers, but a seeded generator continues its sequence', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using origin = await manager.createSession()
    await origin.execute('import random, uuid, os')
    const unseeded = await origin.snapshotState()
    await origin.execute('random.seed(5)')
    const seeded = await origin.snapshotState()
    const draw = async (from: typeof seeded) => {
      await using fork = await manager.createSession({ from })
      return (await fork.execute('[random.random(), str(uuid.uuid4()), os.urandom(8).hex()]'))
        .value as unknown[]
    }
    const [a, b] = [await draw(unseeded), await draw(unseeded)]
    for (const i of [0, 1, 2]) expect(a[i]).not.toBe(b[i])
    const [c, d] = [await draw(seeded), await draw(seeded)]
    expect(c[0]).toBe(d[0])
    expect(c[1]).not.toBe(d[1])
  })

  test('the monotonic clock continues from where it was, and the wall clock shows the real time', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession()
    const before = (await session.execute('import time; time.sleep(0.3); m = time.monotonic(); m'))
      .value as number
    const snapshot = await session.snapshotState()
    await using fork = await manager.createSession({ from: snapshot })
    const [now, wall] = (await fork.execute('time.monotonic(), time.time()')).value as number[]
    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThan(before + 30)
    expect(Math.abs((wall ?? 0) - Date.now() / 1000)).toBeLessThan(5)
  })

  test('a pending timer fires after its remaining time', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession()
    await session.execute(
      'import asyncio\ntask = asyncio.create_task(asyncio.sleep(0.5, "woken"))\nawait asyncio.sleep(0)',
    )
    const snapshot = await session.snapshotState()
    // As long as the timer: time while the session did not run does not count.
    await new Promise((resolve) => setTimeout(resolve, 600))
    await using fork = await manager.createSession({ from: snapshot })
    expect((await fork.execute('task.done()')).value).toBe(false)
    expect((await fork.execute('await task')).value).toBe('woken')
  })
})

test('C7: one snapshot thaws into many sessions at once, and they do not affect each other', async () => {
  const manager = await sharedManager({ slots: 4 })
  await using origin = await manager.createSession({ tenant: 'fork' })
  await origin.execute('items = list(range(1000)); open("/tmp/shared", "w").write("same")')
  const snapshot = await origin.snapshotState()
  const sums = await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      await using fork = await manager.createSession({ tenant: 'fork', from: snapshot })
      await fork.execute(`items.append(${n}); open("/tmp/shared", "a").write("${n}")`)
      return (await fork.execute('[sum(items), open("/tmp/shared").read()]')).value
    }),
  )
  expect(sums).toEqual(Array.from({ length: 8 }, (_, n) => [499_500 + n, `same${n}`]))
  expect((await origin.execute('[len(items), open("/tmp/shared").read()]')).value).toEqual([1000, 'same'])
})
