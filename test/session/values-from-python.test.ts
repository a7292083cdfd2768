// A10: values from Python, through `get` and as the last expression.
import { BrumateError } from 'brumate'
import { expect, test } from 'vitest'
import { py, pythonErrorOf } from '../support/session-code.js'
import { describeSessions, fresh, thawed } from '../support/session-modes.js'

const CONVERTIBLE: readonly (readonly [what: string, expression: string, expected: unknown])[] = [
  ['True', 'True', true],
  ['False', 'False', false],
  ['0', '0', 0],
  ['a negative int', '-7', -7],
  ['an int of 31 bits', '2**31 - 1', 2 ** 31 - 1],
  ['an int of 32 bits', '2**31', 2 ** 31],
  ['the most negative int of 32 bits', '-2**31', -(2 ** 31)],
  ['an int below that', '-2**31 - 1', -(2 ** 31) - 1],
  ['2**53 - 1', '2**53 - 1', Number.MAX_SAFE_INTEGER],
  ['-(2**53 - 1)', '-(2**53 - 1)', Number.MIN_SAFE_INTEGER],
  ['2**53', '2**53', 2n ** 53n],
  ['-2**53', '-2**53', -(2n ** 53n)],
  ['2**53 + 1', '2**53 + 1', 2n ** 53n + 1n],
  ['-(2**53 + 1)', '-(2**53 + 1)', -(2n ** 53n) - 1n],
  ['an int of 60 bits', '2**60 - 1', 2n ** 60n - 1n],
  ['an odd int of 59 bits', '0x7_edcb_a987_6543_211', 0x7edcba987654321_1n],
  ['an int of 64 bits', '2**64 + 1', 2n ** 64n + 1n],
  ['a negative int of 100 bits', '-(2**100) - 3', -(2n ** 100n) - 3n],
  ['an int of 4,000 digits', '10**3999 + 7', 10n ** 3999n + 7n],
  ['a float', '0.1', 0.1],
  ['a float that is whole', '2.0', 2],
  ['a float beyond 2**53', '1e300', 1e300],
  ['the smallest float', '5e-324', 5e-324],
  ['inf', 'float("inf")', Number.POSITIVE_INFINITY],
  ['-inf', '-float("inf")', Number.NEGATIVE_INFINITY],
  ['nan', 'float("nan")', Number.NaN],
  ['-0.0', '-0.0', -0],
  ['an empty str', '""', ''],
  ['a str of ASCII', '"plain"', 'plain'],
  ['a str beyond the basic plane', '"é€😀"', 'é€😀'],
  ['a str with NUL', String.raw`"a\0b"`, 'a\0b'],
  ['a str that begins with a byte order mark', String.raw`"\ufeffx"`, '\ufeffx'],
  ['a str with a lone high surrogate', String.raw`"a\ud800b"`, 'a\ud800b'],
  ['a long str with lone low surrogates', String.raw`"é\udfff" * 50`, 'é\udfff'.repeat(50)],
  ['an interned str', 'import_name = "__name__"', undefined],
  ['empty bytes', 'b""', new Uint8Array()],
  ['bytes', 'bytes(range(256))', Uint8Array.from({ length: 256 }, (_, n) => n)],
  ['a bytearray', 'bytearray(b"ab")', Uint8Array.from([97, 98])],
  ['a memoryview', 'memoryview(b"abc")[1:]', Uint8Array.from([98, 99])],
  ['an empty list', '[]', []],
  ['an empty tuple', '()', []],
  ['an empty dict', '{}', {}],
  ['an empty set', 'set()', new Set()],
  ['a list', '[1, "a", None, 2.5]', [1, 'a', null, 2.5]],
  ['a tuple', '(1, (2, 3))', [1, [2, 3]]],
  ['a dict', '{"a": 1, "b c": None, "": [True]}', { a: 1, 'b c': null, '': [true] }],
  [
    'a dict with names of Object',
    '{"constructor": 1, "toString": 2, "hasOwnProperty": 3}',
    { constructor: 1, toString: 2, hasOwnProperty: 3 },
  ],
  ['a set', '{1, "a", None}', new Set([1, 'a', null])],
  ['a frozenset', 'frozenset([1, 2])', new Set([1, 2])],
  ['nested containers', '{"a": [({"b": {1, 2}},)]}', { a: [[{ b: new Set([1, 2]) }]] }],
  ['a list that holds one object twice', '(lambda x: [x, x])([1])', [[1], [1]]],
  [
    'a list 400 deep',
    'eval("[" * 90 + "1" + "]" * 90)',
    Array.from({ length: 90 }).reduce((inner) => [inner], 1),
  ],
  [
    'a datetime in UTC',
    'datetime(2026, 11, 23, 12, 34, 56, 789000, tzinfo=UTC)',
    new Date('2026-11-23T12:34:56.789Z'),
  ],
  [
    'a datetime with an offset',
    'datetime(2026, 11, 23, 1, tzinfo=timezone(timedelta(hours=2)))',
    new Date('2026-11-22T23:00:00Z'),
  ],
  ['a datetime before 1970', 'datetime(1900, 1, 1, tzinfo=UTC)', new Date('1900-01-01T00:00:00Z')],
  ['a naive datetime', 'datetime(2026, 1, 2, 3, 4, 5)', new Date('2026-01-02T03:04:05Z')],
  [
    'datetimes inside containers',
    '{"at": [datetime(2000, 1, 1, tzinfo=UTC)]}',
    { at: [new Date('2000-01-01T00:00:00Z')] },
  ],
]

const NOT_CONVERTIBLE: readonly (readonly [what: string, expression: string, repr: string])[] = [
  ['a complex', '1j', '1j'],
  ['a range without end', 'range(10**9)', 'range(0, 1000000000)'],
  ['Ellipsis', '...', 'Ellipsis'],
  ['a type', 'int', "<class 'int'>"],
  ['an instance', 'type("C", (), {"__repr__": lambda self: "C!"})()', 'C!'],
  ['a list with something that has none', '[1, 1j]', '[1, 1j]'],
  ['a list that contains itself', '(lambda x: x.append(x) or x)([])', '[[...]]'],
  ['a tuple that looks like a tagged value', '(..., "datetime", 1.0)', "(Ellipsis, 'datetime', 1.0)"],
]

// The modes after a reset or a renewal are left out here; smaller suites cover them.
describeSessions(
  'values from Python',
  (open) => {
    test('A10: all convertible values arrive in one list, through execute and through get', async () => {
      const session = await open()
      const values = CONVERTIBLE.filter(([, , expected]) => expected !== undefined)
      const expected = values.map(([, , value]) => value)
      await session.execute('from datetime import datetime, timedelta, timezone, UTC')
      const { value } = await session.execute(`it = [${values.map(([, code]) => code).join(', ')}]; it`)
      expect(value).toStrictEqual(expected)
      expect(await session.get('it')).toStrictEqual(expected)
    })

    test('A10: an int of any size arrives, even if its repr() raises ValueError', async () => {
      const session = await open()
      await session.execute('huge = -(7 ** 100_000)')
      expect((await session.get('huge')) === -(7n ** 100_000n)).toBe(true)
      const { value, repr } = await session.execute('huge')
      expect(value === -(7n ** 100_000n)).toBe(true)
      expect(repr).toContain('ValueError')
    })

    test('A10: get returns null for None', async () => {
      const session = await open()
      await session.execute('nothing = None')
      expect(await session.get('nothing')).toBe(null)
    })

    test('A10: the error for a list that contains itself says so, not that it is too large', async () => {
      const session = await open()
      await session.execute('it = []; it.append(it)')
      const { message } = await pythonErrorOf(session.get('it'))
      expect(message).toBe('TypeError: it: list contains itself, or is nested too deeply')
    })

    test('A10: a key __proto__ does not reach any prototype', async () => {
      const session = await open()
      await session.execute(
        'it = {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
      )
      await session.execute('it')
      await session.get('it').catch(() => {})
      const { value } = await session.execute('it.pop("__proto__"); it')
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
      expect(({} as Record<string, unknown>).polluted).toBe(undefined)
    })

    test('A10: get of a missing name raises NameError, even for names that Object has', async () => {
      const session = await open()
      for (const name of ['missing', 'constructor', '__proto__', 'toString', 'len']) {
        expect((await pythonErrorOf(session.get(name))).type, name).toBe('NameError')
      }
    })

    test('A10: get accepts names that Python accepts, including non-ASCII ones', async () => {
      const session = await open()
      await session.execute('größe = 5; ﬁ = 6')
      expect([await session.get('größe'), await session.get('ﬁ')]).toEqual([5, 6])
    })

    test('A10: get returns a copy: later changes on either side do not reach the other', async () => {
      const session = await open()
      await session.execute('x = bytearray(b"ab")')
      const before = (await session.get('x')) as Uint8Array
      await session.execute('x[0] = 0')
      expect([...before]).toEqual([97, 98])
      before[1] = 0
      expect([...((await session.get('x')) as Uint8Array)]).toEqual([0, 98])
    })

    test('A10: a value converts by its contents, even if its class overrides methods', async () => {
      const session = await open()
      await session.execute(py`
      class Sneaky(dict):
          def items(self): raise ValueError
          def keys(self): raise ValueError
      sneaky = Sneaky(a=1)
    `)
      expect(await session.get('sneaky')).toEqual({ a: 1 })
    })
  },
  [fresh, thawed],
)

describeSessions(
  'each value from Python, and large ones',
  (open) => {
    test('A10: every convertible value arrives through execute and through get', async () => {
      const session = await open()
      await session.execute('from datetime import datetime, timedelta, timezone, UTC')
      for (const [what, expression, expected] of CONVERTIBLE) {
        const { value } = await session.execute(expression)
        expect.soft(value, `execute: ${what}`).toStrictEqual(expected)
        if (expected === undefined) continue
        await session.execute(`it = ${expression}`)
        expect.soft(await session.get('it'), `get: ${what}`).toStrictEqual(expected)
      }
    })

    test('A10: a value without a JavaScript form has a repr and no value, and get raises TypeError', async () => {
      const session = await open()
      for (const [what, expression, shown] of NOT_CONVERTIBLE) {
        const { value, repr } = await session.execute(expression)
        expect.soft({ value, repr }, `execute: ${what}`).toEqual({ value: undefined, repr: shown })
        await session.execute(`it = ${expression}`)
        expect.soft((await pythonErrorOf(session.get('it'))).type, `get: ${what}`).toBe('TypeError')
      }
    })

    test('A10: 10 MB of bytes arrive, through get and as the last expression', async () => {
      const session = await open({ limits: { resultBytes: 10_000_000 } })
      await session.execute('big = bytes(range(250)) * 40_000')
      const expected = Buffer.alloc(
        10_000_000,
        Uint8Array.from({ length: 250 }, (_, n) => n),
      )
      for (const value of [await session.get('big'), (await session.execute('big')).value]) {
        const bytes = value as Uint8Array
        expect(Buffer.compare(bytes, expected)).toBe(0)
      }
    })

    test('A10: 10 MB of text and a list of 300,000 numbers arrive', async () => {
      const session = await open()
      await session.execute('text = "é€" * 2_000_000; numbers = list(range(300_000))')
      expect((await session.get('text')) === 'é€'.repeat(2_000_000)).toBe(true)
      const numbers = (await session.get('numbers')) as number[]
      expect(numbers.length === 300_000 && numbers.every((n, index) => n === index)).toBe(true)
    })

    test('A10: a value that contains one list exponentially often is rejected instead of expanded', async () => {
      const session = await open({ executionTimeoutMs: 1000 })
      await session.execute('bomb = []\nfor _ in range(100): bomb = [bomb, bomb]')
      await expect(session.get('bomb')).rejects.toThrow(BrumateError)
      expect((await session.execute('1')).value).toBe(1)
    })
  },
  [fresh],
)
