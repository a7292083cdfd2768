// Executions per second of 1, 2 and 8 busy sessions: how much the cores can do, and what sharing them costs.
// The code takes about a millisecond, so that the figure is about neither Python alone nor transport alone.
import { SessionManager } from 'brumate'
import { PlainPyodide } from '../baselines/pyodide.js'
import type { Context } from '../context.js'
import { median } from '../measure.js'
import type { Row } from '../report.js'

const COUNTS = [1, 2, 8] as const
const WINDOW_MS = 1_000
const ROUNDS = 2
const CODE = 'total = 0\nfor i in range(10_000):\n    total += i * i'

export async function throughput({ progress }: Context): Promise<Row[]> {
  const rows: Row[] = []
  for (const count of COUNTS) {
    progress(`  throughput: ${count} at once`)
    await using manager = await SessionManager.create({ slots: count })
    const sessions = await Promise.all(Array.from({ length: count }, () => manager.createSession()))
    const brumate = await perSecond(sessions.map((session) => () => session.execute(CODE)))
    await manager.close()
    const plain = Array.from({ length: count }, () => new PlainPyodide())
    const pyodide = await perSecond(plain.map((runner) => () => runner.run(CODE)))
    await Promise.all(plain.map((runner) => runner.stop()))
    rows.push({
      metric: `executions of 10,000 loop rounds, ${count} at once`,
      unit: 'per s',
      brumate,
      pyodide,
    })
  }
  return rows
}

/** Repeats each task for a while. The first round warms up. */
async function perSecond(tasks: readonly (() => Promise<unknown>)[]): Promise<number> {
  const rates: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const startedMs = performance.now()
    let done = 0
    await Promise.all(
      tasks.map(async (task) => {
        while (performance.now() - startedMs < WINDOW_MS) {
          await task()
          done++
        }
      }),
    )
    if (round > 0) rates.push(done / ((performance.now() - startedMs) / 1000))
  }
  return median(rates)
}
