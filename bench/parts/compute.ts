// Does Python run as fast in a session as in a plain Pyodide on the same Node? Programs that compute, call and allocate
// alternate between both, so that temperature and other load affect both. Ratios are of medians, with transport included.
import { type Session, SessionManager } from 'brumate'
import { PlainPyodide } from '../baselines/pyodide.js'
import { NativePython } from '../baselines/python.js'
import type { Runner } from '../baselines/runner.js'
import type { Context } from '../context.js'
import { median, timeMs } from '../measure.js'
import type { Row } from '../report.js'

const WARM_UP = 2
const ROUNDS = 9
/** On a busy machine, a single program's noise exceeds this limit; the geometric mean of all is what counts. */
const FLOOR = 1.03

const WORDS = "words = [f'{i * 7919 % 10007}-{i % 13}' for i in range(20_000)]"

export interface Program {
  readonly metric: string
  readonly code: string
}

/** `setUp` is separate, so that an interpreter without classes, or without a module, can run the other programs. */
export interface ProgramWithSetUp extends Program {
  readonly setUp: string
}

export const PROGRAMS: readonly ProgramWithSetUp[] = [
  {
    metric: 'fib(27)',
    setUp: 'def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)',
    code: 'fib(27)',
  },
  {
    metric: 'loops',
    setUp: `
def loops(n):
    total = 0
    for i in range(n):
        total += i * i % 7
    return total`,
    code: 'loops(1_000_000)',
  },
  {
    metric: 'method calls',
    setUp: `
class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def moved(self, by):
        return Point(self.x + by, self.y - by)
    def __eq__(self, other):
        return self.x == other.x and self.y == other.y

def methods(n):
    point = Point(0, 0)
    for _ in range(n):
        point = point.moved(1)
    return point == Point(n, -n)`,
    code: 'methods(200_000)',
  },
  {
    metric: 'sorted with key',
    setUp: `${WORDS}
def sorting():
    return len(sorted(words, key=lambda word: (word[-2:], len(word), word)))`,
    code: 'for _ in range(4): sorting()',
  },
  {
    metric: 'json',
    setUp: `import json
${WORDS}
document = json.dumps([{'id': i, 'name': word, 'tags': word.split('-')} for i, word in enumerate(words[:4000])])

def round_trip():
    return len(json.dumps(json.loads(document)))`,
    code: 'for _ in range(8): round_trip()',
  },
  {
    metric: 're',
    setUp: `import re
${WORDS}
text = ' '.join(words)

def regex():
    return sum(int(match[2]) for match in re.finditer(r'(\\d+)-(\\d+)', text))`,
    code: 'for _ in range(6): regex()',
  },
  {
    metric: 'calls of built-in functions',
    setUp:
      'def builtins(n):\n    return sum(map(len, map(str, filter(None, (abs(i) for i in range(-n, n))))))',
    code: 'builtins(150_000)',
  },
]

const SET_UP = PROGRAMS.map(({ setUp }) => setUp).join('\n')

export async function compute({ python, progress }: Context): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: 1 })
  await using session = await manager.createSession()
  const plain = new PlainPyodide()
  const native = python ? new NativePython(python) : undefined
  await Promise.all([session.execute(SET_UP), plain.run(SET_UP), native?.run(SET_UP)])
  const rows = await programRows(PROGRAMS, session, plain, native, (metric) =>
    progress(`  compute: ${metric}`),
  )
  await Promise.all([plain.stop(), native?.stop()])
  return [...rows, geometricMean(rows, 'geometric mean of these programs')]
}

/** Runs each program in turns in all interpreters, after its set-up has run there. */
export async function programRows(
  programs: readonly Program[],
  session: Session,
  plain: Runner,
  native: Runner | undefined,
  progress: (metric: string) => void,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const { metric, code } of programs) {
    progress(metric)
    const times = { brumate: [] as number[], pyodide: [] as number[], python: [] as number[] }
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const brumate = await timeMs(() => session.execute(code))
      const pyodide = await timeMs(() => plain.run(code))
      const other = native ? await timeMs(() => native.run(code)) : undefined
      if (round < 0) continue
      times.brumate.push(brumate)
      times.pyodide.push(pyodide)
      if (other !== undefined) times.python.push(other)
    }
    const medians = { brumate: median(times.brumate), pyodide: median(times.pyodide) }
    rows.push({ metric, unit: 'ms', ...medians, ...(native ? { python: median(times.python) } : {}) })
  }
  return rows
}

export function geometricMean(rows: readonly Row[], metric: string): Row {
  const mean = (pick: (row: Row) => number | undefined) =>
    Math.exp(rows.reduce((sum, row) => sum + Math.log(pick(row) ?? Number.NaN), 0) / rows.length)
  const brumate = mean((row) => row.brumate)
  const pyodide = mean((row) => row.pyodide)
  const python = mean((row) => row.python)
  return {
    metric,
    unit: 'ms',
    brumate,
    pyodide,
    ...(Number.isNaN(python) ? {} : { python }),
    floor: { text: `≤ ${FLOOR}`, met: brumate <= pyodide * FLOOR },
  }
}
