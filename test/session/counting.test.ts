// A6: what counts as an execution.
import { expect, test } from 'vitest'
import { pythonErrorOf, rejection } from '../support/session-code.js'
import { describeSessions } from '../support/session-modes.js'

describeSessions('counting', (open) => {
  test('A6: executionCount starts at 1, and each result has its own number', async () => {
    const session = await open()
    expect(session.executionCount).toBe(0)
    expect((await session.execute('1')).executionCount).toBe(1)
    expect((await session.execute('2')).executionCount).toBe(2)
    expect(session.executionCount).toBe(2)
  })

  test('A6: failed executions count: exceptions, syntax errors, timeouts', async () => {
    const session = await open()
    await pythonErrorOf(session.execute('1/0'))
    await pythonErrorOf(session.execute(')'))
    await rejection(session.execute('while True: pass', { timeoutMs: 20 }))
    expect((await session.execute('1')).executionCount).toBe(4)
  })

  test('A6: queued executions are numbered in call order', async () => {
    const session = await open()
    const results = await Promise.all(['1', '2', '3'].map((code) => session.execute(code)))
    expect(results.map(({ executionCount }) => executionCount)).toEqual([1, 2, 3])
  })

  test('A6: get, set and interrupt do not count', async () => {
    const session = await open()
    await session.set('x', 1)
    await session.get('x')
    await session.interrupt()
    expect(session.executionCount).toBe(0)
  })

  test('A6: calls with invalid arguments and calls that never started do not count', async () => {
    const session = await open()
    await rejection(session.execute(1 as never))
    await rejection(session.execute('1', { timeoutMs: -1 }))
    await rejection(session.execute('1', { signal: AbortSignal.abort() }))
    expect(session.executionCount).toBe(0)
  })

  test('A6: reset sets executionCount to 0', async () => {
    const session = await open()
    await session.execute('1')
    await session.reset()
    expect(session.executionCount).toBe(0)
    expect((await session.execute('1')).executionCount).toBe(1)
  })

  test('A6: clearState keeps executionCount', async () => {
    const session = await open()
    await session.execute('1')
    await session.clearState()
    expect((await session.execute('1')).executionCount).toBe(2)
  })
})
