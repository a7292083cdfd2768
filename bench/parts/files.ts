// The cost of files: on a shared storage, on a session's private files, and in stock Pyodide's MEMFS, in turns within one run. Uses
// Python's own clock, so that transport is not included.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Session, SessionManager, VfsStorage } from 'brumate'
import { PlainPyodide } from '../baselines/pyodide.js'
import type { Context } from '../context.js'
import { median } from '../measure.js'
import type { Row } from '../report.js'

/** V8 compiles hot code in all of them, so the first rounds are not typical of a session. */
const WARM_UP_ROUNDS = 10
const ROUNDS = 15
const SET_UP = `
import os, time
data = bytes(range(256)) * 4096
def timed(f, n):
    times = []
    for _ in range(n):
        started = time.perf_counter()
        f()
        times.append(time.perf_counter() - started)
    return sorted(times)[n // 2] * 1000
def small():
    fd = os.open(ROOT + '/small', os.O_RDONLY); os.read(fd, 1000); os.close(fd)
def text():
    with open(ROOT + '/small') as f: f.read()
def write():
    with open(ROOT + '/large', 'r+b', buffering=0) as f: f.write(data)
def read():
    with open(ROOT + '/large', 'rb', buffering=0) as f: f.read(1048576)
def listed(): os.listdir(ROOT + '/many')
def prepare(root):
    global ROOT
    ROOT = root
    open(ROOT + '/small', 'w').write('small'); open(ROOT + '/large', 'wb').write(data)
    os.makedirs(ROOT + '/many', exist_ok=True)
    for i in range(10_000): os.close(os.open(f'{ROOT}/many/{i}', os.O_CREAT | os.O_WRONLY))
    return 0
`
const PROGRAMS = [
  ['open, read and close of a small file', 'timed(small, 200)'],
  ['the same with open() and text', 'timed(text, 200)'],
  ['1 MB written', 'timed(write, 20)'],
  ['1 MB read', 'timed(read, 20)'],
  ['10,000 files listed', 'timed(listed, 3)'],
] as const

type Run = (code: string) => Promise<unknown>

export async function files({ progress }: Context): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: 3 })
  const hostPath = await mkdtemp(join(tmpdir(), 'brumate-bench-'))
  await using memory = new VfsStorage()
  await using directory = VfsStorage.directory(hostPath)
  const opened = [
    await manager.createSession(),
    await manager.createSession({ vfs: memory }),
    await manager.createSession({ vfs: directory }),
  ]
  const plain = new PlainPyodide()
  const runIn = (session: Session | undefined): Run => {
    return async (code) => (await session?.execute(code, { timeoutMs: null }))?.value
  }
  const places: [name: string, run: Run, root: string][] = [
    ['pyodide', async (code) => (await plain.run(code)).repr, '/tmp'],
    ['private', runIn(opened[0]), '/tmp'],
    ['shared', runIn(opened[1]), '/data'],
    ['directory', runIn(opened[2]), '/data'],
  ]
  try {
    for (const [, run, root] of places) {
      await run(SET_UP)
      await run(`prepare('${root}')`)
    }
    const rows: Row[] = []
    for (const [metric, code] of PROGRAMS) {
      progress(`  files: ${metric}`)
      const times: Record<string, number[]> = { pyodide: [], private: [], shared: [], directory: [] }
      for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
        for (const [name, run] of places) {
          const ms = Number(await run(code))
          if (round >= 0) times[name]?.push(ms)
        }
      }
      const [pyodide = 0, own = 0, shared = 0, host = 0] = Object.values(times).map(median)
      const floors = floorsOf(metric, { pyodide, own, shared })
      rows.push(
        { metric: `${metric}: private`, unit: 'ms', brumate: own, pyodide, ...floors.own },
        { metric: `${metric}: shared`, unit: 'ms', brumate: shared, pyodide, ...floors.shared },
        { metric: `${metric}: host directory`, unit: 'ms', brumate: host, pyodide },
      )
    }
    return rows
  } finally {
    await plain.stop()
    for (const session of opened) await session.close()
    await rm(hostPath, { recursive: true, force: true })
  }
}

function floorsOf(metric: string, { pyodide, own, shared }: Record<'pyodide' | 'own' | 'shared', number>) {
  const none = { own: {}, shared: {} }
  if (metric.startsWith('1 MB')) {
    return {
      own: { floor: { text: '≥ MEMFS’ speed', met: own <= pyodide } },
      shared: { floor: { text: '≥ 1/3 of MEMFS’ speed', met: shared <= 3 * pyodide } },
    }
  }
  if (metric.startsWith('open'))
    return { ...none, shared: { floor: { text: '≤ 0.2 ms', met: shared <= 0.2 } } }
  if (metric.startsWith('10,000'))
    return { ...none, shared: { floor: { text: '≤ 200 ms', met: shared <= 200 } } }
  return none
}
