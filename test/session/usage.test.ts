// Usage figures of results, sessions and managers.
import { expect, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { sharedManager } from '../support/shared-manager.js'

const KIB = 1024

test('B6: a result reports output bytes, file bytes, memory and host calls', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({ callbacks: { ask: () => 1 } })
  const result = await session.execute(
    `import sys
print('é' * 500)
sys.stderr.write('x' * 24)
open('/tmp/file', 'wb').write(bytes(5000))
await ask(); await ask()`,
  )
  expect(result).toMatchObject({ outputBytes: 1001 + 24, fileBytes: 5000, callbackInvocations: 2 })
  expect(result.peakMemoryBytes).toBeGreaterThan(1_000_000)
  const next = await session.execute("import os; os.truncate('/tmp/file', 7)")
  expect(next).toMatchObject({ outputBytes: 0, fileBytes: 7, callbackInvocations: 0 })
})

test('session.usage adds up executions that completed, failed, exceeded a limit or were killed', async () => {
  const manager = await sharedManager({ slots: 4 })
  await using session = await manager.createSession({
    callbacks: { ask: () => 1 },
    limits: { outputBytes: 10 * KIB, interruptGraceMs: 20 },
  })
  expect(session.usage).toMatchObject({
    executions: 0,
    executionMs: 0,
    outputBytes: 0,
    callbackInvocations: 0,
  })
  await session.execute("print('x' * 99); await ask()")
  await session.execute("print('y' * 9); await ask(); 1 / 0").catch(() => {})
  await session.execute("print('z' * 100000)").catch(() => {})
  expect(session.usage).toMatchObject({
    executions: 3,
    outputBytes: 100 + 10 + 10 * KIB,
    callbackInvocations: 2,
  })
  const { executionMs } = session.usage
  await session
    .execute('while True:\n  try:\n    while True: pass\n  except BaseException: pass', { timeoutMs: 50 })
    .catch(() => {})
  expect(session.usage.executions).toBe(4)
  expect(session.usage.executionMs).toBeGreaterThan(executionMs + 60)
  await session.reset()
  expect(session.usage.executions).toBe(4)
})

test('memoryBytes counts only while a session has an interpreter; the peak stays', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession()
  const { peakMemoryBytes } = await session.execute('x = bytes(50_000_000); del x')
  expect(session.usage.memoryBytes).toBe(peakMemoryBytes)
  await session.hibernate()
  expect(session.usage).toMatchObject({ memoryBytes: 0, peakMemoryBytes })
})

test('manager.stats() adds up all sessions, including closed ones', async () => {
  const manager = await managerForTest({ slots: 2 })
  const one = await manager.createSession({ callbacks: { ask: () => 1 } })
  const two = await manager.createSession()
  await one.execute("print('abc', end=''); await ask()")
  await two.execute("print('de', end=''); open('/tmp/f', 'wb').write(b'12345')")
  expect(manager.stats().usage).toMatchObject({ outputBytes: 5, callbackInvocations: 1, fileBytes: 5 })
  expect(manager.stats().usage.memoryBytes).toBe(one.usage.memoryBytes + two.usage.memoryBytes)
  await two.close()
  expect(manager.stats().usage).toMatchObject({ outputBytes: 5, fileBytes: 0 })
})

test('session.image and session.limits are available even while the session is dormant', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({ limits: { memoryBytes: 128 * 1024 * KIB } })
  await session.hibernate()
  expect(session.image).toMatchObject({ packages: [], home: '/home/pyodide' })
  expect(session.image.pythonVersion).toMatch(/^3\.14\.\d+/)
  expect(session.limits).toMatchObject({ memoryBytes: 128 * 1024 * KIB, callbackTimeoutMs: 10_000 })
  expect(session.state).toBe('dormant')
})
