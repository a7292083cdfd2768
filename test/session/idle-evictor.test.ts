// Who gives its slot up, when, and what it costs to find out (src/session/idle-evictor.ts).
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Resident, Rotation } from '../../src/session/idle-evictor.js'

/** A session that the test lets fall idle. `looks` counts how often the rotation has asked for that. */
class FakeResident implements Resident {
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

  rest(rotation: Rotation): this {
    this.#idleSinceMs = performance.now()
    rotation.rest(this)
    return this
  }

  work(): void {
    this.#idleSinceMs = undefined
  }

  async giveWay(): Promise<void> {
    if (this.#refuses) throw new Error('it cannot be captured')
    this.left = true
    this.work()
    if (missing > 0) missing--
  }
}

/** Slots that callers wait for. */
let missing = 0
let rotation: Rotation

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  missing = 0
  rotation = new Rotation(() => missing, Number.POSITIVE_INFINITY)
})

afterEach(() => {
  rotation.close()
  vi.useRealTimers()
})

function residents(count: number): FakeResident[] {
  return Array.from({ length: count }, () => {
    vi.advanceTimersByTime(10)
    return new FakeResident().rest(rotation)
  })
}

const left = (all: readonly FakeResident[]) => all.map((resident) => resident.left)

test('the ones that have been idle longest give way, as many as callers wait', async () => {
  const all = residents(4)
  all[0]?.rest(rotation)
  missing = 2
  rotation.turn()
  await vi.advanceTimersByTimeAsync(100)
  expect(left(all)).toEqual([false, true, true, false])
})

test('a busy session keeps its slot, and gives way when it rests while somebody waits', async () => {
  const [busy] = residents(1) as [FakeResident]
  busy.work()
  missing = 1
  rotation.turn()
  await vi.advanceTimersByTimeAsync(100)
  expect(busy.left).toBe(false)
  busy.rest(rotation)
  await vi.advanceTimersByTimeAsync(100)
  expect(busy.left).toBe(true)
})

test('one that has just got its slot and just fallen idle is given a moment', async () => {
  const [resident] = residents(1) as [FakeResident]
  resident.attachedSinceMs = performance.now()
  resident.rest(rotation)
  missing = 1
  rotation.turn()
  expect(resident.left).toBe(false)
  await vi.advanceTimersByTimeAsync(5)
  expect(resident.left).toBe(true)
})

test('who cannot be captured keeps its slot, and the next gives way', async () => {
  const refusing = new FakeResident(true).rest(rotation)
  const all = residents(1)
  missing = 1
  rotation.turn()
  await vi.advanceTimersByTimeAsync(100)
  expect([refusing.left, ...left(all)]).toEqual([false, true])
  expect(missing).toBe(0)
})

test('H1: thousands of dormant sessions are not looked at again for each caller that waits', async () => {
  const all = residents(2000)
  missing = 1000
  rotation.turn()
  await vi.advanceTimersByTimeAsync(100)
  expect(all.filter((resident) => resident.left)).toHaveLength(1000)
  const looks = () => all.reduce((sum, resident) => sum + resident.looks, 0)
  missing = 1
  rotation.turn()
  await vi.advanceTimersByTimeAsync(100)
  const before = looks()
  for (let caller = 0; caller < 100; caller++) {
    missing = 1
    rotation.turn()
    await vi.advanceTimersByTimeAsync(10)
  }
  // Each turn looks at the one that gives way, and at who has left since the last.
  expect(looks() - before).toBeLessThan(500)
})

test('a closed session is forgotten', async () => {
  const [closed, open] = residents(2) as [FakeResident, FakeResident]
  rotation.forget(closed)
  missing = 1
  rotation.turn()
  await vi.advanceTimersByTimeAsync(100)
  expect([closed.left, open.left]).toEqual([false, true])
})

describe('idleTimeoutMs', () => {
  const IDLE_TIMEOUT_MS = 1000

  beforeEach(() => {
    rotation = new Rotation(() => missing, IDLE_TIMEOUT_MS)
  })

  test('each session gives way when it has been idle for as long, and not before', async () => {
    const [first] = residents(1) as [FakeResident]
    await vi.advanceTimersByTimeAsync(600)
    const [second] = residents(1) as [FakeResident]
    await vi.advanceTimersByTimeAsync(389)
    expect([first.left, second.left]).toEqual([false, false])
    await vi.advanceTimersByTimeAsync(2)
    expect([first.left, second.left]).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(IDLE_TIMEOUT_MS)
    expect(second.left).toBe(true)
  })

  test('the clock starts again with each call, and stands still while one runs', async () => {
    const [resident] = residents(1) as [FakeResident]
    await vi.advanceTimersByTimeAsync(900)
    resident.work()
    await vi.advanceTimersByTimeAsync(5000)
    resident.rest(rotation)
    await vi.advanceTimersByTimeAsync(900)
    expect(resident.left).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(resident.left).toBe(true)
  })

  test('who cannot be captured is asked once for each time that it falls idle', async () => {
    const refusing = new FakeResident(true)
    const giveWay = vi.spyOn(refusing, 'giveWay')
    refusing.rest(rotation)
    const [other] = residents(1) as [FakeResident]
    await vi.advanceTimersByTimeAsync(5 * IDLE_TIMEOUT_MS)
    expect([giveWay.mock.calls.length, other.left]).toEqual([1, true])
    refusing.rest(rotation)
    await vi.advanceTimersByTimeAsync(5 * IDLE_TIMEOUT_MS)
    expect(giveWay).toHaveBeenCalledTimes(2)
  })

  test('nothing is left to fire when nobody has a slot, or after close', async () => {
    residents(3)
    await vi.advanceTimersByTimeAsync(3 * IDLE_TIMEOUT_MS)
    expect(vi.getTimerCount()).toBe(0)
    residents(3)
    rotation.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})
