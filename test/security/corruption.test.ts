// Python that breaks its own interpreter (ATTACKS.md B12, B13, F11, G21): by ending it, by bytecode that CPython never
// compiles, by objects that are none, by writing over its memory, by running out of stack. It ends as a Python error or as
// InterpreterCrashedError, in time; the session goes on from what its last completed call left and nobody else notices (B7).
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { py } from '../support/session-code.js'
import { Child } from './support/child.js'
import {
  expectContained,
  type SandboxCase,
  type SandboxOutput,
  type StepResult,
} from './support/contained.js'
import { READ_ALL_MEMORY } from './support/forged-memory.js'

let sandbox: Child<SandboxCase, SandboxOutput>

beforeAll(() => {
  sandbox = new Child('sandbox')
})

afterAll(() => sandbox?.close())

interface Attack {
  readonly step: StepResult
  /** What the session then has of the attack's own. */
  readonly made: boolean
}

/** The attack after a completed call, whose state must be there whatever became of the attack. */
async function attack(code: string): Promise<Attack> {
  const look = "kept, 'made' in globals()"
  const steps = ["kept = [1, 'two']", `made = 1\n${code}`, look, look]
  const [, step, next, last] = expectContained(await sandbox.run({ steps }))
  if (step === undefined || next === undefined || last === undefined) throw new Error('nothing ran')
  // What was broken may show only when the checkpoint is taken: the next call is told.
  if (next.kind === 'error') expect(next).toMatchObject({ code: 'INTERPRETER_CRASHED', outcome: 'restored' })
  const check = next.kind === 'error' ? last : next
  const lost = next.kind === 'error' || step.outcome === 'restored'
  expect(check.value, JSON.stringify({ step, next })).toBe(`[ [ 1, 'two' ], ${!lost} ]`)
  return { step, made: !lost }
}

async function expectCrash(code: string): Promise<void> {
  const { step, made } = await attack(code)
  expect(step).toMatchObject({ code: 'INTERPRETER_CRASHED', outcome: 'restored' })
  expect(made, 'the state is what the last completed call left').toBe(false)
}

/** Whatever CPython makes of it: an error of Python's that leaves the state, or the end of the interpreter. */
async function expectErrorOrCrash(code: string): Promise<void> {
  const { step } = await attack(code)
  if (step.code === 'INTERPRETER_CRASHED') expect(step.outcome).toBe('restored')
}

describe('B12: an interpreter that ends itself', () => {
  it.each([
    ['os.abort', 'import os; os.abort()'],
    ['os._exit', 'import os; os._exit(0)'],
    ['os.kill', 'import os; os.kill(os.getpid(), 9)'],
    ['a fatal signal', 'import signal; signal.raise_signal(signal.SIGABRT)'],
    ['faulthandler', 'import faulthandler; faulthandler._sigsegv()'],
    [
      'os._exit in a finalizer',
      py`
      import os
      class Last:
          def __del__(self):
              os._exit(1)
      last = Last()
      del last
    `,
    ],
    [
      'os._exit in a task',
      py`
      import asyncio, os
      async def end():
          os._exit(1)
      await asyncio.create_task(end())
    `,
    ],
  ])('B12: %s ends the call, once', (_, code) => expectCrash(code))

  it.each([
    ['sys.exit', 'import sys; sys.exit(3)'],
    ['SystemExit', 'raise SystemExit'],
    ['KeyboardInterrupt', 'raise KeyboardInterrupt'],
    ['GeneratorExit', 'raise GeneratorExit'],
  ])('B12: %s is a Python error and the state stays', async (_, code) => {
    const { step, made } = await attack(code)
    expect(step.code).toBe('PYTHON')
    expect(made).toBe(true)
  })

  it('F11: calls that wait behind the crash run in the interpreter that comes after it', async () => {
    const result = await sandbox.run({
      steps: [
        'import os; os.abort()',
        'x = 2; x',
        'x = 0; import os; os._exit(1)',
        'x *= 2; x',
        'x = 0; import os; os.abort()',
        'x *= 2; x',
      ],
    })
    const kinds = expectContained(result).map(({ code, value }) => code ?? value)
    const crash = 'INTERPRETER_CRASHED'
    expect(kinds).toEqual([crash, '2', crash, '4', crash, '8'])
  })
})

/** `run(code)` executes bytecode as it is; the first instruction of a real function stays in front. */
const BYTECODE = py`
  import dis
  def _frame(): pass
  def run(*instructions, **changes):
      body = bytes(_frame.__code__.co_code[:2])
      for name, argument, count in instructions:
          body += bytes([dis.opmap[name], argument]) * count
      exec(_frame.__code__.replace(co_code=body + bytes([dis.opmap['RETURN_VALUE'], 0]), **changes))
`

describe('B13: bytecode that no compiler makes', () => {
  it.each([
    ['a local that does not exist', "run(('LOAD_FAST', 200, 1))"],
    ['a constant that does not exist', "run(('EXTENDED_ARG', 250, 1), ('LOAD_CONST', 200, 1))"],
    ['a name that does not exist', "run(('LOAD_NAME', 255, 1))"],
    ['an empty stack', "run(('POP_TOP', 0, 1000))"],
    ['a jump out of the code', "run(('EXTENDED_ARG', 255, 2), ('JUMP_FORWARD', 255, 1))"],
    ['a call with nothing to call', "run(('CALL', 255, 1))"],
    ['a stack much larger than it says', "run(('LOAD_SMALL_INT', 1, 200_000), co_stacksize=4)"],
  ])('B13: %s', (_, code) => expectErrorOrCrash(`${BYTECODE}\n${code}`))

  it('B13: code objects out of hostile marshal data', () =>
    expectErrorOrCrash(py`
      import marshal, random
      random.seed(7)
      good = marshal.dumps(compile('a = [b for b in c]; d(*e)', '', 'exec'))
      for attempt in range(2000):
          bad = bytearray(good)
          for _ in range(3):
              bad[random.randrange(len(bad))] = random.randrange(256)
          try:
              exec(marshal.loads(bytes(bad)), {'c': [1], 'd': print, 'e': []})
          except BaseException:
              pass
      raise RuntimeError('all survived')
    `))
})

describe('B13: memory that is written over', () => {
  it('B13: the forged memory is real: it reads and writes other objects', async () => {
    const { step } = await attack(
      [
        READ_ALL_MEMORY,
        "victim = b'before'",
        'at = id(victim) + bytes.__basicsize__ - 1',
        "memory[at : at + 6] = b'behind'",
        'victim',
      ].join('\n'),
    )
    expect(step.repr).toBe("b'behind'")
  })

  it.each([
    ['all of it', 'for at in range(0, SIZE, 4096): memory[at : at + 4096] = bytes(4096)'],
    [
      'all of it with ones',
      String.raw`for at in range(0, SIZE, 4096): memory[at : at + 4096] = b'\xff' * 4096`,
    ],
    [
      'random words',
      'import random\nwhile True: at = random.randrange(SIZE); memory[at : at + 4] = random.randbytes(4)',
    ],
    [
      'function pointers of a type',
      'for at in range(id(dict) + 24, id(dict) + 160, 4): memory[at : at + 4] = struct.pack("<I", 5)\n{}',
    ],
    [
      'the size of a list',
      'victim = [1]\nmemory[id(victim) + 8 : id(victim) + 12] = struct.pack("<i", 0x1fffffff)\nvictim.sort()',
    ],
    ['beyond its end', 'memory[0x7ffffff0 : 0x7ffffff8] = bytes(8)'],
    ['the null page', 'memory[0:65536] = bytes(65536)\nimport decimal\ndecimal.Decimal(1) / 3'],
  ])('B13: %s', (_, code) => expectErrorOrCrash(`${READ_ALL_MEMORY}\n${code}`))

  it.each([
    ['an address that is no object', '_ctypes.PyObj_FromPtr(12345)'],
    ['an address past the end', '_ctypes.PyObj_FromPtr(0x7ffffff0)'],
    [
      'a reference too few',
      'victim = [[] for _ in range(99)]\nfor v in victim: _ctypes.Py_DECREF(v)\ndel victim, v\n[[] for _ in range(999)]',
    ],
  ])('B13: %s', (_, code) => expectErrorOrCrash(`${READ_ALL_MEMORY}\n${code}`))

  it.each(['0', '5', '1000', '2**31 - 1', '-1'])('B13: a call of function %s by address', (address) =>
    expectErrorOrCrash(
      `${READ_ALL_MEMORY}\nfor n in range(4): _ctypes.call_cdeclfunction(${address}, (1,) * n)`,
    ),
  )

  it('B12: every function of the table called by address ends at most the interpreter', () =>
    expectErrorOrCrash(
      [READ_ALL_MEMORY, 'for address in range(1, 9000):', '    _ctypes.call_cdeclfunction(address, ())'].join(
        '\n',
      ),
    ))
})

describe('G21: no stack left', () => {
  it.each([
    ['nested JSON', "import json; x = json.loads('[' * 100_000 + ']' * 100_000)"],
    ['a deep repr', 'x = []\nfor _ in range(30_000): x = [x]\nrepr(x)'],
    ['a deep comparison', 'a, b = [], []\nfor _ in range(100_000): a, b = [a], [b]\na == b'],
    ['a deep hash', 'a = ()\nfor _ in range(100_000): a = (a,)\nhash(a)'],
    ['copy.deepcopy', 'import copy\nx = []\nfor _ in range(100_000): x = [x]\ncopy.deepcopy(x)'],
    ['pickle', 'import pickle\nx = []\nfor _ in range(100_000): x = [x]\npickle.dumps(x)'],
    ['a deep deallocation', 'x = None\nfor _ in range(1_000_000): x = (x,)\ndel x'],
    ['no recursion limit', 'import sys\nsys.setrecursionlimit(10**8)\ndef f(): return f()\nf()'],
    [
      'no recursion limit, in C',
      'import sys\nsys.setrecursionlimit(10**8)\nclass A:\n  def __getattr__(self, name): return getattr(self, name + "x")\nA().y',
    ],
    ['a chain of iterators', 'it = iter([1])\nfor _ in range(200_000): it = map(str, it)\nnext(it)'],
    [
      'a chain of partials',
      'import functools\nf = str\nfor _ in range(200_000): f = functools.partial(f, **{})\nf()',
    ],
    ['nested parentheses', "eval('(' * 100_000 + ')' * 100_000)"],
    ['nested operators', "eval('-' * 100_000 + '1')"],
    [
      'a nested syntax tree',
      'import ast\nx = ast.Constant(1)\nfor _ in range(100_000): x = ast.UnaryOp(ast.USub(), x)\ncompile(ast.fix_missing_locations(ast.Expression(x)), "", "eval")',
    ],
    ['a nested pattern', "import re; re.compile('(' * 50_000 + ')' * 50_000)"],
    ['nested XML', "import xml.etree.ElementTree as t; t.fromstring('<a>' * 100_000 + '</a>' * 100_000)"],
    [
      'a class that is its own instance check',
      'class M(type):\n  def __instancecheck__(c, x): return isinstance(x, c)\nclass A(metaclass=M): pass\nisinstance(1, A)',
    ],
    [
      'an exception chain',
      'e = ValueError()\nfor _ in range(50_000):\n  n = ValueError(); n.__cause__ = e; e = n\nraise e',
    ],
    ['a value as deep as that', 'x = []\nfor _ in range(30_000): x = [x]\nx'],
  ])('G21: %s', (_, code) => expectErrorOrCrash(code))
})
