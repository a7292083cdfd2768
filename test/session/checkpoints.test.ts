// B2, B7: a session that loses its worker continues from the state after its last completed call.
import { CancelledError, InterpreterCrashedError, SnapshotError, TimeoutError } from 'brumate'
import { describe, expect, test } from 'vitest'
import { rejectionOf, until } from '../support/session-code.js'
import { countersSince, sharedManager } from '../support/shared-manager.js'
import { scaled } from '../support/slowness.mjs'

/** Makes the session lose its worker on a timeout: a loop in C code ignores interrupts. */
const DEAF = 'sum(range(10**12))'
const CRASH = 'import os; os.abort()'
const limits = { interruptGraceMs: 0 }

describe('B2: automatic checkpoints', () => {
  // Few executions, so that even a slow machine has time for a checkpoint after each; budget.test.ts tests how many there are.
  test('the effects of three executions in a row survive a kill', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession({ limits })
    await session.execute('n = 0')
    for (let i = 0; i < 3; i++) await session.execute('n += 1')
    const error = await rejectionOf(TimeoutError, session.execute(`n = -1; ${DEAF}`, { timeoutMs: 50 }))
    expect(error.outcome).toBe('restored')
    expect(await session.execute('n')).toMatchObject({ value: 3, executionCount: 6 })
  })

  test('a snapshot taken after a kill describes the whole session', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession({ limits })
    for (let i = 0; i < 3; i++) await session.execute(`burst_${i} = ${i}`)
    const error = await rejectionOf(InterpreterCrashedError, session.execute(CRASH))
    expect(error.outcome).toBe('restored')
    const snapshot = await session.snapshotState()
    expect(snapshot.globals()).toMatchObject({ burst_0: 0, burst_1: 1, burst_2: 2 })
    expect(snapshot.manifest.globals.map(({ name }) => name)).toEqual(['burst_0', 'burst_1', 'burst_2'])
  })

  test('the effects of set, clearState and a failed execution also survive', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession({ limits })
    const kill = () => rejectionOf(InterpreterCrashedError, session.execute(CRASH))
    await session.set('x', 5)
    await kill()
    expect(await session.get('x')).toBe(5)
    await expect(session.execute('y = 6; 1 / 0')).rejects.toThrow()
    await kill()
    expect(await session.get('y')).toBe(6)
    await session.clearState()
    await kill()
    expect((await session.execute('"x" in globals()')).value).toBe(false)
  })

  test('files, open descriptors and the working directory survive', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession({ limits })
    await session.execute('import os; os.chdir("/tmp"); f = open("log", "w+"); f.write("kept"); f.flush()')
    await rejectionOf(InterpreterCrashedError, session.execute(CRASH))
    expect((await session.execute('[os.getcwd(), f.tell(), open("log").read()]')).value).toEqual([
      '/tmp',
      4,
      'kept',
    ])
  })

  test('an idle session is checkpointed by itself, once per change', async () => {
    const manager = await sharedManager({ slots: 4 })
    const counted = countersSince(manager)
    await using session = await manager.createSession()
    await session.execute('x = 1')
    await until(() => counted().checkpoints === 1)
    await session.get('x')
    await session.set('x', 2)
    await until(() => counted().checkpoints === 2)
    expect(counted().refusedCheckpoints).toBe(0)
  })

  test('a fresh session that is killed in its first execution loses nothing', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession({ limits })
    const error = await rejectionOf(InterpreterCrashedError, session.execute(`x = 1; ${CRASH}`))
    expect(error.outcome).toBe('restored')
    expect((await session.execute('"x" in globals()')).value).toBe(false)
  })

  test('a fork that is killed continues from the snapshot it was forked from', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using origin = await manager.createSession()
    await origin.execute('x = "origin"')
    await using fork = await manager.createSession({ from: await origin.snapshotState(), limits })
    await rejectionOf(InterpreterCrashedError, fork.execute(CRASH))
    expect(await fork.get('x')).toBe('origin')
  })

  test('a state that cannot be checkpointed is counted, and the previous checkpoint stays in force', async () => {
    const manager = await sharedManager({ slots: 4 })
    const counted = countersSince(manager)
    await using session = await manager.createSession({ limits: { ...limits, snapshotBytes: 1024 * 1024 } })
    await session.execute('x = "small"')
    await session.execute('import os; big = os.urandom(3_000_000)')
    await until(() => counted().refusedCheckpoints === 1)
    expect((await rejectionOf(SnapshotError, session.snapshotState())).reason).toBe('too-large')
    expect((await session.execute('len(big)')).value).toBe(3_000_000)
    await rejectionOf(InterpreterCrashedError, session.execute(CRASH))
    expect((await session.execute('[x, "big" in globals()]')).value).toEqual(['small', false])
  })
})

describe('B2: a checkpoint', () => {
  test('may take longer than an execution may, so a large session is not killed', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession({ executionTimeoutMs: scaled(50), limits })
    await session.execute('import os; big = os.urandom(50_000_000)', { timeoutMs: 20_000 })
    const error = await rejectionOf(InterpreterCrashedError, session.execute(CRASH))
    expect([error.message, error.outcome]).toEqual([expect.stringContaining('abort'), 'restored'])
    expect((await session.execute('len(big)', { timeoutMs: 20_000 })).value).toBe(50_000_000)
  })

  test('does not wait forever for a finalizer, even without an execution time limit', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession({ executionTimeoutMs: null, limits })
    await session.execute(
      'import gc, time; gc.disable()\nclass C:\n    def __del__(self):\n        while True: time.sleep(0.01)\nc = C(); c.me = c; x = 7; del c',
    )
    expect((await session.execute('x')).value).toBe(7)
    expect((await rejectionOf(InterpreterCrashedError, session.execute(CRASH))).outcome).toBe('restored')
    expect(await session.get('x')).toBe(7)
  })
})

describe('B2: an execution that arrives during a checkpoint', () => {
  /** Large enough that packing it takes a while on other threads. */
  const LARGE =
    'import os, hashlib; big = bytearray(os.urandom(5_000_000)); before = hashlib.sha256(big).hexdigest()'
  const slow = { timeoutMs: 20_000 }

  test('does not change the checkpoint', async () => {
    const manager = await sharedManager({ slots: 4 })
    await using session = await manager.createSession({ limits })
    await session.execute(LARGE, slow)
    const crash = session.execute(`big[:] = bytes(len(big)); ${CRASH}`, slow)
    expect((await rejectionOf(InterpreterCrashedError, crash)).outcome).toBe('restored')
    expect((await session.execute('hashlib.sha256(big).hexdigest() == before', slow)).value).toBe(true)
  })

  test('has its full time limit', async () => {
    const manager = await sharedManager({ slots: 4 })
    const counted = countersSince(manager)
    await using session = await manager.createSession({ limits })
    // The checkpoint collects garbage first, which takes longer than the execution's time limit.
    const slowToCollect =
      'import gc, time; gc.disable()\nclass C:\n    def __del__(self): time.sleep(1)\nc = C(); c.me = c; del c'
    await session.execute(slowToCollect, slow)
    const { value } = await session.execute('1 + 1', { timeoutMs: 500 })
    expect([value, counted().checkpoints]).toEqual([2, 1])
  })

  test('can be aborted while it waits, and nothing is lost', async () => {
    const manager = await sharedManager({ slots: 4 })
    const counted = countersSince(manager)
    await using session = await manager.createSession({ limits: { interruptGraceMs: 20 } })
    await session.execute(LARGE, slow)
    const abort = new AbortController()
    const aborted = session.execute('big = None\nwhile True: pass', { ...slow, signal: abort.signal })
    abort.abort()
    const { outcome } = await rejectionOf(CancelledError, aborted)
    expect(['interrupted', 'not-started']).toContain(outcome)
    expect((await session.execute('before is not None', slow)).value).toBe(true)
    expect(counted()).toMatchObject({ crashes: 0, thaws: 0 })
  })

  test('gets the error if the checkpoint loses the worker, and the next call works', async () => {
    const manager = await sharedManager({ slots: 4 })
    const counted = countersSince(manager)
    await using session = await manager.createSession({ limits })
    await session.execute('x = "kept"')
    await until(() => counted().checkpoints === 1)
    await session.execute(
      `import gc, os; gc.disable()\nclass C:\n    def __del__(self): os.abort()\nc = C(); c.me = c; del c; x = "lost"`,
    )
    expect((await rejectionOf(InterpreterCrashedError, session.execute('x'))).outcome).toBe('restored')
    expect(await session.get('x')).toBe('kept')
    expect(counted().crashes).toBe(1)
  })
})

describe('B2: manual checkpoints', () => {
  test('a lost worker restores the last snapshotState, or resets the session if there was none', async () => {
    const manager = await sharedManager({ slots: 4 })
    const counted = countersSince(manager)
    await using session = await manager.createSession({ checkpoint: 'manual', limits })
    await session.execute('x = 1')
    expect((await rejectionOf(InterpreterCrashedError, session.execute(CRASH))).outcome).toBe('reset')
    expect((await session.execute('"x" in globals()')).value).toBe(false)
    await session.execute('x = 2')
    await session.snapshotState()
    await session.execute('x = 3')
    expect((await rejectionOf(InterpreterCrashedError, session.execute(CRASH))).outcome).toBe('restored')
    expect(await session.get('x')).toBe(2)
    expect(counted().checkpoints).toBe(0)
  })
})

test('B1: a finalizer that never ends does not block a snapshot', async () => {
  const manager = await sharedManager({ slots: 4 })
  await using session = await manager.createSession({ checkpoint: 'manual', executionTimeoutMs: 200 })
  await session.execute(
    'import gc; gc.disable()\nclass C:\n    def __del__(self):\n        while True: pass\nc = C(); c.me = c; x = 7; del c',
  )
  const snapshot = await session.snapshotState()
  await using other = await manager.createSession({ from: snapshot })
  expect(await other.get('x')).toBe(7)
  expect(await session.get('x')).toBe(7)
})
