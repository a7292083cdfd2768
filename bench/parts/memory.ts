// The resident memory of one more attached session: compares processes with few and with more of them. Also the highest resident memory
// of a process while four sessions try to exceed `maxMemoryBytes` in every way (children/hostile-memory.ts).
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { NativePython } from '../baselines/python.js'
import type { Context } from '../context.js'
import { median } from '../measure.js'
import type { Row } from '../report.js'

const MiB = 2 ** 20
const ROUNDS = 3
const MAX_MB = 700
const BESIDE_MB = 250
/** Not `values` and `arguments`, which each session's own account limits. */
const ATTACKS = ['memory', 'files', 'nodes', 'names', 'output', 'checkpoints']
const ATTACK_MS = 2_500

export async function memory({ python, progress }: Context): Promise<Row[]> {
  const perSession: number[] = []
  const first: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    progress(`  memory: round ${round + 1} of ${ROUNDS}`)
    const [one, nine] = [await residentBytes('brumate', 1), await residentBytes('brumate', 9)]
    first.push(one / MiB)
    perSession.push((nine - one) / 8 / MiB)
  }
  progress('  memory: plain Pyodide')
  const [plainOne, plainThree] = [await residentBytes('pyodide', 1), await residentBytes('pyodide', 3)]
  progress('  memory: under attack')
  const peakMb = await peakUnderAttackMb()
  const native = python ? await pythonBytes(python) : undefined
  const brumate = median(perSession)
  return [
    {
      metric: 'resident memory per further session',
      unit: 'MiB',
      brumate,
      pyodide: (plainThree - plainOne) / 2 / MiB,
      ...(native === undefined ? {} : { python: native / MiB }),
      floor: { text: '≤ 40 MB', met: brumate * MiB <= 40_000_000 },
    },
    {
      metric: 'resident memory of a process with one session',
      unit: 'MiB',
      brumate: median(first),
      pyodide: plainOne / MiB,
    },
    {
      metric: `resident memory at most, maxMemoryBytes ${MAX_MB} MB, four hostile sessions of eight`,
      unit: 'MB',
      brumate: peakMb,
      floor: { text: `≤ ${MAX_MB + BESIDE_MB} MB`, met: peakMb <= MAX_MB + BESIDE_MB },
    },
  ]
}

async function peakUnderAttackMb(): Promise<number> {
  const path = fileURLToPath(new URL('../children/hostile-memory.js', import.meta.url))
  const args = [path, String(MAX_MB), String(ATTACK_MS), ...ATTACKS]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return (JSON.parse(stdout) as { peakRssMb: number }).peakRssMb
}

/** @param image - path of an image file. Default: the standard image */
export async function residentBytes(
  kind: 'brumate' | 'pyodide',
  count: number,
  image?: string,
): Promise<number> {
  const path = fileURLToPath(new URL('../children/memory.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    path,
    kind,
    String(count),
    ...(image ? [image] : []),
  ])
  return Number(stdout)
}

/** From /proc; undefined on systems without it. */
async function pythonBytes(command: string): Promise<number | undefined> {
  const runner = new NativePython(command)
  try {
    await runner.run('x = 1')
    const status = await readFile(`/proc/${runner.pid}/status`, 'utf8')
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? []
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  } finally {
    await runner.stop()
  }
}
