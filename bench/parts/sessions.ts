// Starts two hundred sessions at once on eight slots. Each executes five times and is closed: measures the total time, and checks
// every result.
import { SessionManager } from 'brumate'
import type { Context } from '../context.js'
import { expectEqual } from '../measure.js'
import type { Row } from '../report.js'

const SESSIONS = 200
const SLOTS = 8
const EXECUTIONS = 5

export async function sessions({ progress }: Context): Promise<Row[]> {
  await using manager = await SessionManager.create({
    slots: SLOTS,
    acquireTimeoutMs: Number.POSITIVE_INFINITY,
  })
  progress(`  sessions: ${SESSIONS} over ${SLOTS} slots`)
  const startedMs = performance.now()
  await Promise.all(Array.from({ length: SESSIONS }, (_, i) => live(manager, i)))
  const seconds = (performance.now() - startedMs) / 1000
  const { acquire } = manager.stats().histograms
  return [
    {
      metric: `${SESSIONS} sessions over ${SLOTS} slots, ${EXECUTIONS} executions each`,
      unit: 's',
      brumate: seconds,
      note: `each its own tenant, all right; waits for a slot: median ${Math.round(acquire.p50Ms)} ms, longest ${Math.round(acquire.maxMs)} ms`,
    },
  ]
}

async function live(manager: SessionManager, index: number): Promise<void> {
  await using session = await manager.createSession()
  await session.execute(`steps = [${index}]`)
  for (let n = 2; n < EXECUTIONS; n++) await session.execute('steps.append(steps[-1] + 1)')
  const { value } = await session.execute('sum(steps)')
  expectEqual(value, 4 * index + 6, `session ${index}`)
}
