// Which waiting caller gets the next slot, and when a caller's timeout runs (src/slots/waiting-line.ts).
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
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

function request(tenant: string, imageId = 'i') {
  return { tenant, imageId }
}

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

test('time during which a slot is being prepared does not count, however long it takes', async () => {
  const waiting = line.join(request('a'), undefined)
  line.count(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(line.length).toBe(1)
  line.first('i')?.resolve({} as Slot)
  await waiting
  expect(line.length).toBe(0)
})

test('time during which all slots are leased to others adds up to acquireTimeoutMs', async () => {
  const rejected = expect(line.join(request('a'), undefined)).rejects.toBeInstanceOf(TimedOut)
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

test('the clock stops only for as many callers at the front as slots are being prepared', async () => {
  const first = line.join(request('a'), undefined)
  const rejected = expect(line.join(request('b'), undefined)).rejects.toBeInstanceOf(TimedOut)
  line.count(1)
  await vi.advanceTimersByTimeAsync(1000)
  expect(line.first('i')?.tenant).toBe('a')
  await rejected
  line.first('i')?.resolve({} as Slot)
  await first
})

test('a caller whose signal aborts leaves the queue', async () => {
  const controller = new AbortController()
  const cancelled = rejectionOf(CancelledError, line.join(request('a'), controller.signal))
  line.count(0)
  controller.abort()
  await cancelled
  expect(line.length).toBe(0)
})

test('callers that wait for another image do not delay the next one', async () => {
  const waiting = [line.join(request('a', 'x'), undefined), line.join(request('b', 'y'), undefined)]
  line.count(2)
  expect([...line.countByImage()]).toEqual([
    ['x', 1],
    ['y', 1],
  ])
  line.first('y')?.resolve({} as Slot)
  await waiting[1]
  expect(line.first('y')).toBeUndefined()
  line.rejectAll(new TimedOut(), 'y')
  expect(line.length).toBe(1)
  const rejected = expect(waiting[0]).rejects.toBeInstanceOf(TimedOut)
  line.rejectAll(new TimedOut(), 'x')
  await rejected
})

describe('tenants take turns', () => {
  /** Tenants in the order in which they are served. */
  function served(count: number): string[] {
    return Array.from({ length: count }, () => {
      const first = line.first('i')
      first?.resolve({} as Slot)
      return first?.tenant ?? 'nobody'
    })
  }
  const join = (...tenants: string[]) => {
    for (const tenant of tenants) void line.join(request(tenant), undefined)
  }

  test('a tenant with many callers delays another tenant by one', () => {
    join('many', 'many', 'many', 'many', 'one', 'two', 'two')
    expect(served(7)).toEqual(['many', 'one', 'two', 'many', 'two', 'many', 'many'])
  })

  test('a late caller waits for one caller of each tenant before it', () => {
    join('many', 'many', 'many', 'many', 'many')
    expect(served(2)).toEqual(['many', 'many'])
    join('late', 'many')
    expect(served(5)).toEqual(['late', 'many', 'many', 'many', 'many'])
  })

  test('callers of one tenant, and the first callers of several tenants, are served in order of arrival', () => {
    join('a', 'b', 'c')
    expect(served(3)).toEqual(['a', 'b', 'c'])
    join('a', 'a')
    join('b')
    expect(served(3)).toEqual(['a', 'b', 'a'])
  })

  test('a tenant that returns at once waits for the tenants already in line', () => {
    join('a', 'b', 'b', 'b')
    const order: string[] = []
    while (line.length > 0) {
      order.push(...served(1))
      if (order.at(-1) === 'a' && order.length < 6) join('a')
    }
    expect(order).toEqual(['a', 'b', 'b', 'a', 'b', 'a'])
  })

  test('a caller that gives up leaves no gap in the line', () => {
    const controller = new AbortController()
    join('a', 'b')
    line.join(request('a'), controller.signal).catch(() => {})
    controller.abort()
    join('a', 'b')
    expect(served(4)).toEqual(['a', 'b', 'a', 'b'])
  })
})
