// Creates, uses and closes a thousand sessions of a thousand tenants: how long one takes, and whether memory stays flat.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Context } from '../context.js'
import { median } from '../measure.js'
import type { Row } from '../report.js'

const CYCLES = 1_000
const MiB = 2 ** 20
/** Resident memory fluctuates by about this much anyway. */
const FLAT_MIB = 30

export async function cycles({ progress }: Context): Promise<Row[]> {
  const path = fileURLToPath(new URL('../children/cycles.js', import.meta.url))
  const child = spawn(process.execPath, [path, String(CYCLES)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const residentMiB: number[] = []
  let durationMs = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [done = 0, bytes = 0, elapsedMs = 0] = line.split(' ').map(Number)
    durationMs = elapsedMs
    residentMiB.push(bytes / MiB)
    progress(`  cycles: ${done} of ${CYCLES}, ${Math.round(bytes / MiB)} MiB`)
  }
  const exitCode = await exited
  if (exitCode !== 0) throw new Error(`the cycles ended with exit code ${exitCode}`)
  const [first = Number.NaN, ...rest] = residentMiB
  const growth = median(rest.slice(-3)) - first
  return [
    {
      metric: 'create, execute, close: one of 1,000',
      unit: 'ms',
      brumate: durationMs / CYCLES,
      note: 'two at a time',
    },
    {
      metric: 'resident memory, cycle 1,000 against cycle 100',
      unit: 'MiB',
      brumate: growth,
      floor: { text: 'flat', met: growth <= FLAT_MIB },
      note: `MiB every hundred: ${residentMiB.map(Math.round).join(', ')}`,
    },
  ]
}
