// Shared by all benchmarks: the description of the machine, how progress is reported, and whether there is a native Python.
// Building the image is not measured, so it is built here, before the first part.
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { SessionManager } from 'brumate'
import { findPython } from './baselines/python.js'

export interface Machine {
  readonly node: string
  readonly platform: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  /** Version of the native Python used as a baseline, `null` if there is none. */
  readonly python: string | null
  /** Load average of the minute before. If it is more than a fraction of a core, figures are noisy. */
  readonly loadBefore: number
}

export interface Context {
  readonly machine: Machine
  /** Command of the native Python. */
  readonly python: string | undefined
  readonly progress: (text: string) => void
}

export async function makeContext(progress: (text: string) => void): Promise<Context> {
  const loadBefore = Number((loadavg()[0] ?? 0).toFixed(2))
  const python = findPython()
  await using _ = await SessionManager.create({ slots: 1 })
  return {
    python: python?.command,
    progress,
    machine: {
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      python: python?.version ?? null,
      loadBefore,
    },
  }
}
