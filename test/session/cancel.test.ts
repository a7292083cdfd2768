// B4: AbortSignal and interrupt().
import { getEventListeners } from 'node:events'
import { CancelledError, TimeoutError } from 'brumate'
import { expect, onTestFinished, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { expectTyped, pythonErrorOf, rejectionOf, sleep, start, until } from '../support/session-code.js'
import { describeSessions, fresh } from '../support/session-modes.js'

describeSessions(
  'cancel',
  (open) => {
    test('B4: with a signal that is already aborted, nothing runs, and the error’s cause is the abort reason', async () => {
      const session = await open()
      const reason = new Error('because')
      const error = await rejectionOf(
        CancelledError,
        session.execute('ran = 1', { signal: AbortSignal.abort(reason) }),
      )
      expectTyped(error, 'CANCELLED')
      expect(error.outcome).toBe('not-started')
      expect(error.cause).toBe(reason)
      expect((await session.execute("'ran' in globals()")).value).toBe(false)
    })

    test.each([
      ['code that spins', 'while True: pass'],
      ['code that sleeps', 'import time; time.sleep(60)'],
      ['code that awaits', 'import asyncio; await asyncio.sleep(60)'],
    ])('B4: aborting interrupts %s and keeps the state', async (_, code) => {
      const session = await open()
      const controller = new AbortController()
      const { result } = await start(session, `kept = 1\n${code}`, { signal: controller.signal })
      const running = rejectionOf(CancelledError, result)
      await sleep(20)
      controller.abort('stop')
      const error = await running
      expect(error).toMatchObject({ outcome: 'interrupted', cause: 'stop' })
      expect(await session.get('kept')).toBe(1)
      expect((await session.execute('1')).executionCount).toBe(2)
    })

    test('B4: aborting code that cannot be interrupted kills its worker, and the session continues', async () => {
      const session = await open({ limits: { interruptGraceMs: 100 } })
      await session.execute('x = "kept"')
      const controller = new AbortController()
      const { result } = await start(session, 'x = "lost"; sum(range(10**12))', { signal: controller.signal })
      const running = rejectionOf(CancelledError, result)
      await sleep(20)
      controller.abort()
      expect((await running).outcome).toBe('restored')
      expect(await session.execute('x')).toMatchObject({ value: 'kept', executionCount: 3 })
    })

    test('B4: aborting a queued call removes it from the queue at once and leaves the other calls', async () => {
      const session = await open()
      const controller = new AbortController()
      await session.execute('import time; log = []')
      const first = session.execute('time.sleep(0.4); log.append(1)')
      const second = rejectionOf(
        CancelledError,
        session.execute('log.append(2)', { signal: controller.signal }),
      )
      const third = session.execute('log.append(3)')
      let firstEnded = false
      void first.then(() => {
        firstEnded = true
      })
      controller.abort()
      expect((await second).outcome).toBe('not-started')
      expect(firstEnded).toBe(false)
      await Promise.all([first, third])
      expect(await session.get('log')).toEqual([1, 3])
      expect(session.executionCount).toBe(3)
    })

    test('B4: one signal aborts a running call and several queued ones', async () => {
      const session = await open()
      const controller = new AbortController()
      const { signal } = controller
      const calls = Promise.allSettled([
        session.execute('while True: pass', { signal }),
        session.execute('1', { signal }),
        session.execute('2', { signal }),
      ])
      await sleep(30)
      controller.abort()
      expect((await calls).map((call) => call.status === 'rejected' && call.reason.outcome)).toEqual([
        'interrupted',
        'not-started',
        'not-started',
      ])
      expect((await session.execute('3')).value).toBe(3)
    })

    test('B4: aborting twice, or after the end, is harmless', async () => {
      const session = await open()
      const controller = new AbortController()
      const running = rejectionOf(
        CancelledError,
        session.execute('while True: pass', { signal: controller.signal }),
      )
      await sleep(30)
      controller.abort('first')
      controller.abort('second')
      expect((await running).cause).toBe('first')
      const done = new AbortController()
      await session.execute('x = 1', { signal: done.signal })
      done.abort()
      expect((await session.execute('import time; time.sleep(0.05); x')).value).toBe(1)
    })

    test('B4: executions leave no listener on a signal that is reused', async () => {
      const session = await open()
      const { signal } = new AbortController()
      await Promise.all(Array.from({ length: 30 }, () => session.execute('1', { signal })))
      await session.execute('1/0', { signal }).catch(() => {})
      expect(getEventListeners(signal, 'abort')).toEqual([])
    })

    test('B4: many queued calls with one signal cause no listener warning', async () => {
      const session = await open()
      const warnings: Error[] = []
      const onWarning = (warning: Error) => warnings.push(warning)
      process.on('warning', onWarning)
      onTestFinished(() => void process.off('warning', onWarning))
      const { signal } = new AbortController()
      await Promise.all(Array.from({ length: 30 }, () => session.execute('1', { signal })))
      expect(warnings).toEqual([])
    })

    test('B4: when both an abort and a timeout occur, the first one decides the error', async () => {
      const session = await open()
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(), 5000)
      await rejectionOf(
        TimeoutError,
        session.execute('while True: pass', { timeoutMs: 50, signal: late.signal }),
      )
      clearTimeout(timer)
      const signal = AbortSignal.timeout(50)
      const error = await rejectionOf(
        CancelledError,
        session.execute('while True: pass', { timeoutMs: 5000, signal }),
      )
      expect((error.cause as Error).name).toBe('TimeoutError')
    })

    test('B4: an abort inside an output listener stops the execution that writes', async () => {
      const session = await open()
      const controller = new AbortController()
      const running = session.execute('while True: print("spam")', {
        signal: controller.signal,
        onStdout: () => controller.abort('enough'),
      })
      expect(await rejectionOf(CancelledError, running)).toMatchObject({
        outcome: 'interrupted',
        cause: 'enough',
      })
    })

    test.each([
      ['spins', 'while True: pass'],
      ['sleeps', 'import time; time.sleep(60)'],
      ['awaits', 'import asyncio; await asyncio.sleep(60)'],
      ['awaits in asyncio.run', 'import asyncio; asyncio.run(asyncio.sleep(60))'],
    ])('B4: interrupt() raises KeyboardInterrupt in code that %s', async (_, code) => {
      const session = await open()
      const { result } = await start(session, `kept = 1\n${code}`)
      const running = pythonErrorOf(result)
      await sleep(20)
      await session.interrupt()
      expect((await running).type).toBe('KeyboardInterrupt')
      expect(await session.get('kept')).toBe(1)
    })

    test('B4: code may catch what interrupt() raises and complete', async () => {
      const session = await open()
      const code = 'try:\n    while True: pass\nexcept KeyboardInterrupt:\n    seen = True\nseen'
      const { result } = await start(session, code)
      await sleep(20)
      await session.interrupt()
      expect((await result).value).toBe(true)
    })

    test('B4: interrupt() resolves once the execution has settled', async () => {
      const session = await open()
      let settled = false
      const { result } = await start(session, 'try:\n    while True: pass\nfinally:\n    time.sleep(0.1)')
      result.catch(() => {
        settled = true
      })
      await session.interrupt()
      await new Promise((resolve) => setImmediate(resolve))
      expect(settled).toBe(true)
    })

    test('B4: interrupt() of code that cannot be interrupted kills its worker, and the session continues', async () => {
      const session = await open({ limits: { interruptGraceMs: 100 } })
      await session.execute('x = "kept"')
      const { result } = await start(session, 'x = "lost"; sum(range(10**12))')
      const running = rejectionOf(CancelledError, result)
      await sleep(20)
      await session.interrupt()
      expect((await running).outcome).toBe('restored')
      expect((await session.execute('x')).value).toBe('kept')
    })

    test('B4: interrupt() of an idle session does nothing, and does not affect the next execution', async () => {
      const session = await open()
      await session.interrupt()
      expect((await session.execute('import time; time.sleep(0.05); 1')).value).toBe(1)
      await session.interrupt()
      expect((await session.execute('sum(range(100_000))')).value).toBe(4_999_950_000)
    })

    test('B4: interrupt() stops the running call and lets the queued ones run', async () => {
      const session = await open()
      const running = pythonErrorOf(session.execute('while True: pass'))
      const queued = session.execute('"ran"')
      await sleep(60)
      await session.interrupt()
      expect((await running).type).toBe('KeyboardInterrupt')
      expect((await queued).value).toBe('ran')
    })

    test('B4: interrupting twice is harmless', async () => {
      const session = await open()
      const running = pythonErrorOf(session.execute('while True: pass'))
      await sleep(60)
      await Promise.all([session.interrupt(), session.interrupt()])
      expect((await running).type).toBe('KeyboardInterrupt')
      expect((await session.execute('import time; time.sleep(0.05); 1')).value).toBe(1)
    })

    test('B4: interrupt() in the same turn as execute stops the execution', async () => {
      const session = await open()
      const running = pythonErrorOf(session.execute('while True: pass', { timeoutMs: 5000 }))
      await session.interrupt()
      expect((await running).type).toBe('KeyboardInterrupt')
    })
  },
  [fresh],
)

test('B4: aborting a call that waits for a slot ends the wait, and the session can wait again', async () => {
  const manager = await managerForTest({ slots: 1, limits: { interruptGraceMs: 0 } })
  const waiting = await manager.createSession()
  await waiting.execute('x = 2')
  await waiting.execute('x = 0; sum(range(10**12))', { timeoutMs: 20 }).catch(() => {})
  const holder = await manager.createSession()
  const controller = new AbortController()
  const call = rejectionOf(CancelledError, waiting.execute('1', { signal: controller.signal }))
  await until(() => manager.stats().queued === 1)
  controller.abort()
  expect((await call).outcome).toBe('not-started')
  expect([manager.stats().queued, waiting.executionCount]).toEqual([0, 2])
  const again = waiting.execute('x')
  await holder.close()
  expect((await again).value).toBe(2)
})

test('B4: an abort while the session acquires its interpreter is not lost', async () => {
  const manager = await managerForTest({ slots: 3, limits: { interruptGraceMs: 0 } })
  const session = await manager.createSession()
  await session.execute('sum(range(10**12))', { timeoutMs: 20 }).catch(() => {})
  await until(() => manager.stats().slots.ready > 0)
  const controller = new AbortController()
  const running = session.execute('while True: pass', { timeoutMs: 5000, signal: controller.signal })
  // Late enough to have a slot, too early for its answer.
  for (let turn = 0; turn < 30; turn++) await Promise.resolve()
  controller.abort()
  expect(await rejectionOf(Error, running)).toMatchObject({ code: 'CANCELLED' })
})
