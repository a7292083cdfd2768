// How late the main thread's event loop is while sessions return the most expensive values, call back with them, write to the door, and
// print, and while hostile files are opened; a neighbour executes meanwhile. Each kind has its own process. Two controls, one
// of them busy, show what the machine itself causes.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Context } from '../context.js'
import { hostilities } from '../hostilities.js'
import type { LoopDelay } from '../loop-delay.js'
import type { Row } from '../report.js'

const MOST_P99_MS = 20
/** Longer stalls are not waited for. */
const PROCESS_MS = 60_000

interface Measured extends LoopDelay {
  readonly acts: number
  readonly errors: number
  readonly calls: number
  readonly rssMB: number
}

export async function hostile({ progress }: Context): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name } of hostilities()) {
    progress(`  hostile: ${name}`)
    rows.push(row(name, await measure(name)))
  }
  return rows
}

function row(name: string, measured: Measured | string): Row {
  const metric = `event-loop delay, p99: ${name}`
  const text = `≤ ${MOST_P99_MS} ms`
  if (typeof measured === 'string')
    return {
      metric,
      unit: 'ms',
      brumate: Number.POSITIVE_INFINITY,
      floor: { text, met: false },
      note: measured,
    }
  const { p50Ms, p99Ms, maxMs, acts, errors, calls, rssMB } = measured
  return {
    metric,
    unit: 'ms',
    brumate: p99Ms,
    floor: { text, met: p99Ms <= MOST_P99_MS },
    note:
      `p50 ${p50Ms.toFixed(1)} ms, most ${maxMs.toFixed(0)} ms; ${acts} times (${errors} errors), ` +
      `${calls} calls of the neighbour, ${rssMB.toFixed(0)} MB at most`,
  }
}

/** A string says how the process ended instead. */
function measure(name: string): Promise<Measured | string> {
  const script = fileURLToPath(new URL('../children/hostile.js', import.meta.url))
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, name],
      { timeout: PROCESS_MS, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        if (!error) return resolve(JSON.parse(stdout) as Measured)
        const ending = error.killed ? `no end after ${PROCESS_MS / 1000} s` : `exit ${error.code}`
        resolve(`${ending}; ${stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`)
      },
    )
  })
}
