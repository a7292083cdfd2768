// A9: calls of a session run in order, sessions run in parallel, and close settles every call.
import { type Session, SessionClosedError } from 'brumate'
import { expect, test } from 'vitest'
import { deferred, expectTyped, rejectionOf, sleep } from '../support/session-code.js'
import { afterReset, describeSessions, fresh, type OpenSession } from '../support/session-modes.js'

describeSessions('order', order, [fresh, afterReset])
describeSessions('order at the close', closing, [fresh])

function order(open: OpenSession): void {
  test('A9: calls on one session run one after the other, in order', async () => {
    const session = await open()
    await session.execute('import time; log = []')
    const settled: number[] = []
    await Promise.all(
      [30, 1, 10, 0].map(async (milliseconds, index) => {
        await session.execute(
          `log.append(${index}); time.sleep(${milliseconds / 1000}); log.append(${index})`,
        )
        settled.push(index)
      }),
    )
    expect(settled).toEqual([0, 1, 2, 3])
    expect(await session.get('log')).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
  })

  test('A9: the next execution does not overtake one that awaits', async () => {
    const session = await open()
    await session.execute('import asyncio; log = []')
    await Promise.all([
      session.execute('log.append("a"); await asyncio.sleep(0.03); log.append("b")'),
      session.execute('log.append("c")'),
    ])
    expect(await session.get('log')).toEqual(['a', 'b', 'c'])
  })

  test('A9: a failing call does not stop the calls queued behind it', async () => {
    const session = await open()
    const [failed, fine] = await Promise.allSettled([session.execute('1/0'), session.execute('2')])
    expect([failed.status, fine.status]).toEqual(['rejected', 'fulfilled'])
  })

  test('A9: a hundred queued calls all run', async () => {
    const session = await open()
    await session.execute('n = 0')
    await Promise.all(Array.from({ length: 100 }, () => session.execute('n += 1')))
    expect(await session.get('n')).toBe(100)
  })

  test('A9: sessions run at the same time', async () => {
    const everyone = deferred()
    let there = 0
    const meet = () => {
      if (++there === 3) everyone.resolve()
      return everyone.promise
    }
    const callbacks = { meet }
    const sessions = [await open({ callbacks }), await open({ callbacks }), await open({ callbacks })]
    // Each blocks its own interpreter until all three have arrived.
    const blocking = sessions.map((session) =>
      session.execute("import brumate; brumate.call_sync('meet'); 1"),
    )
    expect((await Promise.all(blocking)).map(({ value }) => value)).toEqual([1, 1, 1])
  })

  test('A9: a session that computes does not delay another', async () => {
    const [busy, quick] = [await open(), await open()]
    const spinning = busy.execute('while True: pass', { timeoutMs: 5_000 }).catch(() => 'ended')
    const first = await Promise.race([quick.execute('1'), spinning])
    expect(first).toMatchObject({ value: 1 })
    await busy.close()
    await spinning
  })
}

/** Each of these tests ends a worker, whatever the session did before. */
function closing(open: OpenSession): void {
  test('A9: close during a run settles it with SessionClosedError', async () => {
    const session = await open()
    const running = rejectionOf(SessionClosedError, session.execute('while True: pass'))
    await sleep(30)
    await session.close()
    expectTyped(await running, 'SESSION_CLOSED')
  })

  test('A9: close during an await settles it with SessionClosedError', async () => {
    const session = await open()
    const running = rejectionOf(
      SessionClosedError,
      session.execute('import asyncio; await asyncio.sleep(60)'),
    )
    await sleep(30)
    await session.close()
    await running
  })

  test('A9: close during code that nothing can interrupt settles it at once', async () => {
    const session = await open()
    const running = rejectionOf(SessionClosedError, session.execute('sum(range(10**12))'))
    await sleep(30)
    await session.close()
    await running
  })

  test('A9: close settles queued calls of every kind', async () => {
    const session = await open()
    const calls = [
      session.execute('while True: pass'),
      session.execute('1'),
      session.get('x'),
      session.set('x', 1),
      session.clearState(),
      session.reset(),
      session.snapshotState(),
      session.hibernate(),
    ]
    const settled = Promise.allSettled(calls)
    await sleep(30)
    await session.close()
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SESSION_CLOSED' } })
    }
    expect(session.state).toBe('closed')
  })

  test('A9: close in the same turn as execute settles both calls', async () => {
    const session = await open()
    const running = rejectionOf(SessionClosedError, session.execute('x = 1'))
    await session.close()
    await running
  })

  test('A9: close during reset settles both calls', async () => {
    const session = await open()
    const resetting = rejectionOf(SessionClosedError, session.reset())
    await session.close()
    await resetting
  })

  test.each([
    ['snapshotState', (session: Session) => session.snapshotState()],
    ['hibernate', (session: Session) => session.hibernate()],
  ])('A9: close during %s settles both calls', async (_, call) => {
    const session = await open()
    await session.execute('x = 1')
    const running = rejectionOf(SessionClosedError, call(session))
    await session.close()
    await running
  })

  test('A9: close while a dormant session wakes settles the waiting call', async () => {
    const session = await open()
    await session.execute('x = 1')
    await session.hibernate()
    expect(session.state).toBe('dormant')
    const waking = rejectionOf(SessionClosedError, session.execute('x'))
    await session.close()
    await waking
  })
}
