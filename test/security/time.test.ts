// Python that does not stop (ATTACKS.md F): the deadline is kept by the main thread, code that lets the interrupt through keeps
// its state, other code loses its worker and what it did, and a sibling answers meanwhile.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { py } from '../support/session-code.js'
import { Child } from './support/child.js'
import {
  expectContained,
  type SandboxCase,
  type SandboxOutput,
  type StepResult,
} from './support/contained.js'

const TIMEOUT_MS = 400
/** interruptGraceMs and a loaded machine. */
const LATEST_MS = TIMEOUT_MS + 250 + 1000

let sandbox: Child<SandboxCase, SandboxOutput>

beforeAll(() => {
  sandbox = new Child('sandbox')
})

afterAll(() => sandbox?.close())

/** The code after a completed call, whose state must be there afterwards; of its own only when it was not restored. */
async function spin(code: string): Promise<StepResult> {
  // What looks has time: hundreds of thousands of callbacks may still be there to be run first.
  const look = { code: "kept, 'made' in globals()", timeoutMs: 15_000 }
  const steps = ['kept = 1', `made = 1\n${code}`, look]
  const result = await sandbox.run({ steps, timeoutMs: TIMEOUT_MS })
  const [, step, after] = expectContained(result, undefined, TIMEOUT_MS)
  if (step === undefined) throw new Error('nothing ran')
  expect(step.durationMs).toBeLessThan(LATEST_MS)
  expect(after, JSON.stringify(step)).toMatchObject({ value: `[ 1, ${step.outcome !== 'restored'} ]` })
  return step
}

describe('code that lets the interrupt through', () => {
  it.each([
    ['F1', 'a busy loop', 'while True: pass'],
    ['F1', 'a busy coroutine', 'async def f():\n  while True: pass\nawait f()'],
    ['F5', 'a regular expression that backtracks', "import re; re.match('(a+)+$', 'a' * 40 + 'b')"],
    ['F6', 'a power with too many digits', '10 ** 10 ** 9'],
    ['F6', 'digits of a huge number', 'import sys; sys.set_int_max_str_digits(0); str(7 ** 10_000_000)'],
    ['F7', 'a long sleep', 'import time; time.sleep(1e6)'],
    ['F7', 'a sleep of the loop', 'import asyncio; await asyncio.sleep(1e6)'],
    ['F7', 'select', 'import select; select.select([], [], [], 1e6)'],
    ['F7', 'poll for ever', 'import select; select.poll().poll()'],
    [
      'F7',
      'a lock that nobody holds',
      'import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()',
    ],
    ['F7', 'a queue that nobody fills', 'import queue; queue.Queue().get()'],
    [
      'F7',
      'an awaited future that nobody sets',
      'import asyncio; f = asyncio.Future(); asyncio.get_running_loop().call_later(1e6, f.set_result, 1); await f',
    ],
    ['F8', 'a storm of ready tasks', 'import asyncio\nwhile True: await asyncio.sleep(0)'],
    [
      'F8',
      'callbacks that breed',
      'import asyncio\nloop = asyncio.get_running_loop()\ndef f(): loop.call_soon(f); loop.call_soon(f)\nf()\nawait asyncio.sleep(1e6)',
    ],
    [
      'F9',
      'a storm of timers',
      'import asyncio\nloop = asyncio.get_running_loop()\ndef f(): loop.call_later(1e-6, f)\nfor _ in range(1000): f()\nawait asyncio.sleep(1e6)',
    ],
  ])('%s: %s', async (_id, _name, code) => {
    const { kind, code: error } = await spin(code)
    // Nothing to wait for may be told at once; what runs must be stopped.
    expect(kind).toBe('error')
    expect(['TIMEOUT', 'PYTHON']).toContain(error)
  })
})

describe('code that does not', () => {
  it.each([
    [
      'F2',
      'a loop that swallows every exception',
      'while True:\n  try:\n    while True: pass\n  except BaseException: pass',
    ],
    [
      'F2',
      'a coroutine that does so',
      'import asyncio\nwhile True:\n  try: await asyncio.sleep(1e6)\n  except BaseException: pass',
    ],
    [
      'F2',
      'a signal handler that ignores it',
      'import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass',
    ],
    ['F2', 'a finally that goes on', 'try:\n  while True: pass\nfinally:\n  while True: pass'],
    ['F4', 'sum over repeat', 'import itertools; sum(itertools.repeat(1))'],
    ['F4', 'all over cycle', 'import itertools; all(itertools.cycle([1]))'],
    ['F4', 'a deque of count', 'import collections, itertools; collections.deque(itertools.count(), 0)'],
    ['F4', 'a C comparison', 'x = [0] * 10_000_000\nwhile not (x < x): pass'],
    [
      'F6',
      'a product of huge numbers in C',
      'x = 7 ** 2_000_000\nimport functools, itertools, operator\nfunctools.reduce(operator.mul, itertools.repeat(x))',
    ],
    ['F12', 'a finalizer', 'class A:\n  def __del__(self):\n    while True: pass\na = A()\ndel a'],
    ['F12', 'a finalizer that breeds', 'class A:\n  def __del__(self): A()\nwhile True: A()'],
    [
      'F12',
      'a weak reference’s callback',
      'import weakref\nclass A: pass\na = A()\ndef f(_):\n  while True: pass\nr = weakref.ref(a, f)\ndel a',
    ],
    ['A4', 'a repr', 'class A:\n  def __repr__(self):\n    while True: pass\nA()'],
    [
      'A5',
      'the text of an error',
      'class E(Exception):\n  def __str__(self):\n    while True: pass\nraise E',
    ],
    ['A4', 'a rich display', 'class A:\n  def _repr_html_(self):\n    while True: pass\nA()'],
  ])('%s: %s', async (_id, _name, code) => {
    expect(await spin(code)).toMatchObject({ kind: 'error', code: 'TIMEOUT' })
  })
})

it('F10: an interrupt is not lost between awaits', async () => {
  const code = py`
    import asyncio
    async def a():
        while True:
            await asyncio.sleep(0.001)
    await asyncio.gather(*[a() for _ in range(50)])
  `
  expect(await spin(code)).toMatchObject({ code: 'TIMEOUT', outcome: 'interrupted' })
})

it('F9: no timer of a call fires into a later one after the worker was lost', async () => {
  const steps = [
    'import asyncio, itertools\nasyncio.get_running_loop().call_later(0.3, print, "late")\nsum(itertools.repeat(1))',
    'import asyncio; await asyncio.sleep(0.3)',
  ]
  const result = await sandbox.run({ steps, timeoutMs: TIMEOUT_MS })
  const [, later] = expectContained(result, undefined, TIMEOUT_MS)
  expect(later).toMatchObject({ kind: 'result', stdout: '' })
})
