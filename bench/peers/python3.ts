// A native Python over a pipe, one process per session. It has no sandbox at all, so its lead is the price of having one.
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPython, NativePython } from '../baselines/python.js'
import type { Peer } from './peer.js'
import { PickledSessions } from './pickled.js'

export async function openPython3(): Promise<Peer | undefined> {
  const python = findPython()
  if (python === undefined) return undefined
  const file = join(tmpdir(), `brumate-bench-cell-${process.pid}`)
  const sessions = new PickledSessions(() => new NativePython(python.command), file)
  return {
    name: 'python3',
    call: '',
    files: '/tmp/',
    mostSessions: 64,
    isCompiledAhead: true,
    firstResult: [python.command, '-c', 'x = 1; print(x, flush=True)'],
    version: async () => python.version,
    perform: (steps) =>
      sessions.perform(steps, {
        rss: () => {
          let bytes = 0
          for (const { pid } of sessions.runners as Iterable<NativePython>) bytes += residentBytes(pid)
          return { bytes }
        },
      }),
    close: () => sessions.close(),
  }
}

/** Resident memory of another process. Only Linux has a file for it. */
function residentBytes(pid: number | undefined): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}
