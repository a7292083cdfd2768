// What `compare` measures for one build: the work of honest sessions. Owns the programs and their sizes; uses only the part of the public
// API that every build has. Each comparison returns milliseconds, the median of its samples.
import type { ManagerOptions, Session, SessionManager, Value } from 'brumate'
import { expectEqual, median, samplesMs, timeMs } from './measure.js'

export interface Subject {
  readonly manager: SessionManager
  /** Has the callback `add`, and has run `CODE`. */
  readonly session: Session
  /** Creates another manager of the same build. */
  readonly createManager: (options: ManagerOptions) => Promise<SessionManager>
  /** Time from the start of a process to its first result. */
  readonly firstResultMs: () => Promise<number>
}

type Measure = (subject: Subject) => Promise<number>

/** Defined in the session that all comparisons except those of snapshots use. */
export const CODE = `
import json, os, time

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def moved(self, by):
        return Point(self.x + by, self.y - by)

def methods(n):
    point = Point(0, 0)
    for _ in range(n):
        point = point.moved(1)
    return point.x

document = json.dumps([{'id': i, 'name': str(i), 'tags': [i, i + 1]} for i in range(4000)])

def parse(n):
    for _ in range(n): json.dumps(json.loads(document))

def clocks(n):
    clock = time.perf_counter
    for _ in range(n): clock()

def stats(n):
    for _ in range(n): os.stat('/tmp')

def small_files(n):
    for _ in range(n):
        with open('/tmp/small', 'w') as f: f.write('small')
        with open('/tmp/small') as f: f.read()

block = bytes(range(256)) * 4096

def large_files(n):
    for _ in range(n):
        with open('/tmp/large', 'wb', buffering=0) as f: f.write(block)
        with open('/tmp/large', 'rb', buffering=0) as f: f.read()

def printing(n):
    for i in range(n): print(i)
`

const LIST = Array.from({ length: 1000 }, (_, i) => i)
const TEXT = 'a text of a megabyte '.repeat(50_000)
const BYTES = new Uint8Array(10_000_000).fill(7)

/** The first run is left out, because something else ran before it. */
async function each(count: number, task: () => Promise<unknown>): Promise<number> {
  await task()
  return median(await samplesMs(count, task))
}

function program(code: string, count: number): Measure {
  return ({ session }) => each(count, () => session.execute(code))
}

function value(given: Value, count: number): { readonly get: Measure; readonly set: Measure } {
  return {
    set: ({ session }) => each(count, () => session.set('value', given)),
    get: async ({ session }) => {
      await session.set('value', given)
      return await each(count, () => session.get('value'))
    },
  }
}

const [list, text, bytes] = [value(LIST, 100), value(TEXT, 20), value(BYTES, 7)]

/** Sessions that are created, used and closed one after the other, each of its own tenant. Returns milliseconds per session. */
async function freshTenants({ createManager }: Subject): Promise<number> {
  const tenants = 30
  await using manager = await createManager({ slots: 4 })
  const one = async () => {
    await using session = await manager.createSession()
    expectEqual((await session.execute('x = 1; x')).value, 1, 'a fresh tenant')
  }
  for (let i = 0; i < 5; i++) await one()
  const ms = await timeMs(async () => {
    for (let i = 0; i < tenants; i++) await one()
  })
  return ms / tenants
}

/** Many more sessions than slots, used evenly: each call has to wake its session first. */
async function wakes({ createManager }: Subject): Promise<number> {
  await using manager = await createManager({ slots: 4 })
  const sessions: Session[] = []
  for (let i = 0; i < 40; i++) {
    const session = await manager.createSession()
    await session.set('x', i)
    sessions.push(session)
  }
  // 40 and 17 have no common divisor, so all sessions are used evenly.
  const samples = await samplesMs(60, async (i) => {
    const which = (17 * i) % sessions.length
    const { value } = (await sessions[which]?.execute('x')) ?? {}
    expectEqual(value, which, 'a session that was woken')
  })
  return median(samples)
}

const CELLS = [
  'import math',
  'values = [math.sqrt(i) for i in range(100)]',
  'sum(values)',
  'def mean(values):\n    return sum(values) / len(values)',
  'mean(values)',
  'import statistics',
  'statistics.median(values)',
  'table = {str(i): i * i for i in range(50)}',
  'print(sorted(table.items())[:3])',
  'max(table.values())',
]

/** A new tenant's first ten cells, on slots that are booted and warm. */
function tenCells(checkpoint: 'auto' | 'manual'): Measure {
  return async ({ createManager }) => {
    await using manager = await createManager({ slots: 4 })
    const session = async () => {
      await using session = await manager.createSession({ checkpoint })
      for (const cell of CELLS) await session.execute(cell)
    }
    return await each(8, session)
  }
}

/** Limits of after ÷ before for comparisons that must become faster, not only stay as fast. */
export const MOST_RATIOS: Readonly<Record<string, number>> = {
  'fresh-tenants': 1 / 5,
  wakes: 1 / 10,
  'cells-manual': 0.7,
  execute: 0.7,
  'execute-8': 1 / 1.8,
  'execute-32': 1 / 1.8,
  'first-result': 2 / 3,
  'output-1-mb': 1 / 4,
  restore: 1 / 2,
}

/** Milliseconds per execution while each of `count` sessions runs small ones back to back. */
function sessionsAtOnce(count: number): Measure {
  return async ({ createManager }) => {
    await using manager = await createManager({ slots: count })
    const sessions = await Promise.all(
      Array.from({ length: count }, () => manager.createSession({ checkpoint: 'manual' })),
    )
    const runs = (each: number) =>
      Promise.all(
        sessions.map(async (session) => {
          for (let i = 0; i < each; i++) await session.execute('y = sum(range(500))')
        }),
      )
    // Warms up until V8 has compiled the code that they use.
    await runs(Math.ceil(2000 / count))
    const each = Math.ceil(2000 / count)
    return (await timeMs(() => runs(each))) / (each * count)
  }
}

export const COMPARISONS: Readonly<Record<string, Measure>> = {
  execute: program('x = 1', 500),
  'execute-8': sessionsAtOnce(8),
  'execute-32': sessionsAtOnce(32),
  'first-result': ({ firstResultMs }) => firstResultMs(),
  'set-list': list.set,
  'get-list': list.get,
  'set-text': text.set,
  'get-text': text.get,
  'set-bytes': bytes.set,
  'get-bytes': bytes.get,
  callbacks: program('for _ in range(100): await add(a=1, b=1)', 8),
  'callbacks-sync': program("import brumate\nfor _ in range(100): brumate.call_sync('add', a=1, b=1)", 8),
  output: program('printing(5_000)', 5),
  'output-1-mb': program(`print('x' * ${2 ** 20 - 1})`, 15),
  fib: program('fib(22)', 5),
  methods: program('methods(50_000)', 5),
  json: program('parse(3)', 3),
  clocks: program('clocks(50_000)', 3),
  stats: program('stats(5_000)', 5),
  'small-files': program('small_files(300)', 5),
  'large-files': program('large_files(10)', 5),
  snapshot: async ({ manager }) => {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    await session.execute('x = [1, 2, 3]\ndef f(a): return a')
    return await each(15, () => session.snapshotState())
  },
  'snapshot-20-mb': async ({ manager }) => {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    await session.execute('data = list(range(700_000))')
    return await each(3, () => session.snapshotState())
  },
  'fresh-tenants': freshTenants,
  wakes,
  'cells-manual': tenCells('manual'),
  'cells-auto': tenCells('auto'),
  restore: async ({ manager }) => {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    await session.execute('x = [1, 2, 3]\ndef f(a): return a')
    const snapshot = await session.snapshotState()
    return await each(15, () => session.restoreState(snapshot))
  },
}
