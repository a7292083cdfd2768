// Behaviours D7: the context passed to a callback, and its signal, which aborts as soon as nothing waits for the result any more.
import { CancelledError, type Session, SessionClosedError, TimeoutError } from 'brumate'
import { beforeEach, describe, expect, test } from 'vitest'
import { py, rejectionOf, sleep, until } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let signals: AbortSignal[] = []
beforeEach(() => {
  signals = []
})

const callbacks = {
  never: (_: unknown, { signal }: { signal: AbortSignal }) => {
    signals.push(signal)
    return new Promise(() => {})
  },
  echo: ({ x }: { x: unknown }) => x,
}

test('D7: a callback receives its arguments, the session, a signal and suspend', async () => {
  const manager = await sharedManager({ slots: 1 })
  const seen: unknown[] = []
  await using session = await manager.createSession({
    callbacks: {
      look: (args, context) => {
        seen.push(args, Object.keys(context).sort(), context.session, context.signal.aborted)
      },
    },
  })
  await session.execute('await look(a=1, b=[2])')
  expect(seen).toEqual([{ a: 1, b: [2] }, ['session', 'signal', 'suspend'], session, false])
})

test('D7: the signal of an answered call never aborts', async () => {
  const manager = await sharedManager({ slots: 1 })
  const kept: AbortSignal[] = []
  const session = await manager.createSession({
    callbacks: { quick: (_, { signal }) => void kept.push(signal) },
  })
  await session.execute('await quick()')
  await rejectionOf(TimeoutError, session.execute('while True: pass', { timeoutMs: 50 }))
  await session.close()
  expect(kept.map(({ aborted }) => aborted)).toEqual([false])
})

/** Ways to end an execution early while two calls are running. */
const ENDS: readonly {
  readonly title: string
  readonly code?: string
  readonly stop: (session: Session, controller: AbortController) => unknown
  readonly error: new (...args: never[]) => Error
}[] = [
  {
    title: 'an AbortSignal',
    stop: (_, controller) => controller.abort(new Error('no more')),
    error: CancelledError,
  },
  { title: 'close()', stop: (session) => session.close(), error: SessionClosedError },
  {
    title: 'a kill of code that ignores interrupts',
    code: py`
      import asyncio
      async def deaf():
          while True:
              try: await asyncio.gather(never(), never())
              except BaseException: sum(range(10**12))
      await deaf()
    `,
    stop: (_, controller) => controller.abort(),
    error: CancelledError,
  },
]

describe('D7: the signals of running calls abort', () => {
  test.each(ENDS)('on $title', async ({ stop, error, code }) => {
    const manager = await sharedManager({ slots: 2 })
    const session = await manager.createSession({ callbacks })
    const controller = new AbortController()
    const running = session.execute(code ?? 'import asyncio\nawait asyncio.gather(never(), never())', {
      signal: controller.signal,
    })
    const failed = rejectionOf(error, running)
    await until(() => signals.length === 2)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
    await stop(session, controller)
    await failed
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    expect(signals[0]?.reason).toBeInstanceOf(Error)
    await session.close()
  })

  test('on a timeout', async () => {
    const manager = await sharedManager({ slots: 1 })
    await using session = await manager.createSession({ callbacks })
    await rejectionOf(TimeoutError, session.execute('await never()', { timeoutMs: 100 }))
    expect(signals.map(({ aborted, reason }) => [aborted, reason.name])).toEqual([[true, 'TimeoutError']])
    expect((await session.execute('await echo(x=1)')).value).toBe(1)
  })

  test('on interrupt(), which Python sees as KeyboardInterrupt', async () => {
    const manager = await sharedManager({ slots: 1 })
    await using session = await manager.createSession({ callbacks })
    const running = session.execute(
      'try: await never()\nexcept KeyboardInterrupt: seen = "interrupted"\nseen',
    )
    await until(() => signals.length === 1)
    await session.interrupt()
    expect((await running).value).toBe('interrupted')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  test('on output past its limit', async () => {
    const manager = await sharedManager({ slots: 1 })
    await using session = await manager.createSession({ callbacks, limits: { outputBytes: 10_000 } })
    const code =
      'import asyncio\ntask = asyncio.create_task(never())\nawait asyncio.sleep(0); await echo(x=1)\nwhile True: print("x" * 100)'
    await expect(session.execute(code)).rejects.toMatchObject({ name: 'LimitError' })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  test('on reset, clearState and restoreState, for tasks that outlived their execution', async () => {
    const manager = await sharedManager({ slots: 2 })
    await using session = await manager.createSession({ callbacks })
    const snapshot = await session.snapshotState()
    const ways = [() => session.reset(), () => session.clearState(), () => session.restoreState(snapshot)]
    for (const [index, way] of ways.entries()) {
      await session.execute('import asyncio\ntask = asyncio.create_task(never())\nawait asyncio.sleep(0.05)')
      await until(() => signals.length === index + 1)
      expect(signals[index]?.aborted).toBe(false)
      await way()
      expect(signals[index]?.aborted).toBe(true)
      expect((await session.execute('await echo(x=1)')).value).toBe(1)
    }
  })

  test('on an AbortSignal during a blocking call', async () => {
    const manager = await sharedManager({ slots: 1 })
    await using session = await manager.createSession({ callbacks })
    const controller = new AbortController()
    const running = session.execute('import brumate; brumate.call_sync("never")', {
      signal: controller.signal,
    })
    const failed = rejectionOf(CancelledError, running)
    await until(() => signals.length === 1)
    controller.abort()
    expect((await failed).outcome).toBe('interrupted')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })
})

test('D7: an answer after the execution has ended early is ignored', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: { slow: ({ x }) => sleep(80).then(() => x), echo: ({ x }) => x },
  })
  await rejectionOf(TimeoutError, session.execute('await slow(x="old")', { timeoutMs: 30 }))
  expect((await session.execute('[await echo(x=1), await slow(x="new")]')).value).toEqual([1, 'new'])
})
