// Thousands of dormant sessions in a directory, on eight slots: the cost of a call that wakes one of them, compared with waking a single
// session in the same process, and the memory that each takes. STORED_SESSIONS=10000 uses that many.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Context } from '../context.js'
import { median } from '../measure.js'
import type { Row } from '../report.js'

const SESSIONS = Number(process.env.STORED_SESSIONS ?? 1_000)
const CALLS = Math.max(1_000, SESSIONS / 5)
const MAX_BYTES = 4096

interface Measured {
  readonly durationsMs: readonly number[]
  readonly wakesMs: readonly number[]
  readonly perSecond: number
  readonly perSessionBytes: number
  readonly wrong: number
}

export async function stored({ progress }: Context): Promise<Row[]> {
  const rows: Row[] = []
  for (const [spread, tenants] of [
    ['uniform', 'many'],
    ['uniform', 'one'],
    ['zipf', 'many'],
  ] as const) {
    progress(`  stored: ${SESSIONS} sessions, ${spread}, ${tenants} tenants`)
    const { durationsMs, wakesMs, perSecond, perSessionBytes, wrong } = await measure(spread, tenants)
    if (wrong > 0) throw new Error(`${wrong} counters are wrong`)
    const sorted = durationsMs.toSorted((a, b) => a - b)
    const [p50, p99] = [0.5, 0.99].map((share) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN)
    if (p50 === undefined || p99 === undefined) throw new Error('nothing was measured')
    const wake = median(wakesMs)
    const what = `a call to one of ${SESSIONS} dormant sessions, ${spread}, ${tenants === 'one' ? 'one tenant' : 'a tenant each'}`
    rows.push(
      {
        metric: `${what}: median`,
        unit: 'ms',
        brumate: p50,
        floor: { text: '≤ 3 × a wake', met: p50 <= 3 * wake },
        note: `a wake and the same call without any rush: ${wake.toFixed(1)} ms`,
      },
      {
        metric: `${what}: 99th percentile`,
        unit: 'ms',
        brumate: p99,
        floor: { text: '≤ 8 × the median', met: p99 <= 8 * p50 },
      },
      { metric: `${what}: two callers together`, unit: 'per s', brumate: perSecond },
      {
        metric: `${what}: memory of each beside its snapshot`,
        unit: 'KB',
        brumate: perSessionBytes / 1000,
        floor: { text: '≤ 4 KiB', met: perSessionBytes <= MAX_BYTES },
      },
    )
  }
  return rows
}

async function measure(spread: string, tenants: string): Promise<Measured> {
  const path = fileURLToPath(new URL('../children/stored.js', import.meta.url))
  const args = ['--expose-gc', path, String(SESSIONS), String(CALLS), spread, tenants]
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 })
  return JSON.parse(stdout) as Measured
}
