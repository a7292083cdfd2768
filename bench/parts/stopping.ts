// Eight sessions that do not stop by themselves, on any number of cores: how long after the deadline (and the grace period, if the
// code needs it) each call settled, by kind of code; and how long siblings' `x = 1` took meanwhile.
import { SessionManager } from 'brumate'
import type { Context } from '../context.js'
import { median } from '../measure.js'
import type { Row } from '../report.js'

const SPINNING = 8
const SIBLINGS = 2
const ROUNDS = 3
const TIMEOUT_MS = 300
const GRACE_MS = 250
/** How late a call may be, after its deadline and the grace period. */
const MOST_LATE_MS = 50
const MOST_SIBLING_MS = 50
/** Pause between two calls of a sibling. */
const PAUSE_MS = 5

interface Kind {
  readonly name: string
  readonly code: string
}

export const KINDS: readonly Kind[] = [
  { name: 'while True: pass', code: 'while True: pass' },
  {
    name: 'swallows BaseException',
    code: 'while True:\n    try:\n        while True: pass\n    except BaseException: pass',
  },
  { name: 'sum(repeat(1))', code: 'import itertools; sum(itertools.repeat(1))' },
  { name: 'all(cycle)', code: 'import itertools; all(itertools.cycle([1]))' },
  { name: 'regular expression', code: 'import re; re.match("(a+)+$", "a" * 64 + "b")' },
  { name: '10**10**8', code: '10**10**8' },
  { name: 'time.sleep', code: 'import time; time.sleep(1e6)' },
  { name: 'storm of asyncio.sleep(0)', code: 'import asyncio\nwhile True: await asyncio.sleep(0)' },
  {
    name: 'storm of timers',
    code: 'import asyncio\nloop = asyncio.get_running_loop()\ndef f(): loop.call_later(1e-6, f)\nfor _ in range(1000): f()\nawait asyncio.sleep(1e6)',
  },
]

export interface Stopping {
  /** Milliseconds after the deadline, or after the grace period if the worker had to be ended, by kind. */
  readonly overshootMs: Readonly<Record<string, readonly number[]>>
  /** Maximum after deadline and grace period, however the call was stopped; negative if it was interrupted. */
  readonly mostLateMs: Readonly<Record<string, number>>
  readonly siblingMs: readonly number[]
}

export async function measureStopping(
  manager: SessionManager,
  rounds: number,
  kinds = KINDS,
): Promise<Stopping> {
  const overshootMs: Record<string, number[]> = Object.fromEntries(kinds.map(({ name }) => [name, []]))
  const mostLateMs: Record<string, number> = {}
  const siblingMs: number[] = []
  const limits = { interruptGraceMs: GRACE_MS }
  const sessions = await Promise.all(
    Array.from({ length: SPINNING }, () => manager.createSession({ limits })),
  )
  const siblings = await Promise.all(Array.from({ length: SIBLINGS }, () => manager.createSession()))
  await Promise.all([...sessions, ...siblings].map((session) => session.execute('kept = 1')))
  let spinning = true
  const asking = siblings.map(async (session) => {
    while (spinning) {
      const startedMs = performance.now()
      await session.execute('x = 1')
      siblingMs.push(performance.now() - startedMs)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  })
  const spins = sessions.map(async (session, index) => {
    for (let round = 0; round < rounds * kinds.length; round++) {
      const kind = kinds[(index + round) % kinds.length]
      if (kind === undefined) continue
      // The clock starts with the execution, not while the session gets a slot again and its state is captured.
      await session.snapshotState()
      await session.get('kept')
      const startedMs = performance.now()
      const error = await session
        .execute(kind.code, { timeoutMs: TIMEOUT_MS })
        .catch((error: unknown) => error)
      const elapsedMs = performance.now() - startedMs
      const { outcome } = error as { outcome?: unknown }
      if (outcome !== 'interrupted' && outcome !== 'restored') throw error
      overshootMs[kind.name]?.push(elapsedMs - TIMEOUT_MS - (outcome === 'restored' ? GRACE_MS : 0))
      const lateMs = elapsedMs - TIMEOUT_MS - GRACE_MS
      mostLateMs[kind.name] = Math.max(lateMs, mostLateMs[kind.name] ?? Number.NEGATIVE_INFINITY)
    }
  })
  await Promise.all(spins)
  spinning = false
  await Promise.all(asking)
  await Promise.all([...sessions, ...siblings].map((session) => session.close()))
  return { overshootMs, mostLateMs, siblingMs }
}

export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export async function stopping({ progress }: Context): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: SPINNING + SIBLINGS + 4 })
  progress(`  stopping: ${SPINNING} sessions, ${ROUNDS} rounds of ${KINDS.length} kinds`)
  const { overshootMs, mostLateMs, siblingMs } = await measureStopping(manager, ROUNDS)
  const [p50Ms, p99Ms] = [median(siblingMs), percentile(siblingMs, 0.99)]
  const floor = { text: `≤ ${MOST_SIBLING_MS} ms`, met: p99Ms <= MOST_SIBLING_MS }
  const note = `${siblingMs.length} calls`
  return [
    ...Object.entries(overshootMs).map(([name, samples]): Row => {
      const most = Math.max(...samples)
      const late = mostLateMs[name] ?? Number.NaN
      return {
        metric: `past its deadline: ${name}`,
        unit: 'ms',
        brumate: median(samples),
        floor: { text: `most ≤ ${MOST_LATE_MS} ms past the grace period`, met: late <= MOST_LATE_MS },
        note: `most ${most.toFixed(0)} ms of ${samples.length}`,
      }
    }),
    { metric: `x = 1 beside ${SPINNING} that spin, median`, unit: 'ms', brumate: p50Ms, note },
    { metric: `x = 1 beside ${SPINNING} that spin, p99`, unit: 'ms', brumate: p99Ms, floor, note },
  ]
}
