// A4: the value of the last expression.
import { expect, test } from 'vitest'
import { py, pythonErrorOf } from '../support/session-code.js'
import { describeSessions, fresh } from '../support/session-modes.js'

describeSessions('result', (open) => {
  test('A4: the last expression yields value and repr', async () => {
    const session = await open()
    const { value, repr, status } = await session.execute("x = 'it\\'s'; x")
    expect({ value, repr, status }).toEqual({ value: "it's", repr: '"it\'s"', status: 'completed' })
  })

  test('A4: only the last statement counts', async () => {
    const session = await open()
    expect(await session.execute('1; 2\nx = 3')).toMatchObject({ value: undefined, repr: undefined })
  })

  test('A4: an expression inside a block is not a last expression', async () => {
    const session = await open()
    expect(await session.execute('if True:\n    42')).toMatchObject({ value: undefined, repr: undefined })
  })

  test('A4: a last expression followed by comments and blank lines still counts', async () => {
    const session = await open()
    expect((await session.execute('x = 1\n(x +\n 1)  # two\n\n# end\n')).value).toBe(2)
  })

  test('A4: None yields neither value nor repr', async () => {
    const session = await open()
    expect(await session.execute('None')).toMatchObject({ value: undefined, repr: undefined, display: {} })
  })

  test('A4: code without statements yields nothing and still counts as an execution', async () => {
    const session = await open()
    for (const code of ['', '\n\n', '# comment', '   ']) {
      expect(await session.execute(code)).toMatchObject({ value: undefined, repr: undefined, stdout: '' })
    }
    expect(session.executionCount).toBe(4)
  })

  test('A4: a value without a JavaScript form has a repr and no value', async () => {
    const session = await open()
    expect(await session.execute('complex(1, 2)')).toMatchObject({ value: undefined, repr: '(1+2j)' })
  })

  test('A4: _ holds the last value, and None does not change it', async () => {
    const session = await open()
    await session.execute('[1, 2]')
    await session.execute('None')
    await session.execute('x = 5')
    expect((await session.execute('_ + [3]')).value).toEqual([1, 2, 3])
    expect((await session.execute('_')).value).toEqual([1, 2, 3])
  })

  test('A4: a user variable named _ is left alone', async () => {
    const session = await open()
    await session.execute('_ = "mine"')
    await session.execute('1 + 1')
    expect((await session.execute('_')).value).toBe('mine')
  })

  test('A4: display holds the results of the _repr_*_ methods, text as text and images as bytes', async () => {
    const session = await open()
    const { display, repr } = await session.execute(py`
      class Rich:
          def __repr__(self): return 'Rich()'
          def _repr_html_(self): return '<b>html</b>'
          def _repr_markdown_(self): return '**md**'
          def _repr_svg_(self): return '<svg/>'
          def _repr_png_(self): return b'\x89PNG\x00\xff'
          def _repr_json_(self): return {'a': [1, None]}
          def _repr_latex_(self): return None
      Rich()
    `)
    const json = display['application/json']
    expect(typeof json === 'string' && JSON.parse(json)).toEqual({ a: [1, null] })
    expect({ ...display, 'application/json': '' }).toEqual({
      'text/html': '<b>html</b>',
      'text/markdown': '**md**',
      'image/svg+xml': '<svg/>',
      'image/png': Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff]),
      'application/json': '',
    })
    expect(repr).toBe('Rich()')
  })

  test('A4: display holds the result of _repr_mimebundle_, with or without parameters', async () => {
    const session = await open()
    await session.execute(py`
      class Bundle:
          def _repr_mimebundle_(self, include=None, exclude=None):
              return {'text/plain': 'plain', 'application/x-thing': b'\x00\x01'}
      class Bare:
          def _repr_mimebundle_(self):
              return {'text/html': '<i>bare</i>'}
    `)
    expect((await session.execute('Bundle()')).display).toEqual({
      'text/plain': 'plain',
      'application/x-thing': Uint8Array.from([0, 1]),
    })
    expect((await session.execute('Bare()')).display).toEqual({ 'text/html': '<i>bare</i>' })
  })

  test('A4: a class that defines _repr_html_ is not displayed like its instances', async () => {
    const session = await open()
    expect((await session.execute('class C:\n    def _repr_html_(self): return "c"\nC')).display).toEqual({})
  })

  test('A4: an object that has every attribute, such as a Mock, has no display', async () => {
    const session = await open()
    expect((await session.execute('from unittest.mock import Mock\nMock()')).display).toEqual({})
  })

  test('A4: a __repr__ that raises fails like user code, with its traceback', async () => {
    const session = await open()
    const error = await pythonErrorOf(
      session.execute(py`
        class Broken:
            def __repr__(self):
                raise ValueError('no repr')
        kept = 1
        Broken()
      `),
    )
    expect(error).toMatchObject({ type: 'ValueError', detail: 'no repr' })
    expect(error.traceback).toContain("raise ValueError('no repr')")
    expect(await session.get('kept')).toBe(1)
  })

  test('A4: a value whose built-in repr() raises gets a placeholder as its repr', async () => {
    const session = await open()
    const big = await session.execute('n = 10 ** 4301; n')
    expect(big).toMatchObject({
      value: 10n ** 4301n,
      repr: expect.stringContaining('<int object whose repr() raises'),
    })
    expect(big.repr).toContain('ValueError: Exceeds the limit (4300 digits)')
    const list = await session.execute('[n, 1]')
    expect(list).toMatchObject({ value: [10n ** 4301n, 1], repr: expect.stringContaining('<list object') })
  })

  test('A4: a __repr__ that does not return a string fails like user code', async () => {
    const session = await open()
    const code = 'class Broken:\n    def __repr__(self): return 1\nBroken()'
    expect((await pythonErrorOf(session.execute(code))).type).toBe('TypeError')
  })

  test('A4: output written by a __repr__ is part of the execution’s output', async () => {
    const session = await open()
    const code = 'class Loud:\n    def __repr__(self):\n        print("repr!")\n        return "Loud"\nLoud()'
    expect(await session.execute(code)).toMatchObject({ stdout: 'repr!\n', repr: 'Loud' })
  })

  test('A4: the value is converted at the end of the execution', async () => {
    const session = await open()
    const { value } = await session.execute('x = [1]; x')
    await session.execute('x.append(2)')
    expect(value).toEqual([1])
  })

  test('A4: the result reports its duration and memory', async () => {
    const session = await open()
    const { durationMs, peakMemoryBytes, callbackInvocations } = await session.execute(
      'import time; time.sleep(0.05)',
    )
    expect(durationMs).toBeGreaterThanOrEqual(49)
    expect(peakMemoryBytes).toBeGreaterThan(1_000_000)
    expect(callbackInvocations).toBe(0)
  })
})

describeSessions(
  'result, with little memory',
  (open) => {
    test('A4: a value too large for a second copy in memory stays in the session, and still gets a repr', async () => {
      const session = await open({ limits: { memoryBytes: 64 * 2 ** 20 } })
      for (const length of [9_000_000, 12_000_000, 20_000_000]) {
        const { status, repr } = await session.execute(`'a' * ${length}`)
        expect([status, typeof repr]).toEqual(['completed', 'string'])
        expect((await session.execute('len(_)')).value).toBe(length)
      }
    })
  },
  [fresh],
)
