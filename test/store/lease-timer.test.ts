// The timer that renews the leases of a manager's sessions, with sessions that only count.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LeaseTimer, type Renewable } from '../../src/store/lease-timer.js'
import { Observer } from '../../src/telemetry/observer.js'

const LEASE_MS = 600
/** The timer looks six times in a lease. */
const CHECK_MS = LEASE_MS / 6

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

class Session implements Renewable {
  isDue = true
  renewals = 0
  #end: () => void = () => {}

  constructor(readonly kind: 'quick' | 'hangs') {}

  renew(): Promise<void> {
    this.renewals++
    if (this.kind === 'quick') return Promise.resolve()
    return new Promise((resolve) => {
      this.#end = resolve
    })
  }

  end(): void {
    this.#end()
  }
}

function timed(kinds: readonly Session['kind'][]): { timer: LeaseTimer; sessions: Session[] } {
  const timer = new LeaseTimer(LEASE_MS, new Observer())
  const sessions = kinds.map((kind) => new Session(kind))
  for (const session of sessions) timer.add(session)
  return { timer, sessions }
}

test('a session whose write hangs delays no other session, and is renewed again when the write has ended', async () => {
  const { sessions } = timed(['hangs', 'quick', 'quick'])
  await vi.advanceTimersByTimeAsync(3 * CHECK_MS)
  expect(sessions.map(({ renewals }) => renewals)).toEqual([1, 3, 3])
  sessions[0]?.end()
  await vi.advanceTimersByTimeAsync(CHECK_MS)
  expect(sessions.map(({ renewals }) => renewals)).toEqual([2, 4, 4])
})

test('many sessions whose writes hang delay the others by one check', async () => {
  const { sessions } = timed([...Array.from({ length: 20 }, () => 'hangs' as const), 'quick'])
  await vi.advanceTimersByTimeAsync(CHECK_MS)
  expect(sessions.filter(({ renewals }) => renewals > 0).length).toBe(16)
  await vi.advanceTimersByTimeAsync(CHECK_MS)
  expect(sessions.map(({ renewals }) => renewals)).toEqual(sessions.map(() => 1))
})

test('at most 16 renewals run at once, and the next begins when one has ended', async () => {
  const { sessions } = timed(Array.from({ length: 40 }, () => 'hangs' as const))
  await vi.advanceTimersByTimeAsync(CHECK_MS)
  const begun = () => sessions.filter(({ renewals }) => renewals > 0)
  expect(begun().length).toBe(16)
  begun()[3]?.end()
  await vi.advanceTimersByTimeAsync(0)
  expect(begun().length).toBe(17)
})

test('only sessions that are due are renewed, and none after it was removed', async () => {
  const { timer, sessions } = timed(['quick', 'quick', 'quick'])
  const [due, notDue, removed] = sessions as [Session, Session, Session]
  notDue.isDue = false
  timer.delete(removed)
  await vi.advanceTimersByTimeAsync(CHECK_MS)
  expect([due.renewals, notDue.renewals, removed.renewals]).toEqual([1, 0, 0])
  timer.delete(due)
  timer.delete(notDue)
  expect(vi.getTimerCount()).toBe(0)
})
