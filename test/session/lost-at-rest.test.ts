// S3: a worker is lost while no caller waits for it. The next call of any kind gets the error, once.
import type { Worker } from 'node:worker_threads'
import { InterpreterCrashedError, PoolExhaustedError, type Session } from 'brumate'
import { expect, onTestFinished, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { rejectionOf, until } from '../support/session-code.js'
import { countersSince, sharedManager } from '../support/shared-manager.js'

/** Kills the worker when the session is captured: a capture collects garbage, which runs a finalizer that aborts. */
const CRASH_ON_CAPTURE =
  'import gc, os; gc.disable()\nclass C:\n    def __del__(self): os.abort()\nc = C(); c.me = c'

/** A session whose worker died while it was captured, because another session needed the slot. */
async function lostWhilePutAway(): Promise<Session> {
  const manager = await sharedManager({ slots: 1 })
  const counted = countersSince(manager)
  const session = await manager.createSession({ checkpoint: 'manual' })
  onTestFinished(() => session.close())
  await session.execute('x = "kept"')
  await session.snapshotState()
  await session.execute(`${CRASH_ON_CAPTURE}; x = "lost"; del c`)
  const other = await manager.createSession()
  expect(counted().crashes).toBe(1)
  await other.close()
  return session
}

test.each([
  ['execute', (session: Session) => session.execute('x')],
  ['get', (session: Session) => session.get('x')],
  ['hibernate', (session: Session) => session.hibernate()],
  ['snapshotState', (session: Session) => session.snapshotState()],
] as const)(
  'S3: a session lost during its eviction reports that to %s, and continues from its checkpoint',
  async (_, call) => {
    const session = await lostWhilePutAway()
    expect((await rejectionOf(InterpreterCrashedError, call(session))).outcome).toBe('restored')
    expect(await session.get('x')).toBe('kept')
  },
)

test('S3: after reset and restoreState the loss no longer matters and is not reported', async () => {
  const reset = await lostWhilePutAway()
  await reset.reset()
  expect((await reset.execute('"x" in globals()')).value).toBe(false)
  const restored = await lostWhilePutAway()
  const manager = await sharedManager({ slots: 1 })
  await using origin = await manager.createSession()
  await origin.execute('x = "other"')
  await restored.restoreState(await origin.snapshotState())
  expect(await restored.get('x')).toBe('other')
})

test('A6: a reset that gets no slot still resets the execution count', async () => {
  const workers: Worker[] = []
  const onWorker = (worker: Worker) => workers.push(worker)
  process.on('worker', onWorker)
  onTestFinished(() => void process.off('worker', onWorker))
  const manager = await managerForTest({ slots: 1, acquireTimeoutMs: 1500 })
  await using session = await manager.createSession()
  await session.execute('x = 1')
  // Its slot cannot be renewed, and another session is the first to get the next one. If a manager of an earlier file boots a spare slot at
  // this moment, that ends too.
  for (const worker of workers) void worker.terminate()
  const reset = rejectionOf(PoolExhaustedError, session.reset())
  const busy = manager.createSession().then((other) => other.execute('import time; time.sleep(4)'))
  await reset
  expect(session.executionCount).toBe(0)
  await busy
  expect((await session.execute('"x" in globals()')).executionCount).toBe(1)
})

test('A6: a snapshot of a dormant session has its execution count, even if the state came from restoreState', async () => {
  const manager = await sharedManager({ slots: 4 })
  await using session = await manager.createSession()
  await session.execute('x = 1')
  const early = await session.snapshotState()
  await session.execute('x = 2')
  await session.restoreState(early)
  await session.hibernate()
  const { manifest } = await session.snapshotState()
  expect([manifest.executionCount, session.executionCount]).toEqual([2, 2])
})

test('D8: calls other than executions leave a suspended execution suspended', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    callbacks: { ask: (_: unknown, { suspend }: { suspend(): never }) => suspend() },
  })
  const { pending } = await session.execute('x = await ask(); x')
  await session.set('y', 1)
  expect(await session.get('y')).toBe(1)
  await expect(session.execute('1')).rejects.toMatchObject({ code: 'SESSION_SUSPENDED' })
  expect((await session.resume({ results: { [pending[0]?.id ?? '']: 5 } })).value).toBe(5)
  await until(() => session.pending.length === 0)
})
