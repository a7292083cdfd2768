// A9: after close, every call is rejected, nothing hangs, and other sessions continue.
import { type Session, SessionClosedError, type Snapshot } from 'brumate'
import { describe, expect, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { expectTyped, rejectionOf, sleep, until } from '../support/session-code.js'
import { countersSince, sharedManager } from '../support/shared-manager.js'

async function expectClosed(session: Session, snapshot?: Snapshot): Promise<void> {
  for (const call of [
    session.execute('1'),
    session.get('x'),
    session.set('x', 1),
    session.clearState(),
    session.reset(),
    session.snapshotState(),
    session.hibernate(),
    ...(snapshot ? [session.restoreState(snapshot)] : []),
  ]) {
    expectTyped(await rejectionOf(SessionClosedError, call), 'SESSION_CLOSED')
  }
  await session.interrupt()
  expect(session.state).toBe('closed')
}

describe('a closed session', () => {
  test('A9: rejects every call and keeps its id and count', async () => {
    const manager = await sharedManager({ slots: 1 })
    const session = await manager.createSession({ id: 'mine' })
    await session.execute('1')
    const snapshot = await session.snapshotState()
    await session.close()
    await expectClosed(session, snapshot)
    expect([session.id, session.executionCount]).toEqual(['mine', 1])
  })

  test('A9: can be closed again, concurrently or by Symbol.asyncDispose', async () => {
    const manager = await sharedManager({ slots: 1 })
    const session = await manager.createSession()
    await Promise.all([session.close(), session.close(), session[Symbol.asyncDispose]()])
    await session.close()
    expect(manager.stats()).toMatchObject({ attached: 0, dormant: 0 })
  })

  test('A9: Symbol.asyncDispose closes the session', async () => {
    const manager = await sharedManager({ slots: 1 })
    const session = await manager.createSession()
    await session[Symbol.asyncDispose]()
    await expectClosed(session)
  })

  test('A9: checks arguments first, so a wrong argument is reported even after close', async () => {
    const manager = await sharedManager({ slots: 1 })
    const session = await manager.createSession()
    await session.close()
    await expect(session.execute(1 as never)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test.each(['hibernate', 'snapshotState'] as const)(
    'A9: gives its slot to the next session when closed during %s',
    async (call) => {
      const manager = await sharedManager({ slots: 1 })
      // The slot of an earlier test may still be renewed.
      await until(() => manager.stats().slots.ready === 1)
      const counted = countersSince(manager)
      for (let round = 0; round < 3; round++) {
        const session = await manager.createSession()
        await session.execute(`x = list(range(${100_000 * round}))`)
        const saved = rejectionOf(SessionClosedError, session[call]())
        // Wait until the slot works on the call: in round 0, it has hardly begun.
        for (let turn = 0; turn < round; turn++) await new Promise(setImmediate)
        await session.close()
        await saved
        expect(session.state).toBe('closed')
      }
      await using next = await manager.createSession()
      await expect(next.get('x')).rejects.toThrow('x')
      expect(counted()).toMatchObject({ boots: 0, renewals: 3 })
    },
  )

  test('A9: gives its slot to the next session, without its variables', async () => {
    const manager = await sharedManager({ slots: 1 })
    for (let round = 0; round < 4; round++) {
      const session = await manager.createSession()
      expect((await session.execute("seen = 'x' in globals(); x = 1; seen")).value).toBe(false)
      await session.close()
    }
  })

  test('A9: that was dormant rejects every call, and its id can be reused', async () => {
    const manager = await sharedManager({ slots: 1 })
    const session = await manager.createSession({ id: 'mine' })
    await session.execute('x = 1')
    await session.hibernate()
    expect(manager.stats()).toMatchObject({ attached: 0, dormant: 1, slots: { leased: 0 } })
    await session.close()
    await expectClosed(session)
    expect(manager.stats()).toMatchObject({ attached: 0, dormant: 0 })
    await using again = await manager.createSession({ id: 'mine' })
    expect((await again.execute("'x' in globals()")).value).toBe(false)
  })

  test('A9: that was waiting for a slot leaves the queue, and its call is rejected', async () => {
    const manager = await sharedManager({ slots: 1 })
    const dormant = await manager.createSession()
    await dormant.hibernate()
    const busy = await manager.createSession()
    const running = rejectionOf(SessionClosedError, busy.execute('import asyncio; await asyncio.sleep(60)'))
    const waiting = rejectionOf(SessionClosedError, dormant.execute('1'))
    await until(() => manager.stats().queued === 1)
    await dormant.close()
    await waiting
    expect(manager.stats().queued).toBe(0)
    await busy.close()
    await running
  })

  test('A9: leaves other sessions running', async () => {
    const manager = await sharedManager({ slots: 2 })
    const [one, other] = [await manager.createSession(), await manager.createSession()]
    await other.execute('x = 1')
    const running = other.execute('import time; time.sleep(0.3); x')
    await one.close()
    expect((await running).value).toBe(1)
  })
})

describe('a closed manager', () => {
  test('A9: rejects new sessions and closes the existing ones', async () => {
    const manager = await managerForTest({ slots: 1 })
    const session = await manager.createSession()
    await manager.close()
    expectTyped(await rejectionOf(SessionClosedError, manager.createSession()), 'SESSION_CLOSED')
    await expectClosed(session)
  })

  test('A9: settles running executions, whether they spin, await or cannot be interrupted', async () => {
    const manager = await managerForTest({ slots: 3 })
    const sessions = [
      await manager.createSession(),
      await manager.createSession(),
      await manager.createSession(),
    ]
    const codes = ['while True: pass', 'import asyncio; await asyncio.sleep(60)', 'sum(range(10**12))']
    const running = sessions.map((session, n) =>
      rejectionOf(SessionClosedError, session.execute(codes[n] ?? '')),
    )
    await sleep(50)
    await manager.close()
    await Promise.all(running)
  })

  test('A9: settles callers that wait for a slot', async () => {
    const manager = await managerForTest({ slots: 1 })
    const session = await manager.createSession({ callbacks: { never: () => new Promise(() => {}) } })
    // An idle session would give its slot to the callers.
    const running = rejectionOf(SessionClosedError, session.execute('await never()'))
    const waiting = [1, 2].map(() => rejectionOf(SessionClosedError, manager.createSession()))
    await until(() => manager.stats().queued === 2)
    await manager.close()
    await Promise.all([running, ...waiting])
  })

  test('A9: can be closed again, also concurrently and by Symbol.asyncDispose', async () => {
    const manager = await managerForTest({ slots: 2 })
    await Promise.all([manager.close(), manager.close(), manager[Symbol.asyncDispose]()])
    await manager.close()
  })

  test('A9: still returns its statistics, with nothing running', async () => {
    const manager = await managerForTest({ slots: 2 })
    const session = await manager.createSession()
    await session.execute('1')
    await manager.close()
    await until(() => manager.stats().slots.leased === 0)
    const { attached, dormant, queued, slots, counters } = manager.stats()
    expect({ attached, dormant, queued }).toEqual({ attached: 0, dormant: 0, queued: 0 })
    expect(slots).toMatchObject({ booting: 0, ready: 0, leased: 0, renewing: 0, parked: 0 })
    expect(counters).toMatchObject({ sessions: 1, executions: 1 })
  })

  test('A9: may be closed right after it was created', async () => {
    const manager = await managerForTest({ slots: 8 })
    await manager.close()
    await rejectionOf(SessionClosedError, manager.createSession())
  })

  test('A9: may be closed while sessions are being created', async () => {
    const manager = await managerForTest({ slots: 4 })
    const creating = Promise.allSettled(Array.from({ length: 6 }, () => manager.createSession()))
    await manager.close()
    for (const made of await creating) {
      if (made.status === 'fulfilled') expect(made.value.state).toBe('closed')
      else expect(made.reason).toMatchObject({ code: 'SESSION_CLOSED' })
    }
  })
})
