// Random Python source: pieces of programs, odd characters, random bytecode. Each execution must end with a result or a typed error, and
// the session must stay usable.
import { BrumateError, SessionManager } from 'brumate'
import { Random } from '../../chaos/random.js'
import type { FuzzOptions, FuzzReport } from './support/fuzzer.js'

export const name = 'python'

const TIMEOUT_MS = 1500
const PIECES = [
  ...[
    'x',
    'y',
    '0',
    '1',
    '-1',
    '2**31',
    '1e308',
    '"a"',
    "b'\\xff'",
    'None',
    '...',
    '[]',
    '{}',
    '()',
    'print',
    'self',
  ],
  ...[
    'lambda: x',
    'yield',
    'await x',
    'async def f(): pass',
    'class A: pass',
    'del x',
    'import sys',
    'global x',
  ],
  ...[
    'for x in y: pass',
    'while x: break',
    'try: 1/0\nexcept* E: pass',
    'with x as y: pass',
    'match x:\n case _: pass',
  ],
  ...[
    'raise',
    'raise x from y',
    'return',
    'f"{x!r:>{y}}"',
    't"{x}"',
    'x := 1',
    '*x',
    '**y',
    '@x',
    'type X = int',
  ],
  ...[
    '+',
    '-',
    '*',
    '@',
    '//',
    '<<',
    '==',
    ' in ',
    ' is ',
    '.',
    ',',
    ':',
    ';',
    '=',
    '->',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
  ],
  ...[
    '\n',
    '\n ',
    '\n\t',
    '\\\n',
    '#',
    '"""',
    "'",
    '\0',
    '\ufeff',
    '\u2028',
    '\ud800',
    '𝒳',
    'é',
    '\x0c',
    '\r',
  ],
  ...[
    'x = [x]',
    'x.__class__.__base__',
    '__builtins__',
    'globals()',
    'exec(y)',
    'x.__init__()',
    'super()',
    'dir(x)',
  ],
  ...[
    'import gc; gc.collect()',
    'os.write(1, b"x")',
    'sys.setrecursionlimit(99)',
    'open("/tmp/x", "w")',
    'repr(x)',
  ],
]
/** Random bytecode, which CPython does not validate. */
const BYTECODE = (bytes: string) =>
  `def f(a=1, *b, **c): return [d for d in b]\ntry: exec(f.__code__.replace(co_code=bytes.fromhex('${bytes}')))\nexcept Exception: pass`

function source(random: Random): string {
  if (random.chance(0.15))
    return BYTECODE(
      Array.from({ length: random.integer(1, 20) * 2 }, () =>
        random.integer(0, 255).toString(16).padStart(2, '0'),
      ).join(''),
    )
  return Array.from({ length: random.integer(1, 30) }, () =>
    random.chance(0.05) ? String.fromCharCode(random.integer(0, 0xffff)) : random.pick(PIECES),
  ).join(random.chance(0.5) ? ' ' : '\n')
}

export async function run({
  seed,
  deadlineMs,
  maxCases,
  cacheDir,
  onProgress,
}: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(seed)
  const counts: Record<string, number> = {}
  const faults: string[] = []
  const manager = await SessionManager.create({ slots: 2, ...(cacheDir === undefined ? {} : { cacheDir }) })
  const session = await manager.createSession({ limits: { memoryBytes: 96 * 2 ** 20 } })
  let cases = 0
  while (performance.now() < deadlineMs && cases < (maxCases ?? Infinity)) {
    const code = source(random)
    const outcome = await session.execute(code, { timeoutMs: TIMEOUT_MS }).then(
      () => 'result',
      (error: unknown) => (error instanceof BrumateError ? error.name : `untyped: ${String(error)}`),
    )
    cases++
    counts[outcome] = (counts[outcome] ?? 0) + 1
    if (outcome.startsWith('untyped')) faults.push(`case ${cases}: ${outcome} after ${JSON.stringify(code)}`)
    // Reset now and then, so that what earlier cases left behind is not blamed on later ones.
    if (cases % 50 === 0) {
      await session.reset()
      const { value } = await session.execute('6 * 7')
      if (value !== 42) faults.push(`case ${cases}: the session then said ${String(value)}`)
    }
    onProgress(cases)
  }
  await manager.close()
  return { cases, counts, faults }
}
