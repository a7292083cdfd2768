// When a waiting caller's timeout runs (src/slots/waiting-line.ts).
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CancelledError } from '../../src/shared/errors.js'
import type { Slot } from '../../src/slots/slot.js'
import { WaitingLine } from '../../src/slots/waiting-line.js'
import { rejectionOf } from '../support/session-code.js'

class TimedOut extends Error {}

let line: WaitingLine

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  line = new WaitingLine(1000, () => new TimedOut())
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

test('time in which a slot is on its way does not count, however long that takes', async () => {
  const waiting = line.join('a', undefined)
  line.count(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(line.length).toBe(1)
  line.first?.resolve({} as Slot)
  await waiting
  expect(line.length).toBe(0)
})

test('time in which all slots are leased to others adds up to acquireTimeoutMs', async () => {
  const rejected = expect(line.join('a', undefined)).rejects.toBeInstanceOf(TimedOut)
  line.count(0)
  await vi.advanceTimersByTimeAsync(600)
  line.count(1)
  await vi.advanceTimersByTimeAsync(5000)
  line.count(0)
  await vi.advanceTimersByTimeAsync(399)
  expect(line.length).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(line.length).toBe(0)
  await rejected
})

test('the clock stands still only for as many first callers as slots are on their way', async () => {
  const first = line.join('a', undefined)
  const rejected = expect(line.join('b', undefined)).rejects.toBeInstanceOf(TimedOut)
  line.count(1)
  await vi.advanceTimersByTimeAsync(1000)
  expect(line.first?.tenant).toBe('a')
  await rejected
  line.first?.resolve({} as Slot)
  await first
})

test('a caller whose signal aborts leaves the queue', async () => {
  const controller = new AbortController()
  const cancelled = rejectionOf(CancelledError, line.join('a', controller.signal))
  line.count(0)
  controller.abort()
  await cancelled
  expect(line.length).toBe(0)
})
