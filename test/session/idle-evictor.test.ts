// Which sessions give up their slot, when, and how much work the evictor does to find them (src/session/idle-evictor.ts).
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Evictable, IdleEvictor } from '../../src/session/idle-evictor.js'

/** A session that the test marks as idle. `looks` counts how often the evictor has read its idle time. */
class FakeSession implements Evictable {
  looks = 0
  left = false
  attachedSinceMs = Number.NEGATIVE_INFINITY
  #idleSinceMs: number | undefined
  readonly #refuses: boolean

  constructor(refuses = false) {
    this.#refuses = refuses
  }

  get idleSinceMs(): number | undefined {
    this.looks++
    return this.#idleSinceMs
  }

  markIdle(evictor: IdleEvictor): this {
    this.#idleSinceMs = performance.now()
    evictor.markIdle(this)
    return this
  }

  work(): void {
    this.#idleSinceMs = undefined
  }

  async evict(): Promise<void> {
    if (this.#refuses) throw new Error('it cannot be captured')
    this.left = true
    this.work()
    if (slotsNeeded > 0) slotsNeeded--
  }
}

/** Number of slots that callers wait for. */
let slotsNeeded = 0
let evictor: IdleEvictor

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  slotsNeeded = 0
  evictor = new IdleEvictor(() => slotsNeeded, Number.POSITIVE_INFINITY)
})

afterEach(() => {
  evictor.close()
  vi.useRealTimers()
})

function sessions(count: number): FakeSession[] {
  return Array.from({ length: count }, () => {
    vi.advanceTimersByTime(10)
    return new FakeSession().markIdle(evictor)
  })
}

const left = (all: readonly FakeSession[]) => all.map((session) => session.left)

test('the sessions that have been idle longest are evicted, one for each waiting caller', async () => {
  const all = sessions(4)
  all[0]?.markIdle(evictor)
  slotsNeeded = 2
  evictor.evictForWaiters()
  await vi.advanceTimersByTimeAsync(100)
  expect(left(all)).toEqual([false, true, true, false])
})

test('a busy session keeps its slot, and is evicted when it becomes idle while a caller waits', async () => {
  const [busy] = sessions(1) as [FakeSession]
  busy.work()
  slotsNeeded = 1
  evictor.evictForWaiters()
  await vi.advanceTimersByTimeAsync(100)
  expect(busy.left).toBe(false)
  busy.markIdle(evictor)
  await vi.advanceTimersByTimeAsync(100)
  expect(busy.left).toBe(true)
})

test('a session that has just got its slot and become idle is not evicted at once', async () => {
  const [session] = sessions(1) as [FakeSession]
  session.attachedSinceMs = performance.now()
  session.markIdle(evictor)
  slotsNeeded = 1
  evictor.evictForWaiters()
  expect(session.left).toBe(false)
  await vi.advanceTimersByTimeAsync(5)
  expect(session.left).toBe(true)
})

test('a session that cannot be captured keeps its slot, and the next one is evicted instead', async () => {
  const refusing = new FakeSession(true).markIdle(evictor)
  const all = sessions(1)
  slotsNeeded = 1
  evictor.evictForWaiters()
  await vi.advanceTimersByTimeAsync(100)
  expect([refusing.left, ...left(all)]).toEqual([false, true])
  expect(slotsNeeded).toBe(0)
})

test('H1: the evictor does not look at thousands of dormant sessions again for each waiting caller', async () => {
  const all = sessions(2000)
  slotsNeeded = 1000
  evictor.evictForWaiters()
  await vi.advanceTimersByTimeAsync(100)
  expect(all.filter((session) => session.left)).toHaveLength(1000)
  const looks = () => all.reduce((sum, session) => sum + session.looks, 0)
  slotsNeeded = 1
  evictor.evictForWaiters()
  await vi.advanceTimersByTimeAsync(100)
  const before = looks()
  for (let caller = 0; caller < 100; caller++) {
    slotsNeeded = 1
    evictor.evictForWaiters()
    await vi.advanceTimersByTimeAsync(10)
  }
  // Each pass looks at the session it evicts and at those that have left since the last pass.
  expect(looks() - before).toBeLessThan(500)
})

test('a closed session is never evicted', async () => {
  const [closed, open] = sessions(2) as [FakeSession, FakeSession]
  evictor.remove(closed)
  slotsNeeded = 1
  evictor.evictForWaiters()
  await vi.advanceTimersByTimeAsync(100)
  expect([closed.left, open.left]).toEqual([false, true])
})

describe('spares', () => {
  test('when a spare is wanted, the session that has been idle longest is evicted, one at a time', async () => {
    let isWanted = false
    const used: object[] = []
    const hibernated: object[] = []
    evictor = new IdleEvictor(() => slotsNeeded, Number.POSITIVE_INFINITY, {
      get isWanted() {
        return isWanted
      },
      hibernated: (session) => {
        hibernated.push(session)
        isWanted = false
      },
      used: (session) => used.push(session),
    })
    const all = sessions(3)
    expect(used).toEqual(all)
    evictor.evictForWaiters()
    expect(left(all)).toEqual([false, false, false])
    isWanted = true
    evictor.evictForWaiters()
    evictor.evictForWaiters()
    await vi.advanceTimersByTimeAsync(100)
    expect([left(all), hibernated]).toEqual([[true, false, false], [all[0]]])
  })
})

describe('idleTimeoutMs', () => {
  const IDLE_TIMEOUT_MS = 1000

  beforeEach(() => {
    evictor = new IdleEvictor(() => slotsNeeded, IDLE_TIMEOUT_MS)
  })

  test('each session is evicted once it has been idle for the timeout, and not before', async () => {
    const [first] = sessions(1) as [FakeSession]
    await vi.advanceTimersByTimeAsync(600)
    const [second] = sessions(1) as [FakeSession]
    await vi.advanceTimersByTimeAsync(389)
    expect([first.left, second.left]).toEqual([false, false])
    await vi.advanceTimersByTimeAsync(2)
    expect([first.left, second.left]).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(IDLE_TIMEOUT_MS)
    expect(second.left).toBe(true)
  })

  test('each call restarts the idle time, which does not count while a call runs', async () => {
    const [session] = sessions(1) as [FakeSession]
    await vi.advanceTimersByTimeAsync(900)
    session.work()
    await vi.advanceTimersByTimeAsync(5000)
    session.markIdle(evictor)
    await vi.advanceTimersByTimeAsync(900)
    expect(session.left).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(session.left).toBe(true)
  })

  test('a session that cannot be captured is tried once each time it becomes idle', async () => {
    const refusing = new FakeSession(true)
    const evict = vi.spyOn(refusing, 'evict')
    refusing.markIdle(evictor)
    const [other] = sessions(1) as [FakeSession]
    await vi.advanceTimersByTimeAsync(5 * IDLE_TIMEOUT_MS)
    expect([evict.mock.calls.length, other.left]).toEqual([1, true])
    refusing.markIdle(evictor)
    await vi.advanceTimersByTimeAsync(5 * IDLE_TIMEOUT_MS)
    expect(evict).toHaveBeenCalledTimes(2)
  })

  test('no timer remains when no session has a slot, or after close', async () => {
    sessions(3)
    await vi.advanceTimersByTimeAsync(3 * IDLE_TIMEOUT_MS)
    expect(vi.getTimerCount()).toBe(0)
    sessions(3)
    evictor.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})
