// The JavaScript form of every supported type (docs/values.md), what a conversion loses, and the size limit of results.
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { InvalidOptionError, type SessionManager } from 'brumate'
import { beforeAll, expect, test } from 'vitest'
import { py, pythonErrorOf, rejectionOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
})

const open = (options = {}) => manager.createSession({ checkpoint: 'manual', ...options })

const SETUP = py`
  from collections import *
  from dataclasses import dataclass, field
  from datetime import *
  from decimal import Decimal
  from enum import *
  from fractions import Fraction
  from ipaddress import ip_address
  from pathlib import *
  from types import *
  from typing import NamedTuple
  from uuid import UUID
  import sqlite3
  class P(NamedTuple):
      x: int
      y: object
  @dataclass
  class Node:
      name: str
      next: object = None
      parts: list = field(default_factory=list)
  class Color(Enum):
      RED = 'r'
  class Size(IntEnum):
      BIG = 3
  class Tag(StrEnum):
      A = 'a'
  class Access(Flag):
      R = 1
      W = 2
`
const FORMS: readonly (readonly [python: string, form: unknown])[] = [
  ["{1: 'a'}", new Map([[1, 'a']])],
  [
    "{None: 1, 'b': 2}",
    new Map<unknown, unknown>([
      [null, 1],
      ['b', 2],
    ]),
  ],
  ['{(1, 2): [3]}', new Map([[[1, 2], [3]]])],
  ['{date(2020, 1, 2): 1}', new Map([['2020-01-02', 1]])],
  ["{'__proto__': 1}", new Map([['__proto__', 1]])],
  ['{Tag.A: 1}', new Map([['a', 1]])],
  ["Counter('aab')", { a: 2, b: 1 }],
  ['Counter([1, 1])', new Map([[1, 2]])],
  ["defaultdict(list, {'a': [1]})", { a: [1] }],
  ['OrderedDict(b=1, a=2)', { b: 1, a: 2 }],
  ['MappingProxyType({1: 2})', new Map([[1, 2]])],
  ["SimpleNamespace(a=Decimal('1'))", { a: '1' }],
  ['P(1, P(2, [3]))', { x: 1, y: { x: 2, y: [3] } }],
  ["Node('a', Node('b'))", { name: 'a', next: { name: 'b', next: null, parts: [] }, parts: [] }],
  ['deque([1, (2,)], maxlen=5)', [1, [2]]],
  ['range(0, 10, 3)', [0, 3, 6, 9]],
  ["{'a': 1}.keys()", ['a']],
  ["{'a': 1}.items()", [['a', 1]]],
  ['[Color.RED, Size.BIG, Tag.A, Access.R | Access.W]', ['r', 3, 'a', 3]],
  ["[Decimal('1.10'), Decimal('NaN'), Decimal('1E+400')]", ['1.10', 'NaN', '1E+400']],
  ['Fraction(1, 3)', '1/3'],
  ['date(2020, 1, 2)', '2020-01-02'],
  ['[time(1, 2, 3), time(1, 2, 3, 4, UTC)]', ['01:02:03', '01:02:03.000004+00:00']],
  ['[timedelta(days=-1), timedelta(microseconds=1500)]', [-86_400_000, 1.5]],
  ["[Path('/a') / 'b', PureWindowsPath('c')]", ['/a/b', 'c']],
  ['UUID(int=1)', '00000000-0000-0000-0000-000000000001'],
  ["ip_address('10.0.0.1')", '10.0.0.1'],
  ['{P(1, 2)}', new Set([{ x: 1, y: 2 }])],
  ['{(1, (2,))}', new Set([[1, [2]]])],
]

test('every form arrives as the last expression, through get, and nested in other values', async () => {
  await using session = await open()
  await session.execute(SETUP)
  for (const [python, form] of FORMS) {
    const result = await session.execute(python)
    expect.soft([result.value, result.exact, result.lost], python).toStrictEqual([form, true, []])
    await session.execute(`it = {'in': [${python}]}`)
    expect.soft(await session.get('it'), python).toStrictEqual({ in: [form] })
  }
  const rows = await session.execute(py`
    base = sqlite3.connect(':memory:')
    base.row_factory = sqlite3.Row
    base.execute("select 1 as a, 'x' as b").fetchall()
  `)
  expect(rows.value).toEqual([{ a: 1, b: 'x' }])
})

test('callback arguments have the same forms', async () => {
  const seen: unknown[] = []
  await using session = await open({ callbacks: { see: (args: unknown) => void seen.push(args) } })
  await session.execute(SETUP)
  await session.execute("await see(a={1: Color.RED}, b=P(1, {2: Decimal('3')}), c={P(1, 2)})")
  expect(seen).toEqual([
    { a: new Map([[1, 'r']]), b: { x: 1, y: new Map([[2, '3']]) }, c: new Set([{ x: 1, y: 2 }]) },
  ])
})

test('exact is false if something was lost, and lost names it', async () => {
  await using session = await open()
  await session.execute(SETUP)
  for (const [python, value, lost] of [
    ['datetime(2020, 1, 1, tzinfo=UTC)', new Date('2020-01-01Z'), []],
    [
      "{'at': [datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=1)))]}",
      { at: [new Date('2019-12-31T23:00Z')] },
      ['value["at"][0]: datetime without its time zone'],
    ],
    [
      'P(1, datetime(1970, 1, 1, 0, 0, 0, 5))',
      { x: 1, y: new Date(0) },
      ['value.y: datetime without its microseconds'],
    ],
    ["[type('L', (list,), {})([1])]", [[1]], ['value[0]: L, of which only the list is left']],
    ["type('D', (dict,), {'items': 5})(a=1)", { a: 1 }, ['value: D, of which only the dict is left']],
    ["{Decimal('1'), '1'}", new Set(['1']), ['value: set without members that are equal in JavaScript']],
    [
      "{Decimal('1'): 1, '1': 2}",
      new Map([['1', 2]]),
      ['value: dict without keys that are equal in JavaScript'],
    ],
    ['1j', undefined, ['value: complex has no JavaScript form']],
    ["{'a': [0, 1, 2, 1j]}", undefined, ['value["a"][3]: complex has no JavaScript form']],
    ["Node('a', Node('b', object()))", undefined, ['value.next.next: object has no JavaScript form']],
    ['(lambda x: x.append(x) or x)([])', undefined, ['value: list contains itself, or is nested too deeply']],
  ] as const) {
    const result = await session.execute(python)
    expect.soft([result.value, result.lost, result.exact], python).toEqual([value, lost, lost.length === 0])
  }
  expect((await session.execute('[datetime(1970, 1, 1, 0, 0, 0, 5)] * 50')).lost).toHaveLength(10)
})

test('the error of get names the part without a form', async () => {
  await using session = await open()
  await session.execute('d = {"a": [0, 1, 2, 1j]}')
  const error = await pythonErrorOf(session.get('d'))
  expect([error.type, error.message]).toEqual([
    'TypeError',
    'TypeError: d["a"][3]: complex has no JavaScript form',
  ])
})

test('a class that only has the name of a library type is not converted, and its methods are not called', async () => {
  await using session = await open()
  const { value, lost } = await session.execute(py`
    class Decimal:
        def __str__(self): raise SystemExit
    Decimal.__module__ = 'decimal'
    Decimal()
  `)
  expect([value, lost]).toEqual([undefined, ['value: Decimal has no JavaScript form']])
})

interface Order {
  readonly id: number
  readonly note?: string
  readonly tags: readonly string[]
}

test('set accepts optional fields, interfaces, maps, buffers and objects of another realm', async () => {
  await using session = await open()
  const order: Order = { id: 1, note: undefined as never, tags: ['a'] as const }
  const orders: readonly Order[] = [order]
  await session.set('orders', orders)
  expect((await session.execute('repr(orders)')).value).toBe("[{'id': 1, 'tags': ['a']}]")
  const foreign = runInNewContext(
    "({ a: [1, { b: null }], when: new Date(0), set: new Set([1]), map: new Map([[1, 'x']]), bytes: new Uint8Array([1]), buffer: new ArrayBuffer(1), numbers: new Float64Array([0.5]) })",
  )
  for (const [value, python] of [
    [
      new Map<unknown, unknown>([
        ['a', 1],
        [2, new Map([[[1, 2], new Date(0)]])],
      ]),
      "{'a': 1, 2: {(1, 2): datetime(1970, 1, 1, tzinfo=UTC)}}",
    ],
    [new Map(), '{}'],
    [new ArrayBuffer(2), "b'\\0\\0'"],
    [Object.freeze([1, Object.freeze({ a: 2 })]), "[1, {'a': 2}]"],
    [
      foreign,
      "{'a': [1, {'b': None}], 'when': datetime(1970, 1, 1, tzinfo=UTC), 'set': {1}, 'map': {1: 'x'}, 'bytes': b'\\x01', 'buffer': b'\\0', 'numbers': it['numbers']}",
    ],
  ] as const) {
    await session.set('it', value)
    expect(
      (await session.execute(`from datetime import datetime, UTC\nit == ${python} or repr(it)`)).value,
    ).toBe(true)
  }
  expect((await session.execute("list(it['numbers'])")).value).toEqual([0.5])
  const map = new Map<unknown, unknown>([
    [1, 'a'],
    ['b', [2]],
    [null, new Map([['c', 1n]])],
  ])
  await session.set('map', map)
  expect(await session.get('map')).toEqual(
    new Map<unknown, unknown>([
      [1, 'a'],
      ['b', [2]],
      [null, { c: 1 }],
    ]),
  )
  await expect(session.set('it', new Map([['k', [() => 1]]]))).rejects.toThrow('it["k"][0]: expected')
  await expect(session.set('it', new (class Point {})())).rejects.toThrow('plain object')
})

test('set rejects names that Python code cannot or must not assign', async () => {
  await using session = await open()
  for (const name of ['class', 'None', '__builtins__', '__debug__', 'ｃlass'])
    await rejectionOf(InvalidOptionError, session.set(name, {}))
  await session.set('match', 1)
  expect((await session.execute('match + len([1])')).value).toBe(2)
})

test('resultBytes limits repr and value separately, and the state stays', async () => {
  await using session = await open({ limits: { outputBytes: 20_000, resultBytes: 20_000 } })
  const { repr, value, exact, lost } = await session.execute("big = 'x' * 12_000_000\nbig")
  expect(Buffer.byteLength(repr ?? '')).toBeLessThanOrEqual(20_000)
  expect(repr).toMatch(/^'x+… \[cut: 12000002 bytes, limits\.resultBytes is 20000\]$/)
  expect([value, exact]).toEqual([undefined, false])
  expect(lost[0]).toContain('limits.resultBytes is 20000')
  expect(await session.get('big')).toHaveLength(12_000_000)
  for (const [code, fits] of [
    ["'x' * 19_990", true],
    ["'é' * 9_990", true],
    ["'é' * 11_000", false],
    ['list(range(3_900))', true],
    ['list(range(5_000))', false],
    ['bytearray(25_000)', false],
    ['__import__("array").array("b", bytes(25_000))', false],
    ['[{"a": "x" * 30_000}]', false],
  ] as const) {
    const result = await session.execute(code)
    expect([result.value !== undefined, result.exact], code).toEqual([fits, fits])
    expect(Buffer.byteLength(result.repr ?? ''), code).toBeLessThanOrEqual(20_000)
  }
  await using plain = await open()
  expect((await plain.execute("'x' * 9_000_000")).value).toBe(undefined)
  await using unbounded = await open({ limits: { resultBytes: null } })
  expect((await unbounded.execute("'x' * 9_000_000")).repr).toHaveLength(9_000_002)
})

test('docs/values.md names every type of these tests', () => {
  const docs = readFileSync(new URL('../../docs/values.md', import.meta.url), 'utf8')
  for (const name of [
    'Counter',
    'defaultdict',
    'namedtuple',
    'deque',
    'dataclass',
    'Enum',
    'Decimal',
    'date',
    'time',
    'timedelta',
    'range',
    'Path',
    'UUID',
    'Fraction',
    'complex',
    'Map',
  ])
    expect(docs).toContain(name)
})
