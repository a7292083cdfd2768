// Python that rewrites the kernel it runs beside (ATTACKS.md B15): the kernel's state is guest memory, so whatever it answers
// is the guest's own words. That harms the session that says them, and nobody else: main and siblings go on, every call
// settles with a result or a typed error, and `reset` makes the session whole.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Child } from './support/child.js'
import {
  expectContained,
  type SandboxCase,
  type SandboxOutput,
  type StepResult,
} from './support/contained.js'

let sandbox: Child<SandboxCase, SandboxOutput>

beforeAll(() => {
  // Little memory for main: what makes it hold too much shows soon.
  sandbox = new Child('sandbox', { flags: ['--max-old-space-size=512'] })
})

afterAll(() => sandbox?.close())

const TIMEOUT_MS = 2000

/** From the next call on, `dispatch` runs `body`; the host holds its address, so it is the same function with other code. */
function answering(body: string): string {
  return `
import sys
def evil(request):
    import marshal, struct
    def reply(status, payload, delay=0.0):
        return struct.pack('<Bd', status, delay) + payload
    def outcome(*items):
        return reply(0, marshal.dumps(items, 2))
    def value(encoded):
        return reply(0, b'(\\x04\\0\\0\\0TN' + encoded + b'{0')
    def length(count):
        return struct.pack('<i', count)
    def many(kind, count, unit, size=1):
        # Copied once, so that as much as possible fits into the session's memory.
        parts = [unit * 1000] * (count // 1000)
        return b''.join([struct.pack('<Bd', 0, 0.0), b'(\\x04\\0\\0\\0TN', kind, length(count * size), *parts, b'{0'])
    ${body.split('\n').join('\n    ')}
sys.modules['_brumate.link'].dispatch.__code__ = evil.__code__
`
}

async function spoof(body: string, ...steps: SandboxCase['steps']): Promise<readonly StepResult[]> {
  const all = ['kept = 41', answering(body), ...(steps.length > 0 ? steps : ['1'])]
  const result = await sandbox.run({ steps: all, timeoutMs: TIMEOUT_MS, recover: true })
  const [, spoofed, ...rest] = expectContained(result, undefined, TIMEOUT_MS)
  expect(spoofed?.kind, 'the kernel was rewritten').toBe('result')
  return rest
}

describe('B15: a reply that is no reply ends the interpreter', () => {
  it.each([
    ['not bytes', 'return 5'],
    ['None', 'return None'],
    ['nothing', "return b''"],
    ['shorter than its head', "return b'x'"],
    ['an unknown status', "return reply(7, b'')"],
    ['no number as delay', "return reply(1, marshal.dumps([], 2), float('nan'))"],
    ['no payload', "return reply(0, b'')"],
    ['no marshal', String.raw`return reply(0, b'\xff' * 100)`],
    ['marshal that ends early', String.raw`return reply(0, b'(\x04\0\0\0TN')`],
    ['marshal that goes on', "return reply(0, marshal.dumps((True, None, ..., {}), 2) + b'N')"],
    [
      'marshal of code',
      "return reply(0, marshal.dumps((True, None, evil.__code__, {}), 2) if 'evil' in globals() else b'c')",
    ],
    ['a length of 2^31 - 1', "return reply(0, b'(' + length(2**31 - 1))"],
    ['a negative length', "return reply(0, b'(' + length(-1))"],
    ['a text of 2^31 - 1 bytes', "return value(b'u' + length(2**31 - 1))"],
    ['an integer of 2^31 digits', "return value(b'l' + length(-2**31))"],
    ['100,000 levels', String.raw`return reply(0, b'(\x01\0\0\0' * 100_000 + b'N')`],
    ['a number', 'return reply(0, marshal.dumps(5, 2))'],
    ['an empty tuple', 'return outcome()'],
    ['a failure without text', 'return outcome(False, 5, 6, 7)'],
    ['a success without a result', 'return outcome(True)'],
    ['a repr that is a number', 'return outcome(True, 5, 6, {})'],
    ['a display that is a number', 'return outcome(True, None, ..., 7)'],
    ['a display of numbers', "return outcome(True, None, ..., {'text/plain': 5})"],
    ['a display of lists', "return outcome(True, None, ..., {'text/plain': ['x']})"],
  ])('B15: %s', async (_, body) => {
    const [step, honest] = await spoof(body, '1', "kept + 1, 'evil' in globals()")
    expect(step).toMatchObject({ code: 'INTERPRETER_CRASHED', outcome: 'restored' })
    expect(honest, 'the kernel before it was rewritten (B7)').toMatchObject({ value: '[ 42, false ]' })
  })
})

describe('B15: a reply that lies is a lie to its own session', () => {
  it.each([
    ['a value', "return outcome(True, 'lie', [1, 'lie'], {})", { kind: 'result', repr: 'lie' }],
    ['an error', "return outcome(False, '__proto__', 'lie', 'lie')", { code: 'PYTHON', type: '__proto__' }],
    ['an exception', 'raise KeyboardInterrupt', { code: 'PYTHON', type: 'MemoryError' }],
    ['a subclass of bytes', "return type('B', (bytes,), {})(outcome(True, 'lie', 1, {}))", { repr: 'lie' }],
    [
      'a date that is none',
      "return value(b'(' + length(3) + b'.' + marshal.dumps('datetime', 2) + marshal.dumps(float('nan'), 2))",
      { value: 'Invalid Date' },
    ],
    [
      'text that is no text',
      String.raw`return value(b'u' + length(4) + b'\xff\xfe\xed\xa0')`,
      { kind: 'result' },
    ],
  ])('B15: %s', async (_, body, expected) => {
    expect((await spoof(body))[0]).toMatchObject(expected)
  })

  it.each(['__proto__', 'constructor', 'prototype', 'then', 'toJSON', 'toString', 'hasOwnProperty'])(
    'E2: the key %s touches no prototype and no awaiting caller',
    async (key) => {
      const items = `{'${key}': {'polluted': 1, '${key}': {'polluted': 1}}}`
      const [step] = await spoof(`return outcome(True, 'r', ${items}, {'${key}': 'text'})`)
      expect(step).toMatchObject({ kind: 'result', repr: 'r' })
    },
  )

  it('B15: get and execute hear the liar, until reset makes the kernel anew', async () => {
    const steps = await spoof(
      "return outcome(True, 'lie', 5, {})",
      { get: 'missing' },
      '1',
      { reset: true },
      "'whole'",
    )
    expect(steps.map(({ code, repr, kind }) => repr ?? code ?? kind)).toEqual([
      'result',
      'lie',
      'result',
      "'whole'",
    ])
  })
})

describe('B15: a kernel that never answers is stopped from outside (F16)', () => {
  it.each([
    ['waits for ever', "return reply(1, marshal.dumps([], 2), float('inf'))"],
    ['waits 10^308 seconds', 'return reply(1, marshal.dumps([], 2), 1e308)'],
    ['is always about to', 'return reply(1, marshal.dumps([], 2), 0.0)'],
    ['waits a negative time', 'return reply(1, marshal.dumps([], 2), -1e308)'],
    ['spins', 'while True: pass'],
    [
      'asks again and again for host calls that nobody offered',
      "return reply(1, marshal.dumps([(1, '__proto__', {})], 2), 0.0)",
    ],
  ])('B15: %s', async (_, body) => {
    const [step] = await spoof(body)
    expect(step).toMatchObject({ code: 'TIMEOUT' })
  })
})

describe('B15: a kernel that makes host calls of no shape', () => {
  it.each([
    ['an id and a number', '[(1, "x", {}), (-1, 5)]'],
    ['nothing', '[None]'],
    ['no list', '{"a": 1}'],
    ['arguments that are a list', '[(1, "x", [])]'],
    ['an id that is text', '[("1", "x", {})]'],
  ])('B15: %s', async (_, calls) => {
    const [step] = await spoof(`return reply(1, marshal.dumps(${calls}, 2), 0.0)`)
    expect(step).toMatchObject({ code: 'INTERPRETER_CRASHED', outcome: 'restored' })
  })
})

describe('H1: no answer keeps the main thread busy or fills its memory', () => {
  // Each fits into limits.memoryBytes of 256 MiB.
  it.each([
    ['50 million empty dicts', "return many(b'[', 50_000_000, b'{0')"],
    ['20 million empty sets', String.raw`return many(b'[', 20_000_000, b'<\0\0\0\0')`],
    ['20 million empty lists', String.raw`return many(b'[', 20_000_000, b'[\0\0\0\0')`],
    ['100 million numbers', "return many(b'[', 100_000_000, b'N')"],
    ['a set of 100 million Nones', "return many(b'<', 100_000_000, b'N')"],
    ['an integer of 300 million bits', String.raw`return many(b'l', 20_000_000, b'\xff\x7f')`],
    ['digits of 16 bits', String.raw`return many(b'l', 2_000_000, b'\xff\xff')`],
    ['50 MB of lone surrogates', String.raw`return many(b'u', 16_000_000, b'\xed\xa0\x80', 3)`],
    ['a traceback of 60 MB', "return outcome(False, 'E', '', 'x' * 60_000_000)"],
  ])('H1: %s', (_, body) => spoof(body).then(() => {}))

  it('H1: an integer of 300 million bits that honest code has and get() asks for', async () => {
    const result = await sandbox.run({ steps: ['x = 1 << 300_000_000', { get: 'x' }] })
    expectContained(result)
  })
})

describe('B15: the kernel’s own state', () => {
  it.each([
    [
      'every module emptied',
      "for name in [*sys.modules]:\n  if name.startswith('_brumate'): sys.modules[name].__dict__.clear()",
    ],
    ['sys.modules emptied', 'sys.modules.clear()'],
    ['builtins emptied', 'import builtins\nbuiltins.__dict__.clear()'],
    ['no loop', 'KERNEL.loop = None'],
    ['no namespace', 'KERNEL.namespace = None'],
    ['no guard', 'KERNEL.guard = None'],
    ['an outbox of another kind', 'KERNEL.callbacks.outbox = 5'],
    ['an execution that is none', 'KERNEL.execution = 5'],
    ['a context that is none', 'KERNEL.context = 5'],
    ['compiler flags that are none', "KERNEL.flags = 'x'"],
    ['no marshal', 'import marshal\nmarshal.dumps = None'],
    ['no traceback', 'import traceback\ntraceback.TracebackException.format = None'],
    ['no io', 'sys.stdout = sys.stderr = sys.stdin = None'],
    ['closed descriptors', 'import os\nfor fd in range(3): os.close(fd)'],
    ['a profiler', 'sys.setprofile(lambda *a: 1 / 0)'],
    ['a tracer', 'sys.settrace(lambda *a: 1 / 0)'],
    ['an audit hook', 'sys.addaudithook(lambda *a: 1 / 0)'],
    ['an allocator that fails', 'import gc\ngc.callbacks.append(lambda *a: 1 / 0)\ngc.set_threshold(1)'],
    ['a signal handler', 'import signal\nsignal.signal(signal.SIGINT, lambda *a: 1 / 0)'],
    ['a thread switch hook', 'sys.displayhook = sys.excepthook = None\nsys.setrecursionlimit(60)'],
  ])('B15: %s', async (_, code) => {
    const prelude = "import sys\nKERNEL = sys.modules['_brumate.link'].KERNEL\n"
    const steps = [
      prelude + code,
      '1',
      { get: 'sys' },
      'raise ValueError',
      'import asyncio\nawait asyncio.sleep(0.01)',
    ]
    const result = await sandbox.run({ steps, timeoutMs: TIMEOUT_MS, recover: true })
    expectContained(result, undefined, TIMEOUT_MS)
  })
})
