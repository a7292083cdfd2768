// The life of a slot as the main thread sees it, without a worker.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { slotWithoutWorker } from '../support/slot-without-worker.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

test('S2: a worker that never reports that it has booted is ended, and waiting callers get an error', async () => {
  const { slot, run } = slotWithoutWorker()
  const waiting = expect(slot.ready).rejects.toThrow('its worker did not boot within')
  await vi.advanceTimersByTimeAsync(59_999)
  expect(slot.alive).toBe(true)
  await vi.advanceTimersByTimeAsync(1)
  expect([slot.alive, run.signal.aborted]).toEqual([false, true])
  await waiting
})

test('S2: a slot that has booted no longer has a deadline', async () => {
  const { slot, run } = slotWithoutWorker()
  run.task.port.postMessage({ event: 'ready' })
  await slot.ready
  await vi.advanceTimersByTimeAsync(120_000)
  expect([slot.alive, vi.getTimerCount()]).toEqual([true, 0])
  slot.terminate('the test is over')
})

test('a slot that ends while it boots leaves no timer behind', async () => {
  const { thread, slot } = slotWithoutWorker()
  slot.terminate('the test is over')
  await thread.stopped
  expect(vi.getTimerCount()).toBe(0)
})
