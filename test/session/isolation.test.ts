// B3: time limits and interrupts of one session do not affect others.
import { TimeoutError } from 'brumate'
import { expect, test } from 'vitest'
import { rejectionOf, sleep } from '../support/session-code.js'
import { describeSessions, fresh } from '../support/session-modes.js'

describeSessions(
  'isolation',
  (open) => {
    test('B3: a timeout of one session does not affect another that computes', async () => {
      const [stuck, busy] = [await open(), await open()]
      await busy.execute('kept = 1')
      const working = busy.execute(
        'import time\nend = time.monotonic() + 0.4\nwhile time.monotonic() < end: pass\nkept',
      )
      await rejectionOf(TimeoutError, stuck.execute('while True: pass', { timeoutMs: 100 }))
      expect((await working).value).toBe(1)
    })

    test('B3: a timeout of one session does not affect others that sleep and await', async () => {
      const [stuck, sleeping, awaiting] = [await open(), await open(), await open()]
      const others = [
        sleeping.execute('import time; time.sleep(0.4); 1'),
        awaiting.execute('import asyncio; await asyncio.sleep(0.4, 2)'),
      ]
      await rejectionOf(TimeoutError, stuck.execute('while True: pass', { timeoutMs: 100 }))
      expect((await Promise.all(others)).map(({ value }) => value)).toEqual([1, 2])
    })

    test('B3: a killed worker does not take down another session', async () => {
      const [killed, other] = [await open({ limits: { interruptGraceMs: 0 } }), await open()]
      await other.execute('kept = 1')
      const working = other.execute('import time; time.sleep(0.5); kept')
      await rejectionOf(TimeoutError, killed.execute('sum(range(10**12))', { timeoutMs: 100 }))
      expect((await working).value).toBe(1)
      expect(await other.get('kept')).toBe(1)
    })

    test('B3: concurrent executions do not use up each other’s time limit', async () => {
      const sessions = [await open(), await open(), await open(), await open()]
      const runs = sessions.map((session, n) =>
        session.execute(`import time; time.sleep(0.7); ${n}`, { timeoutMs: 2500 }),
      )
      expect((await Promise.all(runs)).map(({ value }) => value)).toEqual([0, 1, 2, 3])
    })

    test('B3: each of several sessions is interrupted at its own deadline', async () => {
      const sessions = [await open(), await open(), await open(), await open()]
      const startedMs = performance.now()
      const elapsed = await Promise.all(
        sessions.map(async (session, n) => {
          const timeoutMs = 60 + 100 * n
          const error = await rejectionOf(TimeoutError, session.execute('while True: pass', { timeoutMs }))
          expect(error).toMatchObject({ timeoutMs, outcome: 'interrupted' })
          return performance.now() - startedMs - timeoutMs
        }),
      )
      // Never early; the benchmark `stopping` measures how late.
      for (const lateMs of elapsed) expect(lateMs).toBeGreaterThanOrEqual(-1)
      for (const session of sessions) expect((await session.execute('1')).value).toBe(1)
    })

    test('B3: interrupt() of one session does not affect another', async () => {
      const [one, other] = [await open(), await open()]
      const running = [
        one.execute('while True: pass'),
        other.execute('import time; time.sleep(0.3); "slept"'),
      ]
      const settled = Promise.allSettled(running)
      await sleep(50)
      await one.interrupt()
      expect(await settled).toMatchObject([
        { status: 'rejected', reason: { type: 'KeyboardInterrupt' } },
        { status: 'fulfilled', value: { value: 'slept' } },
      ])
    })
  },
  [fresh],
)
