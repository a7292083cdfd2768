// Details in the errors of executions: all output and displays, where the exception was raised, and how the execution ended.
import {
  CancelledError,
  InterpreterCrashedError,
  LimitError,
  PythonError,
  SessionClosedError,
  type SessionManager,
  TimeoutError,
} from 'brumate'
import { beforeAll, describe, expect, test } from 'vitest'
import { READ_ALL_MEMORY } from '../security/support/forged-memory.js'
import { py, pythonErrorOf, rejectionOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'
import { scaled } from '../support/slowness.mjs'

/** For code that must have written its output before its deadline. */
const LONG_ENOUGH_MS = scaled(150)

let manager: SessionManager
beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
})

const open = (options = {}) => manager.createSession({ checkpoint: 'manual', ...options })

describe('every error of an execution that has started has its output and displays', () => {
  const code = (end: string) =>
    `import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr)\ndisplay(7)\n${end}`
  const produced = { stdout: 'out\n', displays: [{ 'text/plain': '7' }] }

  test('PythonError and LimitError', async () => {
    await using session = await open({ limits: { outputBytes: 100 } })
    const error = await rejectionOf(PythonError, session.execute(code('1 / 0')))
    expect(error).toMatchObject({ ...produced, stderr: 'err\n' })
    const limit = await rejectionOf(LimitError, session.execute(code('print("x" * 200)')))
    expect(limit.stdout).toBe(`out\n${'x'.repeat(96)}`)
    expect(limit.displays).toEqual(produced.displays)
  })

  test('TimeoutError, whether the code can be interrupted or not', async () => {
    await using session = await open()
    const stopped = await rejectionOf(
      TimeoutError,
      session.execute(code('while True: pass'), { timeoutMs: LONG_ENOUGH_MS }),
    )
    expect(stopped).toMatchObject({ ...produced, stderr: 'err\n', outcome: 'interrupted' })
    expect(stopped.cause).toMatchObject({ type: 'KeyboardInterrupt', stdout: 'out\n' })
    const ended = await rejectionOf(
      TimeoutError,
      session.execute(code('sum(range(10**11))'), { timeoutMs: LONG_ENOUGH_MS }),
    )
    expect(ended).toMatchObject({ ...produced, stderr: 'err\n', outcome: 'reset' })
  })

  test('InterpreterCrashedError, with what WebAssembly says', async () => {
    await using session = await open()
    // An object at an address beyond the memory.
    const crashing = session.execute(code(`${READ_ALL_MEMORY}\n_ctypes.PyObj_FromPtr(0xFFFF0000)`))
    const error = await rejectionOf(InterpreterCrashedError, crashing)
    expect(error).toMatchObject({ ...produced, stderr: 'err\n', outcome: 'restored' })
    expect(error.reason).toBe("CPython's WebAssembly code crashed: memory access out of bounds")
  })

  test('CancelledError, of code that awaits, spins, or has not started', async () => {
    await using session = await open()
    for (const end of ['import asyncio; await asyncio.sleep(60)', 'while True: pass']) {
      const controller = new AbortController()
      const running = session.execute(code(end), {
        signal: controller.signal,
        onStderr: () => controller.abort(),
      })
      expect(await rejectionOf(CancelledError, running)).toMatchObject(produced)
    }
    const aborted = session.execute('1', { signal: AbortSignal.abort() })
    expect(await rejectionOf(CancelledError, aborted)).toMatchObject({ stdout: '', stderr: '', displays: [] })
  })

  test('CancelledError of code whose worker is killed, with all its output', async () => {
    await using session = await open()
    const controller = new AbortController()
    const lines =
      'for _ in range(20_000): print("é")\nprint("end", file=sys.stderr)\nimport time\ntry: time.sleep(1)\nexcept KeyboardInterrupt: pass\nsum(range(10**11))'
    const running = session.execute(code(lines), {
      signal: controller.signal,
      onStderr: (text) => void (text.includes('end') && controller.abort()),
    })
    const error = await rejectionOf(CancelledError, running)
    expect(error).toMatchObject({ stderr: 'err\nend\n', displays: produced.displays, outcome: 'restored' })
    expect(error.stdout === `out\n${'é\n'.repeat(20_000)}`).toBe(true)
  })

  test('SessionClosedError', async () => {
    const session = await open()
    const running = session.execute(code('while True: pass'), { onStderr: () => void session.close() })
    expect(await rejectionOf(SessionClosedError, running)).toMatchObject(produced)
  })

  test.each([
    ['os.abort()', 'import os; os.abort()'],
    ['os._exit()', 'import os; os._exit(3)'],
  ])('InterpreterCrashedError: output written before %s arrives', async (_, end) => {
    await using session = await open()
    for (const live of [false, true]) {
      const chunks: string[] = []
      const lines = 'for n in range(20_000): print(n)\n'
      const options = live ? { onStdout: (chunk: string) => chunks.push(chunk) } : {}
      const error = await session.execute(code(lines + end), options).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(InterpreterCrashedError)
      const whole = `out\n${Array.from({ length: 20_000 }, (_, n) => `${n}\n`).join('')}`
      expect(error.stdout === whole).toBe(true)
      expect(error).toMatchObject({ displays: produced.displays })
      if (live) expect(chunks.join('') === whole).toBe(true)
    }
  })
})

test('message starts with the last line of the traceback, even if the exception has no text', async () => {
  await using session = await open()
  for (const [code, message, detail] of [
    ['{}["x"]', "KeyError: 'x'", "'x'"],
    ['raise MemoryError', 'MemoryError', ''],
    ['raise ValueError("a\\nb")', 'ValueError: a\nb', 'a\nb'],
    ['import json; json.loads("{")', /^json\.decoder\.JSONDecodeError: Expecting/, /^Expecting/],
    ['class Mine(Exception): pass\nraise Mine(1)', 'Mine: 1', '1'],
    ['x = (', "SyntaxError: '(' was never closed", /never closed/],
    ['prin(1)', "NameError: name 'prin' is not defined. Did you mean: 'print'?", /Did you mean/],
  ] as const) {
    const error = await pythonErrorOf(session.execute(code))
    expect(error.message, code).toMatch(message)
    expect(error.detail, code).toMatch(detail)
    if (typeof message === 'string') expect(error.traceback.trimEnd().endsWith(message), code).toBe(true)
  }
})

test('get suggests only user variables, and only similar names', async () => {
  await using session = await open()
  await session.set('total', 1)
  for (const [name, hint] of [
    ['missing', ''],
    ['nope', ''], // Does not suggest None.
    ['prin', ''],
    ['totl', ". Did you mean: 'total'?"],
  ])
    expect((await pythonErrorOf(session.get(name ?? ''))).message).toBe(
      `NameError: name '${name}' is not defined${hint}`,
    )
})

test('errors name a callback that a restored session lacks, until the host offers it again', async () => {
  const callbacks = { price: () => 1, prints: () => 2 }
  await using first = await open({ callbacks })
  const hint =
    "This session had a callback named 'price'; the host has to pass it again, in the option `callbacks`."
  await using session = await open({ from: await first.snapshotState() })
  for (const [code, text] of [
    ['await price()', `name 'price' is not defined. ${hint}`],
    ['await tools.price()', `this session has no tool named 'price'; it has: none. ${hint}`],
    ['from tools import price', /^cannot import name 'price' from 'tools'/],
    ['pric', "name 'pric' is not defined"],
  ] as const)
    expect((await pythonErrorOf(session.execute(code))).detail).toMatch(text)
  expect((await pythonErrorOf(session.execute('price'))).traceback.trimEnd()).toMatch(/`callbacks`\.$/)
  await session.setCallbacks({ price: () => 3 })
  expect((await session.execute('await price()')).value).toBe(3)
  await session.setCallbacks({})
  expect((await pythonErrorOf(session.execute('price'))).detail).toContain(hint)
})

test('frames have file, line, function and text; a syntax error has its position', async () => {
  await using session = await open()
  await session.execute('def inner(x):\n    return 1 / x')
  const error = await pythonErrorOf(session.execute('def outer():\n    inner(0)\n\nouter()'))
  expect(error.frames).toEqual([
    { file: '<cell 2>', line: 4, function: '<module>', text: 'outer()' },
    { file: '<cell 2>', line: 2, function: 'outer', text: 'inner(0)' },
    { file: '<cell 1>', line: 2, function: 'inner', text: 'return 1 / x' },
  ])
  const wrong = await pythonErrorOf(session.execute('x = 1\ny = = 2'))
  expect(wrong.frames).toEqual([{ file: '<cell 3>', line: 2, function: '<module>', text: 'y = = 2' }])
  const deep = await pythonErrorOf(session.execute('def f(): f()\nf()'))
  expect(deep.frames.length).toBeGreaterThan(500)
})

test('code of a restored snapshot keeps its source lines, even if cells here have the same numbers', async () => {
  await using origin = await open()
  await origin.execute('1')
  await origin.execute('def inner(x):\n    return 1 / x')
  const snapshot = await origin.snapshotState()
  await using session = await open()
  await session.restoreState(snapshot)
  await session.execute('1')
  const error = await pythonErrorOf(session.execute('# here\n\ninner(0)'))
  expect(error.frames).toEqual([
    { file: '<cell 2.2>', line: 3, function: '<module>', text: 'inner(0)' },
    { file: '<cell 2>', line: 2, function: 'inner', text: 'return 1 / x' },
  ])
})

test('exitCode is set for SystemExit and nothing else', async () => {
  await using session = await open()
  for (const [code, exitCode] of [
    ['import sys; sys.exit()', 0],
    ['sys.exit(3)', 3],
    ['exit(True)', 1],
    ['raise SystemExit("bye")', 1],
    ['sys.exit(2**70)', -1],
    ['1 / 0', undefined],
  ] as const)
    expect((await pythonErrorOf(session.execute(code))).exitCode, code).toBe(exitCode)
})

test('tracebacks of a HostError name the JavaScript error, even when Python prints them', async () => {
  class PaymentError extends Error {
    override readonly name = 'PaymentError'
  }
  await using session = await open({
    callbacks: {
      pay: () => {
        throw new PaymentError('declined')
      },
    },
  })
  const error = await pythonErrorOf(session.execute('await pay()'))
  expect(error.traceback).toContain('brumate.HostError: PaymentError: declined')
  expect([error.message, error.detail]).toEqual(['brumate.HostError: PaymentError: declined', 'declined'])
  const { stderr, value } = await session.execute(py`
    import brumate, traceback
    try: await pay()
    except brumate.HostError as error:
        traceback.print_exc()
        text = str(error)
    text
  `)
  expect(stderr).toContain('PaymentError: declined')
  expect(value).toBe('declined')
})

test('schema errors list the allowed values and names', async () => {
  await using session = await open({
    callbacks: {
      paint: {
        fn: () => 1,
        parameters: {
          type: 'object',
          properties: {
            color: { enum: ['red', 'green', 3] },
            at: { type: 'object', properties: { x: {}, y: {} }, additionalProperties: false },
            kind: { const: 'oil' },
          },
          additionalProperties: false,
        },
      },
    },
  })
  for (const [call, text] of [
    ['paint(color="blue")', `paint() argument 'color': must be one of "red", "green", 3, got "blue" (str)`],
    ['paint(colour="red")', "paint() has no parameter 'colour'; it takes color, at, kind"],
    ['paint(at={"z": 1})', "paint() argument 'at' has no field 'z'; it takes x, y"],
    ['paint(kind="water")', `paint() argument 'kind': must be "oil", got "water" (str)`],
  ] as const)
    expect((await pythonErrorOf(session.execute(`await ${call}`))).detail).toBe(text)
})

test('long texts of an error are cut at limits.resultBytes and marked', async () => {
  await using session = await open({ limits: { resultBytes: 1000 } })
  const error = await pythonErrorOf(session.execute('raise ValueError("é" * 5_000_000)'))
  for (const text of [error.message, error.detail, error.traceback]) {
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1100)
    expect(text).toContain('limits.resultBytes is 1000]')
  }
})
