// A1, A4, A5: how the kernel runs a cell of synchronous code.
import { beforeAll, expect, test } from 'vitest'
import { Kernel } from '../kernel.js'

let kernel: Kernel
beforeAll(async () => {
  kernel = await Kernel.shared()
})

test('A1: variables persist, and `__main__` contains nothing of the kernel', () => {
  kernel.send({ op: 'clear' })
  kernel.execute('x = 41')
  expect(kernel.value('x + 1')).toBe('42')
  expect(kernel.value('sorted(n for n in globals() if not n.startswith("__"))')).toBe("['x']")
  expect(kernel.value('import sys; sys.modules["__main__"].__dict__ is globals()')).toBe('True')
})

test('A1: the decimal context set in one cell holds in the next, synchronous or not', () => {
  kernel.execute('import decimal, asyncio; decimal.getcontext().prec = 5')
  expect(kernel.value('str(decimal.Decimal(1) / 3)')).toBe("'0.33333'")
  kernel.execute('await asyncio.sleep(0); decimal.getcontext().prec = 7')
  expect(kernel.value('str(decimal.Decimal(1) / 3)')).toBe("'0.3333333'")
  expect(kernel.value('await asyncio.sleep(0, str(decimal.Decimal(1) / 3))')).toBe("'0.3333333'")
})

test('future imports apply to later cells until clearState', () => {
  kernel.execute('from __future__ import annotations')
  kernel.execute('def f(a: undefined_name): pass')
  expect(kernel.value('f.__annotations__')).toBe("{'a': 'undefined_name'}")
  kernel.send({ op: 'clear' })
  kernel.execute('def f(a: int): pass')
  expect(kernel.value('f.__annotations__ == {"a": int}')).toBe('True')
})

test.each([
  ['x = 1', null],
  ['x = y = 2', null],
  ['x == 1', 'False'],
  ['x = 3; x', '3'],
  ['x = 4  # x', null],
  ['x = "a;b"', null],
  ['"text"', "'text'"],
  ['"""doc"""\n5', '5'],
  ['7;', null],
  ['7 ;  # x', null],
  ['x = (1\n, 2); x ;', null],
  ['"é;" # ;', "'é;'"],
  ['if True: 8', null],
  ['for i in [1]:\n  i', null],
  ['x: int = 9', null],
  ['None', null],
  ['', null],
  ['# comment', null],
  ['x = lambda: 0\n', null],
  ['(\n10\n)', '10'],
  ['print', null],
])('A4: %j gives %s', (code, value) => {
  expect(kernel.value(code)).toBe(value)
})

test('A4: `_` is the last value that is not None', () => {
  kernel.execute('[1, 2]')
  kernel.execute('None')
  kernel.execute('x = 5')
  expect(kernel.value('_')).toBe('[1, 2]')
  expect(kernel.value('_ is __import__("builtins")._')).toBe('True')
})

test('A4: a failing __repr__ fails like user code, with only its own frame', () => {
  const reply = kernel.execute(`
    class A:
        def __repr__(self):
            raise ValueError('no')
    A()
  `)
  expect(reply).toMatchObject({ ok: false, type: 'ValueError', message: 'no' })
  expect(reply.traceback).toBe(
    `Traceback (most recent call last):\n  File "<cell ${kernel.executionCount}>", line 3, in __repr__\n` +
      "    raise ValueError('no')\nValueError: no\n",
  )
})

test('A5: a traceback is the one CPython prints, including functions of earlier cells', () => {
  kernel.execute('def inner(n):\n    return 1 / n')
  const first = kernel.executionCount
  kernel.execute('def outer(n):\n    return inner(n) + 1')
  const reply = kernel.execute('outer(0)')
  expect(reply.traceback).toBe(
    [
      'Traceback (most recent call last):',
      `  File "<cell ${first + 2}>", line 1, in <module>`,
      '    outer(0)',
      '    ~~~~~^^^',
      `  File "<cell ${first + 1}>", line 2, in outer`,
      '    return inner(n) + 1',
      '           ~~~~~^^^',
      `  File "<cell ${first}>", line 2, in inner`,
      '    return 1 / n',
      '           ~~^~~',
      'ZeroDivisionError: division by zero',
      '',
    ].join('\n'),
  )
})

test('A5: causes, contexts and groups show no kernel frames', () => {
  const reply = kernel.execute(`
    import asyncio
    async def fail(n): raise ValueError(n)
    def run():
        try:
            asyncio.run(fail(1))
        except ValueError as error:
            raise KeyError('second') from error
    async def group():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.to_thread(run))
            tasks.create_task(fail(2))
    await group()
  `)
  expect(reply.type).toBe('ExceptionGroup')
  expect(reply.traceback).toContain('The above exception was the direct cause')
  expect(reply.traceback).toContain('runners.py')
  expect(reply.traceback).not.toContain('brumate')
})

test.each([
  ['x = (', "SyntaxError: '(' was never closed", '    x = (\n        ^\n'],
  ['return 1', "SyntaxError: 'return' outside function", '    return 1\n    ^^^^^^^^\n'],
  ['x = 1\ny = = 2', 'SyntaxError: invalid syntax', '    y = = 2\n        ^\n'],
  [
    'if x:\npass',
    "IndentationError: expected an indented block after 'if' statement on line 1",
    '    pass\n    ^^^^\n',
  ],
])('A5: the syntax error of %j has its line and caret, and no frames', (code, message, lines) => {
  const reply = kernel.execute(code)
  expect(reply.traceback).toMatch(/^ {2}File "<cell \d+>", line \d\n/)
  expect(reply.traceback).toContain(lines)
  expect(reply.traceback.trimEnd().endsWith(message)).toBe(true)
})

test('A5: state set before an exception stays, and SystemExit does not end the session', () => {
  expect(kernel.execute('kept = 1; import sys; sys.exit(3)')).toMatchObject({
    type: 'SystemExit',
    message: '3',
  })
  expect(kernel.execute('exit()')).toMatchObject({ type: 'SystemExit' })
  expect(kernel.execute('input()')).toMatchObject({ type: 'EOFError' })
  expect(kernel.value('kept')).toBe('1')
})

test('A5: exceptions whose str() fails are still reported', () => {
  const reply = kernel.execute(`
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError
    raise Odd
  `)
  expect(reply).toMatchObject({ type: 'Odd', message: '<exception str() failed>' })
  expect(reply.traceback).toContain('Odd: <exception str() failed>')
})

test('A5: deep recursion is a RecursionError with a short traceback', () => {
  const reply = kernel.execute('def f(): f()\nf()')
  expect(reply.type).toBe('RecursionError')
  expect(reply.traceback).toContain('Previous line repeated')
  expect(reply.traceback.length).toBeLessThan(2000)
})

test('A5: NUL and lone surrogates in source are clear errors', () => {
  expect(kernel.execute('a\0b')).toMatchObject({
    type: 'SyntaxError',
    message: 'source code string cannot contain null bytes',
  })
  expect(kernel.execute('"\ud800"').type).toBe('UnicodeEncodeError')
  expect(kernel.value(String.raw`"\ud800"`)).toBe(String.raw`'\ud800'`)
})

test('A5: compiler warnings show their line', () => {
  kernel.execute(String.raw`"\d"`)
  expect(kernel.output().stderr).toMatch(/SyntaxWarning: "\\d" is an invalid escape sequence.*\n {2}"\\d"\n/)
})

test('source lines are kept exactly as long as code of their cell lives', () => {
  const cells = 'len([n for n in __import__("linecache").cache if n.startswith("<cell")])'
  kernel.send({ op: 'clear' })
  kernel.value('__import__("gc").collect()')
  const before = Number(kernel.value(cells))
  for (let i = 0; i < 20; i++) kernel.execute('x = 1')
  for (let i = 0; i < 20; i++) kernel.execute('x = (')
  for (let i = 0; i < 20; i++) kernel.execute('1 / 0')
  for (let i = 0; i < 20; i++) kernel.execute('await __import__("asyncio").sleep(0); 1 / 0')
  expect(Number(kernel.value(cells))).toBe(before)
  kernel.execute('def make():\n    def nested():\n        raise KeyError\n    return nested')
  kernel.execute('nested = make(); del make')
  expect(kernel.execute('nested()').traceback).toContain('raise KeyError')
  expect(kernel.value('import inspect; inspect.getsource(nested)')).toBe(
    String.raw`'    def nested():\n        raise KeyError\n'`,
  )
  kernel.execute('del nested')
  expect(Number(kernel.value(cells))).toBe(before)
})

test.each([
  ['a frame', 'import sys\ndef keep():\n    global kept\n    kept = sys._getframe(1)', 'kept.f_code'],
  [
    'a traceback',
    'def keep():\n    global kept\n    try: 1 / 0\n    except ZeroDivisionError as e: kept = e.with_traceback(__import__("types").TracebackType(None, __import__("sys")._getframe(1), 0, 1))',
    'kept.__traceback__.tb_frame.f_code',
  ],
])('the source line of an assignment is kept as long as %s from it is kept', (_what, define, code) => {
  kernel.execute(define)
  kernel.execute('y = keep()')
  const line = `__import__("linecache").getline(${code}.co_filename, 1)`
  expect(kernel.value(line)).toBe(String.raw`'y = keep()\n'`)
  kernel.execute(`name = ${code}.co_filename`)
  kernel.execute('del kept')
  expect(kernel.value('__import__("linecache").getline(name, 1)')).toBe("''")
})

test('a failing assignment shows its line, and so does a lambda it created when that fails later', () => {
  expect(kernel.execute('y = 1 / 0').traceback).toContain('y = 1 / 0')
  kernel.execute('def catch():\n    global caught\n    try: z()\n    except Exception as e: caught = e')
  kernel.execute('z = lambda: 1 / 0')
  kernel.execute('x = catch()')
  expect(kernel.value('"".join(__import__("traceback").format_exception(caught))')).toContain(
    'z = lambda: 1 / 0',
  )
})

test('the kernel keeps no exception, frame or value of an execution alive', () => {
  kernel.execute(`
    import asyncio, gc, weakref
    gc.disable()
    gone = []
    class Thing:
        def __init__(self): gone.append(weakref.ref(self))
    def local_then_fail():
        thing = Thing()
        1 / 0
    class Error(Exception): pass
    def own_error():
        error = Error()
        gone.append(weakref.ref(error))
        return error
    async def fails_later():
        thing = Thing()
        await asyncio.sleep(0)
        1 / 0
    class ReprFails(Thing):
        def __repr__(self): 1 / 0
  `)
  const codes = [
    'local_then_fail()',
    'raise own_error()',
    'await fails_later()',
    'await asyncio.sleep(0); raise own_error()',
    'ReprFails()',
    'thing = Thing(); await asyncio.Event().wait()',
    'await asyncio.gather(fails_later(), fails_later(), return_exceptions=True); None',
  ]
  for (const code of codes) kernel.execute(code)
  kernel.execute('del thing')
  kernel.execute('Thing()')
  kernel.execute('"replaces _"')
  expect(kernel.value('[ref() is None for ref in gone]')).toBe(`[${Array(9).fill('True').join(', ')}]`)
  kernel.execute('gc.enable()')
})

test('display methods produce a bundle of text and bytes', () => {
  const reply = kernel.execute(`
    class Rich:
        def __repr__(self): return 'rich'
        def _repr_mimebundle_(self, include=None, exclude=None): return {'text/x': 'x', 'text/html': 'bundle'}, {'meta': 1}
        def _repr_html_(self): return 'method'
        def _repr_png_(self): return b'png', {'width': 1}
        def _repr_svg_(self): return None
        def _repr_json_(self): return {'a': [1]}
        def _repr_latex_(self): return 5
    Rich()
  `)
  expect(reply.display).toEqual({
    'text/x': 'x',
    'text/html': 'bundle',
    'image/png': "b'png'",
    'application/json': '{"a": [1]}',
  })
  expect(reply).toMatchObject({ repr: 'rich', value: null })
  expect(kernel.output().stderr).toContain(
    'brumate: text/latex is left out: expected a str or bytes, got int\n',
  )
})

test('display: a mimebundle without arguments works, classes and mocks have none, and a failing form is left out alone', () => {
  expect(
    kernel.execute('class Bare:\n  def _repr_mimebundle_(self): return {"a/b": "c"}\nBare()').display,
  ).toEqual({ 'a/b': 'c' })
  expect(kernel.execute('Rich')).toMatchObject({ ok: true, display: {} })
  expect(kernel.execute('from unittest.mock import Mock; Mock()')).toMatchObject({ ok: true, display: {} })
  const code = 'class Bad:\n  def _repr_html_(self): 1 / 0\n  def _repr_latex_(self): return "$x$"\nBad()'
  expect(kernel.execute(code)).toMatchObject({ ok: true, display: { 'text/latex': '$x$' } })
  expect(kernel.output().stderr).toBe(
    'brumate: Bad._repr_html_ failed, so this form is left out: ZeroDivisionError: division by zero\n',
  )
})

test('A11: processes, threads and ctypes are rejected with a clear message', () => {
  expect(kernel.execute('import subprocess; subprocess.run(["ls"])').type).toBe('OSError')
  expect(kernel.execute('import threading; threading.Thread(target=print).start()').message).toMatch(
    /^can't start new thread: /,
  )
  expect(kernel.execute('import ctypes')).toMatchObject({
    type: 'ModuleNotFoundError',
    message: "No module named 'ctypes'. Sessions have ctypes only where their image has packages.",
  })
})

test('A11: time.sleep behaves like the original', () => {
  expect(
    kernel.value('import time; t = time.monotonic(); time.sleep(0.05); 0.05 <= time.monotonic() - t < 0.2'),
  ).toBe('True')
  expect(kernel.execute('time.sleep(-1)')).toMatchObject({
    type: 'ValueError',
    message: 'sleep length must be non-negative',
  })
  expect(kernel.execute('time.sleep("1")').type).toBe('TypeError')
  expect(kernel.execute('time.sleep(float("nan"))').type).toBe('ValueError')
  expect(kernel.execute('time.sleep(1e20)').type).toBe('OverflowError')
  expect(kernel.value('time.sleep(0), time.sleep(True and 0.0005), time.sleep.__name__')).toBe(
    "(None, None, 'sleep')",
  )
})

test('brumate.callbacks() lists callbacks, and call_sync rejects an unknown one', () => {
  expect(kernel.value('import brumate; brumate.callbacks()')).toBe('[]')
  expect(kernel.execute('brumate.call_sync("f", a=1)')).toMatchObject({
    type: 'NameError',
    message: "this session has no callback named 'f'",
  })
})

test('A5: a recursion limit too low for the kernel gives failures, and can be raised again', () => {
  kernel.execute('import sys; limit = sys.getrecursionlimit(); sys.setrecursionlimit(18)')
  expect(kernel.execute('1 / 0').ok).toBe(false)
  expect(kernel.execute('def f(): f()\nf()').ok).toBe(false)
  kernel.execute('sys.setrecursionlimit(limit)')
  expect(kernel.value('1 + 1')).toBe('2')
})
