// The programs that sessions run, each with its effect on the state, step by step. Owns the Python code. Every change is a single store
// to the name `T`, so that an interrupt finds it either done or not done.

import type { Execution, Step } from './model.js'
import type { Random } from './random.js'

export interface Program extends Execution {
  readonly code: string
  readonly timeoutMs?: number
  /** How it is disturbed from outside while it runs. */
  readonly disturbed?: 'abort' | 'interrupt' | 'close'
  /** If set, it takes a snapshot of its session after this many steps, where it waits. */
  readonly frozenAfter?: number
}

const BEGIN = "T = globals().get('T', (0, [], {}, 0))\n"
const END = '\nT[0]'
const ENDLESS = 'while True: pass'
/** C code does not notice interrupts. */
const DEAF = 'sum(range(10**12))'
const STUBBORN = 'while True:\n    try:\n        while True: pass\n    except BaseException: pass'

interface Kind {
  readonly weight: number
  readonly make: (random: Random) => Program
}

const KINDS: readonly Kind[] = [
  { weight: 12, make: (random) => plain('add', [add(random)]) },
  { weight: 4, make: (random) => plain('put', [put(random)]) },
  { weight: 4, make: (random) => plain('file', [file(random)]) },
  {
    weight: 3,
    make: (random) => ({ ...plain('fail', [add(random)], 'raise ValueError'), raises: 'ValueError' }),
  },
  { weight: 4, make: check },
  { weight: 4, make: (random) => stopped(random, 'spin', ENDLESS) },
  { weight: 2, make: (random) => stopped(random, 'deaf', DEAF) },
  { weight: 2, make: (random) => stopped(random, 'stubborn', STUBBORN) },
  { weight: 2, make: (random) => stopped(random, 'sleep', 'import time; time.sleep(60)') },
  {
    weight: 2,
    make: (random) => stopped(random, 'storm', 'import asyncio\nwhile True: await asyncio.sleep(0)'),
  },
  { weight: 2, make: (random) => disturbed(random, 'abort', 'CANCELLED') },
  { weight: 2, make: (random) => disturbed(random, 'interrupt', 'PYTHON', 'CANCELLED') },
  { weight: 1, make: (random) => disturbed(random, 'close') },
  { weight: 1, make: (random) => plain('crash', [add(random)], 'import os; os.abort()') },
  {
    weight: 1,
    make: (random) => ({ ...plain('memory', [add(random)], 'bytearray(2**30)'), raises: 'MemoryError' }),
  },
  {
    weight: 1,
    make: (random) => ({
      ...plain('flood', [add(random)], "while True: print('x' * 65536)"),
      may: ['LIMIT'],
    }),
  },
  { weight: 4, make: (random) => awaiting(random, 'await ok(x=1)') },
  { weight: 2, make: (random) => awaiting(random, "import brumate; brumate.call_sync('ok', x=1)") },
  { weight: 3, make: (random) => awaiting(random, 'await asyncio.gather(*[late(ms=i) for i in range(20)])') },
  { weight: 2, make: (random) => awaiting(random, failing(`await boom(kind=${random.integer(0, 5)})`)) },
  { weight: 1, make: (random) => awaiting(random, failing('await never()')) },
  { weight: 2, make: (random) => awaiting(random, 'await asyncio.sleep(0.02)') },
  { weight: 1, make: background },
  { weight: 3, make: (random) => suspending(random) },
  { weight: 2, make: freezing },
]

export function program(random: Random): Program {
  return random.weighted(KINDS).make(random)
}

/** Resumes a suspended execution, which adds the given amount. */
export function resumption(amount: number): Execution {
  return { name: `resume ${amount}`, steps: [adding(amount)], resumes: true }
}

interface Piece {
  readonly code: string
  readonly step: Step
}

function add(random: Random): Piece {
  const amount = random.integer(1, 1000)
  return { code: addCode(`${amount}`), step: adding(amount) }
}

function addCode(amount: string): string {
  return `a, b, c, d = T; T = (a + ${amount}, [*b, ${amount}][-5:], c, d)\n`
}

function adding(amount: number): Step {
  return (state) => ({ ...state, sum: state.sum + amount, last: [...state.last, amount].slice(-5) })
}

function put(random: Random): Piece {
  const [key, value] = [random.pick(['x', 'y', 'z']), random.integer(0, 99)]
  const sorted = (items: object) =>
    Object.fromEntries(Object.entries(items).sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    code: `a, b, c, d = T; T = (a, b, dict(sorted({**c, '${key}': ${value}}.items())), d)\n`,
    step: (state) => ({ ...state, items: sorted({ ...state.items, [key]: value }) }),
  }
}

function file(random: Random): Piece {
  const name = random.integer(1, 20)
  return {
    code: `open('/tmp/v${name}', 'w').write('${name}')\na, b, c, d = T; T = (a, b, c, ${name})\n`,
    step: (state) => ({ ...state, file: name }),
  }
}

function plain(name: string, pieces: readonly Piece[], then = ''): Program {
  const code = BEGIN + pieces.map((piece) => piece.code).join('') + then + END
  return { name, code, steps: pieces.map(({ step }) => step) }
}

/** Checks that files match the state, and that time has not gone back, whatever the wall clock does (C4). */
function check(): Program {
  const code = [
    "assert T[3] == 0 or open(f'/tmp/v{T[3]}').read() == str(T[3])",
    'import time',
    "assert time.monotonic() >= globals().get('M', 0)",
    'M = time.monotonic()',
  ]
  return { name: 'check', code: BEGIN + code.join('\n') + END, steps: [] }
}

function stopped(random: Random, name: string, code: string): Program {
  const { steps, code: before } = plain(name, [add(random)], code)
  return { name, code: before, steps, may: ['TIMEOUT'], timeoutMs: random.integer(5, 80) }
}

function disturbed(random: Random, how: 'abort' | 'interrupt' | 'close', ...may: string[]): Program {
  const ends = random.chance(0.3) ? DEAF : random.chance(0.5) ? ENDLESS : 'import time; time.sleep(60)'
  // If the disturbance comes before the start, the timeout ends the code.
  return { ...plain(how, [add(random)], ends), disturbed: how, may: [...may, 'TIMEOUT'], timeoutMs: 400 }
}

function awaiting(random: Random, code: string): Program {
  const [first, second] = [add(random), add(random)]
  const { steps } = plain('', [first, second])
  return {
    name: code.split('\n').join('; '),
    code: `import asyncio\n${BEGIN}${first.code}${code}\n${second.code}${END}`,
    steps,
  }
}

function failing(code: string): string {
  return `try: ${code}\nexcept Exception: pass`
}

/** Starts timers that continue during later executions, and across snapshots. */
function background(): Program {
  const task = 'import asyncio\nB = asyncio.create_task(asyncio.sleep(0.05))\n'
  return plain('background', [], task)
}

function suspending(random: Random): Program {
  const first = add(random)
  const wait: Step = (state) => ({ ...state, waits: true })
  const code = `${BEGIN}${first.code}amount = await ask()\n${addCode('amount')}${END}`
  return { name: 'suspend', code, steps: [first.step, wait] }
}

function freezing(random: Random): Program {
  const first = add(random)
  const amount = random.integer(1, 1000)
  const wait = `try: amount = await frozen(amount=${amount})\nexcept TimeoutError: amount = ${amount}\n`
  const code = `${BEGIN}${first.code}${wait}${addCode('amount')}${END}`
  return { name: 'freeze', code, steps: [first.step, adding(amount)], frozenAfter: 1 }
}
