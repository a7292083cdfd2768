// What hostile sessions and files do to the main thread in the `hostile` benchmark. Owns the programs. Each causes as much work as
// its kind can for its cost to the guest.
import { type Callbacks, type Session, type SessionManager, type SessionOptions, Snapshot } from 'brumate'

export interface Hostility {
  readonly name: string
  readonly options?: SessionOptions
  /** Runs once in each session. */
  readonly setUp?: string
  /** Called over and over. Errors are expected. */
  readonly act: (session: Session, manager: SessionManager) => Promise<unknown>
}

/** Values that are expensive to convert for their size. */
const VALUES = {
  'lone surrogates': "['\\ud800'] * 3_000_000",
  'large integers': '[2**60] * 2_000_000',
  'small integers': 'list(range(5_000_000))',
  'short texts': "['a', 'é', '€'] * 1_000_000",
  'a text of 30 MB': "'é' * 15_000_000",
  'empty lists': '[[] for _ in range(1_000_000)]',
  'small maps': "[{'a': i} for i in range(500_000)]",
  'a map of many keys': '{str(i): i for i in range(1_000_000)}',
  'sets and tuples': '[{i, (i,)} for i in range(300_000)]',
  floats: '[1.5] * 5_000_000',
  dates: '[datetime.datetime.now()] * 1_000_000',
  'one list a million times': '[[1, 2, 3]] * 1_000_000',
} as const

const callbacks: Callbacks = {
  take: () => null,
  slow: () => new Promise((resolve) => setTimeout(resolve, 50)),
  unique: {
    fn: () => null,
    parameters: {
      type: 'object',
      properties: { items: { type: 'array', uniqueItems: true } },
    },
  },
}
const options: SessionOptions = { callbacks, limits: { callbackInvocations: null } }
const run = (code: string) => (session: Session) => session.execute(code, { timeoutMs: 30_000 })

const returned = Object.entries(VALUES).map(
  ([what, value]): Hostility => ({
    name: `value: ${what}`,
    setUp: 'import datetime',
    act: run(value),
  }),
)

const passed = (['lone surrogates', 'large integers', 'small maps'] as const).map(
  (what): Hostility => ({
    name: `callback argument: ${what}`,
    options,
    act: run(`await take(x=${VALUES[what]})`),
  }),
)

/** Each makes thousands of host calls, of which only the first thousand are accepted. */
const FLOODS = {
  'of tasks': 'await asyncio.gather(*[one() for _ in range(20_000)])',
  'of rounds': 'await asyncio.gather(*[one(100) for _ in range(200)])',
  'through the door':
    'async def main(): await asyncio.gather(*[one() for _ in range(20_000)])\nasyncio.run(main())',
  'of calls that block':
    "import brumate\nfor _ in range(3000):\n    try: brumate.call_sync('take', x=1)\n    except RuntimeError: pass",
} as const

const flooding = Object.entries(FLOODS).map(
  ([what, code]): Hostility => ({
    name: `callbacks: a flood ${what}`,
    options: { callbacks },
    setUp: `import asyncio
async def one(times=1):
    for _ in range(times):
        try: await take(x=1)
        except RuntimeError: pass`,
    act: run(code),
  }),
)

const written = (['lone surrogates', 'large integers'] as const).map(
  (what): Hostility => ({
    name: `written to the door: ${what}`,
    options,
    act: run(`
import marshal, os
try: os.write(0x3FFFFFFF, marshal.dumps((1, 'take', {'x': ${VALUES[what]}}), 2))
except OSError: pass`),
  }),
)

const others: readonly Hostility[] = [
  {
    name: 'callbacks: many at once with large arguments',
    options,
    act: run(`
import asyncio
await asyncio.gather(*[slow(x='a' * 1_000_000) for _ in range(100)])`),
  },
  {
    name: 'callbacks: two thousand one after the other',
    options,
    act: run('for i in range(2_000): await take(x=i)'),
  },
  {
    name: 'callback argument: twenty thousand unique items',
    options,
    act: run('await unique(items=[[i] for i in range(20_000)])'),
  },
  { name: 'output: 8 MB in lines', act: run("for i in range(100_000): print('x' * 79)") },
  { name: 'output: errors with long tracebacks', act: run('def f(n): f(n + 1)\nf(0)') },
  {
    name: 'globals: fifty thousand, captured',
    setUp: "for i in range(50_000): globals()[f'name{i}'] = [i] * 3",
    act: (session) => session.snapshotState(),
  },
]

/** MessagePack that is not a snapshot, or only begins like one. */
function hostileFiles(): Uint8Array[] {
  const list = Buffer.from([0xdd, 0x01, 0x6e, 0x36, 0x00])
  return [
    Buffer.concat([list, Buffer.alloc(24_000_000, 0x90)]),
    Buffer.alloc(24_000_000, 0x91),
    Buffer.concat([Buffer.from([0xdf, 0x00, 0x7a, 0x12, 0x00]), Buffer.alloc(16_000_000, 0x01)]),
    Buffer.alloc(24_000_000, '[]'),
  ]
}

function files(): Hostility {
  const all = hostileFiles()
  let turn = 0
  return {
    name: 'files: 24 MB that are no snapshot',
    act: async () => Snapshot.fromBytes(all[turn++ % all.length] ?? new Uint8Array(0)),
  }
}

function damaged(): Hostility {
  let bytes: Buffer | undefined
  let turn = 0
  return {
    name: 'files: snapshots with one byte changed',
    act: async (session) => {
      bytes ??= Buffer.from((await session.snapshotState()).toBytes())
      const copy = Buffer.from(bytes)
      const at = (turn++ * 7919) % copy.length
      copy[at] = (copy[at] ?? 0) ^ 0xff
      await session.restoreState(Snapshot.fromBytes(copy))
    },
  }
}

/** Nothing hostile: they measure how late the event loop is on this machine anyway. */
const controls: readonly Hostility[] = [
  { name: 'control: nobody', act: () => new Promise((resolve) => setTimeout(resolve, 50)) },
  { name: 'control: honest and busy', act: run('sum(i * i for i in range(300_000))') },
]

export function hostilities(): readonly Hostility[] {
  return [...controls, ...returned, ...passed, ...written, ...flooding, ...others, files(), damaged()]
}
