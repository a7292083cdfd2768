// What is left of ATTACKS.md F and G beside time.test.ts, memory.test.ts, corruption.test.ts and callbacks.test.ts: code that runs
// when nobody called, drips, starves others, floods host calls, bombs of codecs and parsers, collisions, and what is left on main.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openManager } from '../support/manager.js'
import { Child, type ProcessState } from './support/child.js'
import {
  expectContained,
  type SandboxCase,
  type SandboxOutput,
  type StepResult,
} from './support/contained.js'

const MIB = 2 ** 20
const LIMIT = 96 * MIB

let sandbox: Child<SandboxCase, SandboxOutput>
beforeAll(() => {
  sandbox = new Child('sandbox', { flags: ['--max-old-space-size=256'] })
})
afterAll(() => sandbox?.close())

async function attacks(given: SandboxCase, timeoutMs = 15_000): Promise<readonly StepResult[]> {
  return expectContained(await sandbox.run({ timeoutMs, ...given }), undefined, timeoutMs)
}

describe('F12: code that runs when nobody called', () => {
  it.each([
    [
      'a finalizer of garbage',
      'import gc; gc.disable()\nclass A:\n  def __del__(self): print("late")\na = A(); a.me = a; del a',
    ],
    [
      'a weak reference',
      'import gc, weakref; gc.disable()\nclass A: pass\na = A(); a.me = a; r = weakref.ref(a, lambda _: print("late")); del a',
    ],
    ['a callback of the collector', 'import gc; gc.disable(); gc.callbacks.append(lambda *_: print("late"))'],
    ['atexit', 'import atexit; atexit.register(print, "late")'],
    ['weakref.finalize', 'import weakref\nclass A: pass\na = A(); f = weakref.finalize(a, print, "late")'],
    [
      'a module’s finalizer',
      'import sys, types\nclass M(types.ModuleType):\n  def __del__(self): print("late")\nsys.modules["m"] = M("m")',
    ],
  ])(
    'F12: what %s prints while a checkpoint is taken, or at the end, is nobody’s output',
    async (_, code) => {
      const steps = await attacks({ steps: [code, '1', { reset: true }, '2'] })
      expect(steps.map(({ kind }) => kind)).toEqual(['result', 'result', 'result', 'result'])
      expect([steps[0]?.stdout, steps[1]?.stdout, steps[3]?.stdout]).toEqual(['', '', ''])
    },
  )

  it('F12: a finalizer that never ends holds up no reset and no other session', async () => {
    const code =
      'import gc; gc.disable()\nclass A:\n  def __del__(self):\n    while True: pass\na = A(); a.me = a; del a'
    const steps = await attacks({ steps: [code, { reset: true }, '"a" in globals()'] })
    expect(steps[2]).toMatchObject({ value: 'false' })
  })
})

describe('F17: a slow drip', () => {
  it.each([
    ['of output', 'import time\nwhile True: print("."); time.sleep(0.02)'],
    ['of awaits', 'import asyncio\nwhile True: print("."); await asyncio.sleep(0.02)'],
  ])('F17: %s is ended by the deadline like anything else', async (_, code) => {
    const [step] = await attacks({ steps: [code] }, 600)
    expect(step).toMatchObject({ code: 'TIMEOUT', outcome: 'interrupted' })
  })
})

it('F18: twelve sessions that spin on three slots leave each its turn, and a newcomer too', async () => {
  const manager = await openManager({ slots: 3, limits: { interruptGraceMs: 50 } })
  try {
    const spinners = Array.from({ length: 12 }, async (_, index) => {
      await using session = await manager.createSession()
      await session.execute(`n = ${index}`)
      for (let round = 0; round < 2; round++) {
        const code = index % 3 === 0 ? 'n = -1; sum(range(10**12))' : 'while True: pass'
        const error = await session.execute(code, { timeoutMs: 100 }).catch((error: unknown) => error)
        expect(error).toMatchObject({ code: 'TIMEOUT' })
      }
      return await session.get('n')
    })
    const newcomer = (async () => {
      await using session = await manager.createSession()
      return (await session.execute('6 * 7')).value
    })()
    expect(await newcomer).toBe(42)
    expect(await Promise.all(spinners)).toEqual(Array.from({ length: 12 }, (_, index) => index))
    // Twenty-five turns of a tenth of a second on three slots, and room for a slow machine.
    expect(manager.stats().histograms.acquire.maxMs).toBeLessThan(15_000)
  } finally {
    await manager.close()
  }
})

describe('G13, G19, G20, G22: bombs', () => {
  const BOMB_MS = 4000
  const BOMB_STEPS = [
    ['G13', 'maps of memory without end', 'import mmap\nx = []\nwhile True: x.append(mmap.mmap(-1, 4096))'],
    [
      'G19',
      'a bz2 bomb',
      'import bz2\nbomb = bz2.compress(bytes(2**22))\nx = []\nwhile True: x.append(bz2.decompress(bomb))',
    ],
    [
      'G19',
      'a tar of a gzip of zeros',
      "import io, tarfile\nb = io.BytesIO()\nwith tarfile.open(fileobj=b, mode='w:gz') as t:\n  i = tarfile.TarInfo('x'); i.size = 2**25; t.addfile(i, io.BytesIO(bytes(2**25)))\nfor n in range(9):\n  b.seek(0); tarfile.open(fileobj=b).extractall(f'/tmp/{n}', filter='data')",
    ],
    ['G20', 'an exponent of a fraction', "import fractions\nfractions.Fraction('1e99999999')"],
    [
      'G20',
      'a decimal of many digits',
      "import decimal\ndecimal.getcontext().prec = 10**9\ndecimal.Decimal(1) / 3 + decimal.Decimal('1e-999999999')",
    ],
    ['G20', 'pickle opcodes', "import pickle\npickle.loads(b'\\x80\\x04' + b'(' * 50_000_000)"],
    [
      'G20',
      'a pickle that doubles',
      "import pickle\npickle.loads(b'\\x80\\x04]\\x94' + b'(h\\x00h\\x00e' * 10**7 + b'.')",
    ],
    ['G20', 'long source', "eval('+'.join(['1' * 4000] * 20_000))"],
    ['G20', 'YAML-like nesting of struct formats', "import struct\nstruct.calcsize('2147483647q' * 1000)"],
    [
      'G22',
      'callbacks of ctypes without end',
      'import ctypes\nx = []\nwhile True: x.append(ctypes.CFUNCTYPE(None)(lambda: None))',
    ],
  ] as const
  it.each(BOMB_STEPS)('%s: %s is an error, in bounds', async (_id, _name, code) => {
    const result = await sandbox.run(
      { steps: ['kept = 1', code, 'kept'], limits: { memoryBytes: LIMIT }, timeoutMs: BOMB_MS },
      45_000,
    )
    const steps = expectContained(result, undefined, BOMB_MS)
    expect(steps[1]).toMatchObject({ kind: 'error' })
    expect(steps[2]).toMatchObject({ value: '1' })
    const { state } = result as { state: ProcessState }
    expect(state.peakRssBytes).toBeLessThan(4 * LIMIT + 400_000_000)
  })
})

describe('G24: collisions', () => {
  it.each([
    ['integers', 'set(range(0, 10**9 * (2**31 - 1), 2**31 - 1))'],
    ['in a loop', 'd = {}\nfor n in range(10**9): d[n * (2**31 - 1)] = 0'],
    ['a hash of its own', 'class A:\n  def __hash__(self): return 1\nd = {A(): 0 for _ in range(10**6)}'],
  ])('G24: %s are ended by the deadline', async (_, code) => {
    expect((await attacks({ steps: [code] }, 500))[0]).toMatchObject({ code: 'TIMEOUT' })
  })
})

it('G23: sessions that die one after the other leave nothing on main', async () => {
  const crash = 'import os; os.abort()'
  const once: SandboxCase = { steps: Array.from({ length: 25 }, () => crash) }
  await attacks({ steps: [crash] })
  const result = await sandbox.run({ ...once, timeoutMs: 15_000 }, 60_000)
  expectContained(result)
  const { state } = result as { state: ProcessState }
  // A slot that boots ahead of need.
  expect(state.newResources).toBeLessThan(6)
  expect(state.peakRssBytes).toBeLessThan(900 * MIB)
}, 90_000)

describe('G17, G18: host calls', () => {
  interface Case {
    readonly steps: readonly string[]
    readonly limits?: Readonly<Record<string, number | null>>
    readonly timeoutMs?: number
    readonly recover?: boolean
  }
  interface Output {
    readonly steps: readonly { kind: string; code?: string; type?: string; value?: unknown }[]
    readonly after: { value?: unknown }
    readonly sibling: { value?: unknown }
  }
  let main: Child<Case, Output>
  beforeAll(() => {
    main = new Child('callbacks', { flags: ['--max-old-space-size=256'] })
  })
  afterAll(() => main?.close())

  it.each([
    [
      'G17',
      'a million calls that nobody awaits',
      'import asyncio\nx = []\nfor _ in range(10**6): x.append(asyncio.create_task(echo(x=1)))\nawait asyncio.sleep(0)',
    ],
    [
      'G17',
      'calls with large arguments that nobody awaits',
      'import asyncio\nx = []\nwhile True:\n  x.append(asyncio.create_task(echo(x=bytes(2**20))))\n  await asyncio.sleep(0)',
    ],
    ['G18', 'large results without end', 'x = []\nwhile True: x.append(await big(bytes=2**23))'],
    ['G18', 'one result larger than memory', 'x = await big(bytes=2**27)'],
    ['G18', 'one that blocks, as large', "import brumate; x = brumate.call_sync('big', bytes=2**27)"],
  ])('%s: %s: an error, in bounds, and the session goes on', async (_id, name, code) => {
    const result = await main.run(
      {
        steps: [code, 'x = None'],
        limits: { memoryBytes: LIMIT },
        timeoutMs: 5000,
        recover: name.includes('million'),
      },
      60_000,
    )
    if (result.kind !== 'done') throw new Error(`main ${result.kind}: ${JSON.stringify(result)}`)
    const { output, state } = result
    expect(state.uncaught).toEqual([])
    expect(output.steps[0]).toMatchObject({ kind: 'error' })
    expect(['PYTHON', 'TIMEOUT', 'INTERPRETER_CRASHED']).toContain(output.steps[0]?.code)
    expect([output.after.value, output.sibling.value]).toEqual(['42', '42'])
    // The results themselves are this process's own: some of 128 MiB that are not collected yet, and their copies on the way.
    expect(state.peakRssBytes).toBeLessThan(2 * LIMIT + 1200 * MIB)
  })
})
