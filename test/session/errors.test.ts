// A5: what the error of a failed execution contains.
import type { PythonError } from 'brumate'
import { expect, test } from 'vitest'
import { expectTyped, framesOf, py, pythonErrorOf } from '../support/session-code.js'
import { describeSessions, fresh } from '../support/session-modes.js'

describeSessions('errors', (open) => {
  test('A5: a PythonError has type, message and a code', async () => {
    const session = await open()
    const error = await pythonErrorOf(session.execute('{}["key"]'))
    expectTyped(error, 'PYTHON')
    expect(error).toMatchObject({ type: 'KeyError', message: "KeyError: 'key'", detail: "'key'" })
  })

  test('A5: an exception class of the user is reported by its name', async () => {
    const session = await open()
    const error = await pythonErrorOf(session.execute('class Mine(Exception): pass\nraise Mine("text", 1)'))
    expect(error).toMatchObject({ type: 'Mine', message: "Mine: ('text', 1)" })
  })

  test('A5: the traceback has the right line numbers and source lines, and no kernel frames', async () => {
    const session = await open()
    const error = await pythonErrorOf(
      session.execute(py`
        def outer(x):
            return inner(x)

        def inner(x):
            return 1 / x

        outer(0)
      `),
    )
    expect(framesOf(error)).toEqual(['7 <module>', '2 outer', '5 inner'])
    expect(error.traceback.startsWith('Traceback (most recent call last):\n')).toBe(true)
    expect(error.traceback.endsWith('ZeroDivisionError: division by zero\n')).toBe(true)
    for (const line of ['outer(0)', 'return inner(x)', 'return 1 / x']) {
      expect(error.traceback).toContain(`\n    ${line}\n`)
    }
    expect(error.traceback).not.toContain('brumate')
  })

  test('A5: the traceback shows source lines of functions that earlier executions defined', async () => {
    const session = await open()
    await session.execute('def first():\n    # not this line\n    raise ValueError("from cell one")')
    await session.execute('def second():\n    first()')
    const error = await pythonErrorOf(session.execute('\n\nsecond()'))
    expect(framesOf(error)).toEqual(['3 <module>', '2 second', '3 first'])
    expect(error.traceback).toContain('\n    raise ValueError("from cell one")\n')
  })

  test('A5: the traceback shows the old source lines of a function that has been redefined since', async () => {
    const session = await open()
    await session.execute('def old():\n    raise ValueError("old text")')
    await session.execute('keep = old')
    await session.execute('def old():\n    pass')
    const error = await pythonErrorOf(session.execute('keep()'))
    expect(error.traceback).toContain('\n    raise ValueError("old text")\n')
  })

  test('A5: standard library frames are shown', async () => {
    const session = await open()
    const error = await pythonErrorOf(session.execute('import json\njson.loads("{")'))
    expect(framesOf(error).map((frame) => frame.split(' ')[1])).toEqual([
      '<module>',
      'loads',
      'decode',
      'raw_decode',
    ])
  })

  test('A5: an error in awaiting code has no kernel frames either', async () => {
    const session = await open()
    const error = await pythonErrorOf(
      session.execute(py`
        import asyncio
        async def fail():
            await asyncio.sleep(0.001)
            raise ValueError('late')
        async def caller():
            await fail()
        await caller()
      `),
    )
    expect(framesOf(error)).toEqual(['7 <module>', '6 caller', '4 fail'])
    expect(error.traceback).toContain("\n    raise ValueError('late')\n")
  })

  test('A5: the traceback includes the explicit cause', async () => {
    const session = await open()
    const error = await pythonErrorOf(
      session.execute(py`
        try:
            {}['missing']
        except KeyError as error:
            raise ValueError('outer') from error
      `),
    )
    expect(error.type).toBe('ValueError')
    const { traceback } = error
    expect(traceback.indexOf("KeyError: 'missing'")).toBeGreaterThan(0)
    expect(traceback.indexOf('The above exception was the direct cause')).toBeGreaterThan(
      traceback.indexOf("KeyError: 'missing'"),
    )
    expect(framesOf(error)).toEqual(['2 <module>', '4 <module>'])
  })

  test('A5: the traceback includes the implicit context', async () => {
    const session = await open()
    const code = 'try:\n    1 / 0\nexcept ZeroDivisionError:\n    undefined_name'
    const { traceback } = await pythonErrorOf(session.execute(code))
    expect(traceback).toContain('ZeroDivisionError: division by zero')
    expect(traceback).toContain('During handling of the above exception, another exception occurred')
    expect(traceback).toContain("NameError: name 'undefined_name' is not defined")
  })

  test('A5: an exception from an earlier execution does not become the context', async () => {
    const session = await open()
    await pythonErrorOf(session.execute('raise ValueError("before")'))
    const { traceback } = await pythonErrorOf(session.execute('raise KeyError("now")'))
    expect(traceback).not.toContain('before')
  })

  test('A5: the traceback includes the members of an ExceptionGroup and notes', async () => {
    const session = await open()
    const code = py`
      error = ExceptionGroup('several', [ValueError('one'), TypeError('two')])
      error.add_note('a note')
      raise error
    `
    const { type, traceback } = await pythonErrorOf(session.execute(code))
    expect(type).toBe('ExceptionGroup')
    for (const part of ['several (2 sub-exceptions)', 'ValueError: one', 'TypeError: two', 'a note']) {
      expect(traceback).toContain(part)
    }
  })

  test('A5: a syntax error shows the line with a caret, and no frames', async () => {
    const session = await open()
    const error = await pythonErrorOf(session.execute('x = 1\ny = (2 +\nz = 3'))
    expect(error.type).toBe('SyntaxError')
    expect(error.message).toContain('was never closed')
    expect(error.traceback).toMatch(/File ".*", line 2\n {4}y = \(2 \+\n {8}\^\n/)
    expect(error.traceback).not.toContain(', in ')
  })

  test('A5: wrong indentation raises IndentationError with the line', async () => {
    const session = await open()
    const error = await pythonErrorOf(session.execute('if True:\nx = 1'))
    expect(error.type).toBe('IndentationError')
    expect(error.traceback).toContain('x = 1')
  })

  test('A5: a syntax error found late by the compiler also shows its line', async () => {
    const session = await open()
    const error = await pythonErrorOf(session.execute('x = 1\nreturn x'))
    expect(error).toMatchObject({ type: 'SyntaxError' })
    expect(error.traceback).toContain('return x')
  })

  test('A5: code with a syntax error does not run at all', async () => {
    const session = await open()
    await pythonErrorOf(session.execute('ran = 1\n)'))
    expect((await session.execute("'ran' in globals()")).value).toBe(false)
  })

  test('A5: state set before the exception stays', async () => {
    const session = await open()
    await pythonErrorOf(session.execute('before = [1]\nbefore.append(2)\nraise RuntimeError\nafter = 1'))
    expect((await session.execute("before, 'after' in globals()")).value).toEqual([[1, 2], false])
  })

  test('A5: sys.exit raises a PythonError of type SystemExit, and the session continues', async () => {
    const session = await open()
    await session.execute('kept = 1')
    expect(await pythonErrorOf(session.execute('import sys; sys.exit(3)'))).toMatchObject({
      type: 'SystemExit',
      message: 'SystemExit: 3',
      exitCode: 3,
    })
    expect(await session.get('kept')).toBe(1)
  })

  test('A5: exit(), quit() and raise SystemExit do not end the session', async () => {
    const session = await open()
    for (const code of ['exit()', 'quit(1)', 'raise SystemExit("text")']) {
      expect((await pythonErrorOf(session.execute(code))).type).toBe('SystemExit')
    }
    expect((await session.execute('print(input.__name__)')).stdout).toBe('input\n')
  })

  test('A5: sys.exit in awaiting code or in one of its tasks does not end the session', async () => {
    const session = await open()
    const code = 'import asyncio, sys\nasync def leave(): sys.exit(4)\n'
    expect((await pythonErrorOf(session.execute(`${code}await leave()`))).type).toBe('SystemExit')
    expect((await pythonErrorOf(session.execute('await asyncio.create_task(leave())'))).type).toBe(
      'SystemExit',
    )
    expect((await session.execute('await asyncio.sleep(0, 1)')).value).toBe(1)
  })

  test('A5: KeyboardInterrupt, GeneratorExit, CancelledError and a custom BaseException become PythonErrors', async () => {
    const session = await open()
    await session.execute('import asyncio\nclass Base(BaseException): pass')
    for (const type of ['KeyboardInterrupt', 'GeneratorExit', 'Base']) {
      expect(await pythonErrorOf(session.execute(`raise ${type}('own')`))).toMatchObject({
        type,
        message: `${type}: own`,
      })
    }
    expect((await pythonErrorOf(session.execute('raise asyncio.CancelledError'))).type).toBe('CancelledError')
    expect((await pythonErrorOf(session.execute('await asyncio.sleep(0); raise Base("x")'))).type).toBe(
      'Base',
    )
    expect((await session.execute('1')).value).toBe(1)
  })

  test('A5: infinite recursion raises RecursionError, and the session continues', async () => {
    const session = await open()
    const error = await pythonErrorOf(session.execute('def f(n):\n    return f(n + 1)\nf(0)'))
    expect(error.type).toBe('RecursionError')
    expect(error.traceback).toContain('Previous line repeated')
    expect((await session.execute('1')).value).toBe(1)
  })

  test('A5: an exception whose __str__ fails is still a PythonError of that type', async () => {
    const session = await open()
    const code = 'class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute'
    expect((await pythonErrorOf(session.execute(code))).type).toBe('Mute')
  })

  test('A5: code with a NUL raises SyntaxError or ValueError, and the session continues', async () => {
    const session = await open()
    const { type } = await pythonErrorOf(session.execute('x = 1\0'))
    expect(['SyntaxError', 'ValueError']).toContain(type)
    expect((await session.execute('1')).value).toBe(1)
  })

  test('A5: code with a lone surrogate raises a clear error, and the session continues', async () => {
    const session = await open()
    const { type } = await pythonErrorOf(session.execute("'\ud800'"))
    expect(['UnicodeEncodeError', 'SyntaxError']).toContain(type)
    expect((await session.execute('1')).value).toBe(1)
  })

  test('A5: non-ASCII code works, in names, strings and comments', async () => {
    const session = await open()
    expect((await session.execute("größe = '😀\u2028é' # ü\nlen(größe)")).value).toBe(3)
  })

  test('A5: Windows and old Mac line endings count as line endings', async () => {
    const session = await open()
    expect(framesOf(await pythonErrorOf(session.execute('x = 1\r\n\r\n1 / 0')))).toEqual(['3 <module>'])
  })

  test('A5: the error contains only the output of its own execution', async () => {
    const session = await open()
    await session.execute('print("before")')
    expect((await pythonErrorOf(session.execute('1/0'))).stdout).toBe('')
  })

  test('A5: a PythonError keeps nothing alive: the frames of a failed execution are freed', async () => {
    const session = await open()
    await pythonErrorOf(
      session.execute(py`
        import gc, weakref
        class Big: pass
        def fail():
            big = Big()
            global watch
            watch = weakref.ref(big)
            raise ValueError
        fail()
      `),
    )
    expect((await session.execute('gc.collect(); watch() is None')).value).toBe(true)
  })

  test('A5: a warning is printed with its line', async () => {
    const session = await open()
    const { stderr } = await session.execute('import warnings\nwarnings.warn("careful")')
    expect(stderr).toMatch(/:2: UserWarning: careful\n {2}warnings\.warn\("careful"\)\n$/)
  })

  test('A5: inspect.getsource finds a function that an execution defined', async () => {
    const session = await open()
    await session.execute('def f(x):\n    return x  # source')
    expect((await session.execute('import inspect; inspect.getsource(f)')).value).toBe(
      'def f(x):\n    return x  # source\n',
    )
  })
})

describeSessions(
  'deep recursion',
  (open) => {
    test('A5: infinite recursion through C code raises RecursionError, and the session continues', async () => {
      const session = await open()
      for (const code of [
        'class R:\n    def __repr__(self): return repr(self)\nrepr(R())',
        'class A:\n    def __getattr__(self, name): return getattr(self, name + "x")\nA().y',
        'class C:\n    def __lt__(self, other): return sorted([self, other])\nsorted([C(), C()])',
        'def g(): yield from g()\nlist(g())',
        'import functools\n@functools.cache\ndef f(n): return f(n + 1)\nf(0)',
      ]) {
        expect((await pythonErrorOf(session.execute(code))).type, code).toBe('RecursionError')
        expect((await session.execute('1')).value, code).toBe(1)
      }
    })

    test.each([
      ['a copy', 'import copy\nx = []\nfor _ in range(100_000): x = [x]\ncopy.deepcopy(x); 1'],
      ['an expression', 'eval("-" * 100_000 + "1")'],
      ['parentheses', 'eval("(" * 100_000 + ")" * 100_000)'],
      ['a regular expression', 'import re; re.compile("(" * 50_000 + ")" * 50_000); 1'],
    ])('A5: %s nested 100,000 deep works or raises a Python error, and the state stays', async (_, code) => {
      const session = await open()
      await session.execute('kept = 1')
      const outcome = await session.execute(code).then(
        ({ value }) => typeof value,
        (error: PythonError) => error.type,
      )
      expect(['number', 'RecursionError', 'MemoryError', 'SyntaxError']).toContain(outcome)
      expect(await session.get('kept')).toBe(1)
    })
  },
  [fresh],
)

describeSessions(
  'errors and code of any size',
  (open) => {
    test('A5: code of 10 MB works', async () => {
      const session = await open()
      const lines = '# ten bytes\n'.repeat(420_000)
      const code = `x = '${'a'.repeat(5_000_000)}'\n${lines}len(x)`
      expect((await session.execute(code)).value).toBe(5_000_000)
    })

    test('A5: an exception message with a lone surrogate, a NUL or a million characters arrives whole', async () => {
      const session = await open()
      const surrogate = await pythonErrorOf(session.execute(String.raw`raise ValueError('a\ud800b')`))
      expect(surrogate.message).toBe('ValueError: a\ud800b')
      expect((await pythonErrorOf(session.execute(String.raw`raise ValueError('a\0b')`))).detail).toBe('a\0b')
      const long = await pythonErrorOf(session.execute('raise ValueError("x" * 1_000_000)'))
      expect(long.detail.length).toBe(1_000_000)
    })
  },
  [fresh],
)
