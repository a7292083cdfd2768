// A10: values to Python, through `set`.
import { ConversionError, InvalidOptionError, type Value } from 'brumate'
import { expect, test } from 'vitest'
import { pythonErrorOf, rejectionOf } from '../support/session-code.js'
import { describeSessions, fresh, thawed } from '../support/session-modes.js'

/** Values that `set` accepts, each with the Python expression that must then equal it, type included. */
const CONVERTIBLE: readonly (readonly [value: Value, python: string])[] = [
  [null, 'None'],
  [true, 'True'],
  [false, 'False'],
  [0, '0'],
  [-0, '-0.0'],
  [1, '1'],
  [-5, '-5'],
  [2 ** 31 - 1, '2**31 - 1'],
  [2 ** 31, '2**31'],
  [-(2 ** 31), '-2**31'],
  [-(2 ** 31) - 1, '-2**31 - 1'],
  [Number.MAX_SAFE_INTEGER, '2**53 - 1'],
  [Number.MIN_SAFE_INTEGER, '-(2**53 - 1)'],
  [0n, '0'],
  [5n, '5'],
  [-1n, '-1'],
  [2n ** 53n, '2**53'],
  [2n ** 53n + 1n, '2**53 + 1'],
  [-(2n ** 53n) - 1n, '-(2**53) - 1'],
  [2n ** 60n - 1n, '2**60 - 1'],
  [2n ** 60n, '2**60'],
  [-(2n ** 75n), '-2**75'],
  [10n ** 4000n + 7n, '10**4000 + 7'],
  [0.1, '0.1'],
  [1e300, '1e300'],
  [5e-324, '5e-324'],
  [Number.POSITIVE_INFINITY, 'float("inf")'],
  [Number.NEGATIVE_INFINITY, '-float("inf")'],
  [Number.NaN, 'float("nan")'],
  ['', '""'],
  ['plain', '"plain"'],
  ['it\'s "quoted" \\ \n', String.raw`"it's \"quoted\" \\ \n"`],
  ['é€😀', '"é€😀"'],
  ['a\0b', String.raw`"a\0b"`],
  ['\ufeffx', String.raw`"\ufeffx"`],
  ['a\ud800b', String.raw`"a\ud800b"`],
  ['\udfff\ud800', String.raw`"\udfff\ud800"`],
  [new Uint8Array(), 'b""'],
  [Uint8Array.from([0, 255, 10]), String.raw`b"\x00\xff\n"`],
  [Buffer.from('buffer'), 'b"buffer"'],
  [Uint8Array.from([1, 2, 3, 4]).subarray(1, 3), String.raw`b"\x02\x03"`],
  [[], '[]'],
  [[1, 'a', null], '[1, "a", None]'],
  [{}, '{}'],
  [{ a: 1, 'b c': [true], '': { x: null } }, '{"a": 1, "b c": [True], "": {"x": None}}'],
  [{ constructor: 1, toString: 2 }, '{"constructor": 1, "toString": 2}'],
  [Object.assign(Object.create(null), { bare: 1 }), '{"bare": 1}'],
  [new Set(), 'set()'],
  [new Set([1, 'a', null]), '{1, "a", None}'],
  [new Date('2026-11-23T12:34:56.789Z'), 'datetime(2026, 11, 23, 12, 34, 56, 789000, tzinfo=UTC)'],
  [new Date(0), 'datetime(1970, 1, 1, tzinfo=UTC)'],
  [new Date('1900-01-01T00:00:00Z'), 'datetime(1900, 1, 1, tzinfo=UTC)'],
  [
    [new Date(0), { at: new Date(1000) }],
    '[datetime(1970, 1, 1, tzinfo=UTC), {"at": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)}]',
  ],
  [new Set([new Date(0)]), '{datetime(1970, 1, 1, tzinfo=UTC)}'],
  [{ 'a.b': [new Set([1]), new Set(['x'])] }, '{"a.b": [{1}, {"x"}]}'],
]

class Point {
  x = 1
}

const cycle: Record<string, unknown> = {}
cycle.self = [cycle]

const REFUSED: readonly (readonly [what: string, value: unknown])[] = [
  ['undefined', undefined],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a class instance', new Point()],
  ['a class', Point],
  ['an Error', new Error('x')],
  ['a RegExp', /x/],
  ['a Promise', Promise.resolve(1)],
  ['a WeakMap', new WeakMap()],
  ['a DataView', new DataView(new ArrayBuffer(4))],
  ['an invalid Date', new Date(Number.NaN)],
  ['a boxed number', Object(1)],
  ['undefined in an array', [1, undefined]],
  ['a hole in an array', new Array(3)],
  ['a function deep inside', { a: [{ b: () => 1 }] }],
  ['undefined in a Map', new Map([['a', undefined]])],
  ['an object that contains itself', cycle],
  ['an array 100,000 deep', Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1)],
]

const SAME = `
def same(a, b):
    if type(a) is not type(b): return False
    if isinstance(a, float): return repr(a) == repr(b)
    if isinstance(a, list): return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict): return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return a == b
from datetime import datetime, UTC
`

/** Python has one int and one bytes type: a safe bigint comes back as a number, a Buffer as a Uint8Array. */
function asItComesBack(value: Value): Value {
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value)
  return value instanceof Uint8Array ? new Uint8Array(value) : value
}

// The modes after a reset or a renewal are left out here; smaller suites cover them.
describeSessions(
  'values to Python',
  (open) => {
    test('A10: all convertible values arrive in one list, each as the Python value of its type, and come back', async () => {
      const session = await open()
      await session.execute(SAME)
      await session.set(
        'it',
        CONVERTIBLE.map(([value]) => value),
      )
      const expected = CONVERTIBLE.map(([, python]) => python)
      expect((await session.execute(`same(it, [${expected.join(', ')}])`)).value).toBe(true)
      expect(await session.get('it')).toEqual(CONVERTIBLE.map(([value]) => asItComesBack(value)))
    })

    test('A10: a value without a Python form throws a TypeError that says what was expected', async () => {
      const session = await open()
      await session.set('it', 'before')
      for (const [what, value] of REFUSED) {
        const error = await rejectionOf(ConversionError, session.set('it', value as Value))
        expect.soft(error, what).toBeInstanceOf(TypeError)
        expect.soft(error.message, what).toContain('it')
        expect.soft(error.message, what).toContain('expected')
      }
      expect(await session.get('it')).toBe('before')
    })

    test('A10: the error names the position inside the value', async () => {
      const session = await open()
      const error = await rejectionOf(
        ConversionError,
        session.set('it', { rows: [1, { cell: () => 1 }] } as never),
      )
      expect(error.message).toContain('it["rows"][1]["cell"]')
    })

    test('A10: a number beyond 2**53 becomes a float, as in JavaScript', async () => {
      const session = await open()
      await session.set('it', 2 ** 60)
      expect((await session.execute('repr(it)')).value).toBe('1.152921504606847e+18')
    })

    test('A10: an own key __proto__ does not reach any prototype', async () => {
      const session = await open()
      const hostile = JSON.parse('{"a": 1, "__proto__": {"polluted": 1}}') as Value
      await session.set('it', hostile).catch((error) => expect(error).toBeInstanceOf(ConversionError))
      const back = await session.get('it').catch(() => ({}))
      expect((back as Record<string, unknown>).polluted).toBe(undefined)
      expect(({} as Record<string, unknown>).polluted).toBe(undefined)
    })

    test('A10: a Set with members that Python cannot hash raises a Python TypeError and changes nothing', async () => {
      const session = await open()
      await session.set('it', 'before')
      expect((await pythonErrorOf(session.set('it', new Set([[1]])))).type).toBe('TypeError')
      expect(await session.get('it')).toBe('before')
    })

    test('A10: a Date outside Python’s range raises a Python error and changes nothing', async () => {
      const session = await open()
      await session.set('it', 'before')
      await pythonErrorOf(session.set('it', new Date(8.64e15)))
      expect(await session.get('it')).toBe('before')
    })

    test('A10: changing the value after the call does not affect Python', async () => {
      const session = await open()
      const bytes = new Uint8Array(100_000)
      const list = [1]
      const running = [
        session.execute('import time; time.sleep(0.02)'),
        session.set('b', bytes),
        session.set('l', list),
      ]
      bytes.fill(1)
      list.push(2)
      await Promise.all(running)
      expect((await session.execute('sum(b), l')).value).toEqual([0, [1]])
    })

    test('A10: no part of a value is treated as source code', async () => {
      const session = await open()
      const text = `"""'''\n__import__('os').abort()\n#`
      await session.set('it', { [text]: text })
      expect(await session.get('it')).toEqual({ [text]: text })
    })

    test('A10: set creates a global that code sees and can change', async () => {
      const session = await open()
      await session.set('it', [1])
      await session.execute('it.append(2)\ndef f(): return it')
      await session.set('it', 'new')
      expect((await session.execute('f()')).value).toBe('new')
    })

    test('A10: set of a name that Python code could not assign fails and changes nothing', async () => {
      const session = await open()
      for (const name of ['class', 'None', 'await', 'ｃlass', '__builtins__', '__debug__']) {
        await rejectionOf(InvalidOptionError, session.set(name, 1))
      }
    })
  },
  [fresh, thawed],
)

describeSessions(
  'each value to Python, and large ones',
  (open) => {
    test('A10: every convertible value arrives as the Python value of its type', async () => {
      const session = await open()
      await session.execute(SAME)
      for (const [value, python] of CONVERTIBLE) {
        await session.set('it', value)
        const { repr } = await session.execute(`[same(it, ${python}), it]`)
        expect.soft(repr?.startsWith('[True, '), `${python} became ${repr}`).toBe(true)
      }
    })

    test('A10: every convertible value comes back as it went in', async () => {
      const session = await open()
      for (const [value, python] of CONVERTIBLE) {
        await session.set('it', value)
        const back = await session.get('it')
        expect.soft(back, python).toEqual(asItComesBack(value))
      }
    })

    test('A10: 10 MB of bytes arrive, and the caller keeps its own copy', async () => {
      const session = await open()
      const bytes = new Uint8Array(
        Buffer.alloc(
          10_000_000,
          Uint8Array.from({ length: 250 }, (_, n) => n),
        ),
      )
      await session.set('big', bytes)
      expect((await session.execute('len(big), big == bytes(range(250)) * 40_000')).value).toEqual([
        10_000_000,
        true,
      ])
      expect([bytes.length, bytes[249]]).toEqual([10_000_000, 249])
    })

    test('A10: large text and large containers arrive', async () => {
      const session = await open()
      await session.set('text', 'é€'.repeat(1_000_000))
      await session.set(
        'rows',
        Array.from({ length: 50_000 }, (_, id) => ({ id, name: `row ${id}`, ratio: id / 7 })),
      )
      const code =
        'text == "é€" * 1_000_000, len(rows), rows[49_999] == {"id": 49999, "name": "row 49999", "ratio": 49999 / 7}'
      expect((await session.execute(code)).value).toEqual([true, 50_000, true])
    })
  },
  [fresh],
)
