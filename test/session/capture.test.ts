// B1, B2: a slow capture does not end its session. Only user code, such as finalizers, has a deadline; on a busy machine, the
// rest may take many times as long as on an idle one. The tests use a fake clock.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { capture } from '../../src/session/capture.js'
import type { SessionContext } from '../../src/session/context.js'
import type { ResolvedSessionOptions } from '../../src/session/options.js'
import { slotWithoutWorker } from '../support/slot-without-worker.js'

const INTERRUPT = 0
const USER_CODE = 2
const TIMEOUT_MS = 2_000
/** Id of a slot's first call. */
const ID = 1

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Starts a capture in a slot that never answers. Returns it with the words of memory that it shares with its worker. */
function start(waitsFor?: Promise<void>) {
  const { slot, run } = slotWithoutWorker()
  // These tests are not about the boot.
  void slot.ready.catch(() => {})
  vi.clearAllTimers()
  const words = new Int32Array(run.task.interrupt)
  const options = { limits: { interruptGraceMs: 0, snapshotBytes: null } } as ResolvedSessionOptions
  const captured = capture(slot, options, {} as SessionContext, {
    timeoutMs: TIMEOUT_MS,
    waitsFor,
    effort: 'quick',
    executionCount: 1,
    number: null,
    base: undefined,
    reasons: () => ({}),
  })
  return { slot, words, captured }
}

test('B2: comparing and packing memory are never interrupted, however slow the machine is', () => {
  const { slot, words } = start()
  vi.advanceTimersByTime(50_000)
  expect([slot.alive, words[INTERRUPT]]).toEqual([true, 0])
  slot.terminate('the test has ended')
})

test('B2: a capture that had to wait still has its full time for finalizers', () => {
  const { slot, words } = start()
  vi.advanceTimersByTime(TIMEOUT_MS - 1)
  words[USER_CODE] = ID
  vi.advanceTimersByTime(TIMEOUT_MS - 1)
  expect(words[INTERRUPT]).toBe(0)
  slot.terminate('the test has ended')
})

test('B1: finalizers are interrupted at the deadline, and the steps after them may take longer', () => {
  const { slot, words } = start()
  words[USER_CODE] = ID
  vi.advanceTimersByTime(1.5 * TIMEOUT_MS)
  expect(words[INTERRUPT]).toBe(ID)
  words[USER_CODE] = 0
  vi.advanceTimersByTime(50_000)
  expect(slot.alive).toBe(true)
  slot.terminate('the test has ended')
})

test('B1: while a capture waits for an execution, only its finalizers have a deadline', () => {
  const { slot, words } = start(new Promise(() => {}))
  vi.advanceTimersByTime(600_000)
  expect([slot.alive, words[INTERRUPT]]).toEqual([true, 0])
  words[USER_CODE] = ID
  vi.advanceTimersByTime(1.5 * TIMEOUT_MS)
  expect(words[INTERRUPT]).toBe(ID)
  slot.terminate('the test has ended')
})

test('B1: finalizers that cannot be interrupted cost the session its worker', async () => {
  const { words, captured } = start()
  words[USER_CODE] = ID
  vi.advanceTimersByTime(50_000)
  expect(await captured).toMatchObject({ kind: 'lost', reason: 'it did not stop when interrupted' })
})

test('B1: a worker that never answers is eventually killed', async () => {
  const { captured } = start()
  vi.advanceTimersByTime(600_000)
  expect(await captured).toMatchObject({
    kind: 'lost',
    reason: expect.stringMatching(/^it took longer than/),
  })
})
