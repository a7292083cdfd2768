// C5, C3, N1: the description in a snapshot: its globals, their plain values, the calls it waits for. Whatever the session contains,
// describing it has a bounded cost and runs no user code.
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { cpuMsOf } from '../../support/cpu-time.js'
import { Kernel } from '../kernel.js'

let kernel: Kernel
beforeAll(async () => {
  kernel = await Kernel.shared()
})
beforeEach(() => {
  kernel.send({ op: 'clear' })
  kernel.send({ op: 'attach', env: {}, callbacks: [] })
  kernel.output()
})

const MIB = 1024 * 1024

test('C5: a description lists the session’s globals in order, and no others', () => {
  kernel.execute('x: int = 1\ndef f(): pass\nclass C: pass\nc = C()\nimport json\n__version__ = "1"')
  const { description, values } = kernel.describe()
  expect(description).toMatchObject({ pending: [], skipped: [], awaiting: false })
  expect(description.omitted).toEqual({ globals: 0, pending: 0 })
  expect(description.globals.map(({ name, type, repr }) => [name, type, repr])).toEqual([
    ['x', 'int', '1'],
    ['f', 'function', '<function>'],
    ['C', 'type', '<type>'],
    ['c', 'C', '<C>'],
    ['json', 'module', '<module>'],
    ['__version__', 'str', "'1'"],
  ])
  expect(values).toBe("{'x': 1, '__version__': '1'}")
})

test('C5: the description of an empty session is empty', () => {
  expect(kernel.describe()).toMatchObject({ description: { globals: [] }, values: '{}' })
})

test.each([
  ['None', 'None', 'None'],
  ['True', 'True', 'True'],
  ['-1', '-1', '-1'],
  ['[0, 127, 128, -32, -33, 2**31, -2**63, 2**63 - 1, 2**64 - 1]', undefined, undefined],
  ['2**64', '18446744073709551616', "{0: 'int', 1: '18446744073709551616'}"],
  ['-2**63 - 1', '-9223372036854775809', "{0: 'int', 1: '-9223372036854775809'}"],
  ['1.5', '1.5', '1.5'],
  ['float("-inf")', '-inf', '-inf'],
  ['"é" * 40', `'${'é'.repeat(40)}'`, `'${'é'.repeat(40)}'`],
  ['"\\ud800"', "'\\ud800'", "{0: 'text', 1: b'\\x00\\xd8'}"],
  ['b"\\x00\\xff"', "b'\\x00\\xff'", "b'\\x00\\xff'"],
  ['bytearray(b"a")', "bytearray(b'a')", "b'a'"],
  ['memoryview(b"abcd")[::2]', '<memoryview>', "b'ac'"],
  ['(1, [2.0, (None,)], {})', '(1, [2.0, (None,)], {})', '[1, [2.0, [None]], {}]'],
  ['{"a": {"b": [b""]}}', "{'a': {'b': [b'']}}", "{'a': {'b': [b'']}}"],
  ['{7}', '{7}', "{0: 'set', 1: [7]}"],
  ['frozenset()', 'frozenset()', "{0: 'set', 1: []}"],
  [
    '__import__("datetime").datetime(2020, 1, 1, tzinfo=__import__("datetime").UTC)',
    'datetime.datetime(2020, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)',
    "{0: 'datetime', 1: 1577836800000.0}",
  ],
  [
    '__import__("datetime").datetime.fromisoformat("2020-01-01T02:00:00+02:00")',
    '<datetime>',
    "{0: 'datetime', 1: 1577836800000.0}",
  ],
])('C5: %s is described, and its value can be read', (source, repr, value) => {
  kernel.execute(`v = ${source}`)
  const described = kernel.describe()
  const expected = value ?? kernel.value('v')
  expect(described.values).toBe(`{'v': ${expected}}`)
  expect(described.description.globals[0]?.repr).toBe(repr ?? expected)
  expect(described.description.skipped).toEqual([])
})

test.each([
  ['object()', '<object>'],
  ['1j', '1j'],
  ['range(3)', 'range(0, 3, 1)'],
  ['{1: 2}', '{1: 2}'],
  ['[..., 1, 2]', '[Ellipsis, 1, 2]'],
  ['(..., "datetime", 2.0)', "(Ellipsis, 'datetime', 2.0)"],
  ['__import__("collections").namedtuple("P", "x")(1)', '<P>'],
  ['__import__("decimal").Decimal(1)', '<Decimal>'],
  ['__import__("datetime").date(2020, 1, 1)', 'datetime.date(2020, 1, 1)'],
  ['{"\\ud800": 1}', "{'\\ud800': 1}"],
])('C5: %s has no plain value, and is not listed as skipped', (source, repr) => {
  kernel.execute(`v = ${source}`)
  const { description, values } = kernel.describe()
  expect(values).toBe('{}')
  expect(description).toMatchObject({ skipped: [], globals: [{ name: 'v', repr }] })
})

test('C5: values over the bound are skipped and named, and smaller ones still fit', () => {
  kernel.execute('small = 1\nlarge = "x" * 2000\nmany = list(range(3000))\nlast = [b"y"]')
  const { description, values, bytes } = kernel.describe(1000)
  expect(values).toBe("{'small': 1, 'last': [b'y']}")
  expect(description.skipped).toEqual(['large', 'many'])
  expect(bytes.values).toBeLessThanOrEqual(1000)
  expect(kernel.describe(0).values).toBe('{}')
})

test('C5: sizes are those of the objects themselves', () => {
  kernel.execute('import sys\nclass I(int): pass\nt, b, i = "x" * 5000, bytearray(70000), I(5)')
  const sizes = kernel.describe().description.globals.map(({ name, sizeBytes }) => [name, sizeBytes])
  const of = Object.fromEntries(sizes) as Record<string, number>
  expect(of.t).toBeGreaterThan(5000)
  expect(of.t).toBeLessThan(5100)
  expect(of.b).toBeGreaterThanOrEqual(70_000)
  expect(of.i).toBeLessThan(100)
})

test('C8: a description lists unanswered calls, with their arguments as they were at the call', () => {
  const callbacks = [{ name: 'fetch', description: '', parameters: null }]
  kernel.send({ op: 'attach', env: {}, callbacks })
  const code = `
    import asyncio, datetime
    items = [1]
    async def go():
        t = asyncio.create_task(fetch(items=items, at=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)))
        await asyncio.sleep(0)
        items.append(2)
        return await t, await asyncio.gather(fetch(n=1), fetch(data=b"x" * 300000))
    await go()`
  expect(kernel.start(code).calls).toHaveLength(1)
  const { description } = kernel.describe()
  expect(description.awaiting).toBe(true)
  expect(description.pending).toEqual([
    { id: expect.any(Number), name: 'fetch', args: { items: [1], at: { 0: 'datetime', 1: 1577836800000 } } },
  ])
  kernel.send({ op: 'answer', id: description.pending[0]?.id, ok: true, value: '"a"' })
  const second = kernel.describe().description.pending
  expect(second.map(({ args }) => args)).toEqual([{ n: 1 }, null])
  for (const { id } of second) kernel.send({ op: 'answer', id, ok: true, value: `${id}` })
  expect(kernel.describe().description).toMatchObject({ pending: [], awaiting: false })
})

test('C2: describing does not affect an awaiting execution', () => {
  const reply = kernel.start('x = [1]\nimport asyncio\nawait asyncio.sleep(0.02, x)')
  expect(kernel.describe().description.awaiting).toBe(true)
  expect(kernel.finish(reply).value).toBe('[1]')
})

test('N1: describing runs no code of the user’s classes', () => {
  const reply = kernel.execute(`
    import sys, datetime
    ran = []
    class Meta(type):
        def __getattribute__(cls, name):
            ran.append(name)
            return type.__getattribute__(cls, name)
        def __instancecheck__(cls, other): ran.append('instancecheck')
        def __subclasscheck__(cls, other): ran.append('subclasscheck')
        def __eq__(cls, other): ran.append('eq')
        def __hash__(cls): ran.append('hash'); return 1
        def __call__(cls, *args): return type.__call__(cls, *args)
    def trap(name):
        def method(self, *args):
            ran.append(name)
            return NotImplemented
        return method
    NAMES = '''__repr__ __str__ __sizeof__ __len__ __iter__ __bool__ __getattribute__ __eq__ __hash__ __lt__ __index__ __int__
      __float__ __format__ __bytes__ __buffer__ __dir__ __reduce_ex__ __getitem__ __contains__ __del__'''.split()
    def trapped(*bases):
        return Meta('Trapped', bases, {name: trap(name) for name in NAMES} | {'__class__': property(trap('__class__'))})
    class Name(str):
        def __getitem__(self, i): ran.append('name getitem'); return 'x'
        def __str__(self): ran.append('name str'); return 'x'
        def __repr__(self): ran.append('name repr'); return 'x'
        def __len__(self): ran.append('name len'); return 1
    class Zone(datetime.tzinfo):
        def utcoffset(self, moment): ran.append('utcoffset')
        def __repr__(self): ran.append('zone'); return ''
    class Renamed: pass
    Renamed.__name__ = Name('Renamed' * 100)
    plain = trapped()
    a = plain()
    b, c, d, e = trapped(int)(5), trapped(str)('s'), trapped(list)([1]), trapped(dict)({'k': 1})
    f, g = trapped(datetime.datetime)(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=Zone())
    h, i = [a], {'k': {1.5: [a]}}
    j, k = Renamed(), datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(0), Name('n')))
    globals()[Name('odd key')] = 1
    globals()[17] = 2
    ran.clear()
    keep = ran
    `)
  expect(reply.traceback).toBeUndefined()
  const { description } = kernel.describe()
  expect(kernel.value('[name for name in ran]')).toBe('[]')
  const reprs = Object.fromEntries(description.globals.map(({ name, repr, type }) => [name, [type, repr]]))
  expect(reprs).toMatchObject({
    a: ['Trapped', '<Trapped>'],
    e: ['Trapped', '<Trapped>'],
    f: ['Trapped', '<Trapped>'],
    g: ['datetime', '<datetime>'],
    h: ['list', '[<Trapped>]'],
    i: ['dict', "{'k': {1.5: [<Trapped>]}}"],
  })
  expect(reprs.j?.[0]).toBe('Renamed'.repeat(100).slice(0, 100))
})

test('N1: describing runs nothing that the user puts into builtins or modules', () => {
  kernel.execute(`
    import gc, sys
    ran = []
    def trap(*args, **kwargs): ran.append(args)
    keep = gc.collect, gc.enable, gc.disable, gc.isenabled, sys.getsizeof
    gc.collect = gc.enable = gc.disable = gc.isenabled = sys.getsizeof = trap
    v = [1, 'x', {'a': (2.5, b'y')}, {3}, 2**70, range(2)]
  `)
  const traps =
    'repr len type str issubclass isinstance int slice max min list set tuple getattr range next iter'
  let values = ''
  try {
    ;({ values } = kernel.describe(MIB, traps.split(' ')))
  } finally {
    kernel.execute('gc.collect, gc.enable, gc.disable, gc.isenabled, sys.getsizeof = keep')
  }
  expect(kernel.value('ran')).toBe('[]')
  expect(values).toContain("'ran': []")
  kernel.execute('v.pop()')
  expect(kernel.describe().values).toContain(
    "[1, 'x', {'a': [2.5, b'y']}, {0: 'set', 1: [3]}, {0: 'int', 1: '",
  )
})

test('C2: garbage is collected before describing, and its finalizers run', () => {
  kernel.execute(`
    import gc, weakref
    log = []
    class Node:
        def __init__(self, inner=None): self.me, self.inner = self, inner
        def __del__(self): log.append('finalized')
    alive = weakref.ref(Node(Node()))
    before = gc.isenabled()
  `)
  kernel.describe()
  expect(kernel.value('log, alive() is None, gc.isenabled() == before')).toBe(
    "(['finalized', 'finalized'], True, True)",
  )
})

test('C2: a finalizer that raises or exits does no harm', () => {
  kernel.execute(`
    class Node:
        def __init__(self, error): self.me, self.error = self, error
        def __del__(self): raise self.error
    Node(ValueError('from a finalizer')); Node(SystemExit(3)); Node(KeyboardInterrupt()); kept = 5
  `)
  expect(kernel.describe().values).toBe("{'kept': 5}")
  expect(kernel.output().stderr).toContain('from a finalizer')
})

test('C5: a description of huge names, texts and 100,000 globals stays within its bounds', () => {
  kernel.execute(`
    globals().update({f'name{i}': i for i in range(100_000)})
    text, number, data = 'é' * 5_000_000, 7 ** 100_000, bytes(20_000_000)
  `)
  const { description, bytes } = kernel.describe()
  expect(bytes.description).toBeLessThanOrEqual(MIB)
  expect(bytes.values).toBeLessThanOrEqual(MIB)
  expect(description.globals.length).toBeGreaterThan(3000)
  expect(description.globals.length + description.omitted.globals).toBe(100_003)
  kernel.send({ op: 'clear' })
  kernel.execute(`
    text, number, data, ${'n'.repeat(5000)} = 'é' * 5_000_000, 7 ** 100_000, bytes(20_000_000), 1
    class C: pass
    C.__name__ = '\\U0001f600' * 1_000_000
    c = C()
  `)
  const large = kernel.describe().description
  expect(large.skipped).toEqual(['text', 'number', 'data'])
  expect(large.globals.map(({ name, type, repr }) => [name.length, [...type].length, repr.length])).toEqual([
    [4, 3, 200],
    [6, 3, '<int of 280736 bits>'.length],
    [4, 5, 200],
    [1000, 3, 1],
    [1, 4, 6],
    [1, 100, '<>'.length + 200],
  ])
})

test('C5: cycles, deep nesting and values that would explode are described quickly', () => {
  kernel.execute(`
    cycle = []; cycle += [cycle, cycle, {'k': cycle}]
    deep = []
    for _ in range(100_000): deep = [deep]
    shared = ()
    for _ in range(200): shared = (shared, shared)
    wide = [[] for _ in range(300_000)]
    numbers = list(range(1_000_000))
    fine = [{'a': [1, 2]}] * 100
    del _
  `)
  let described = kernel.describe()
  expect(cpuMsOf(() => (described = kernel.describe()))).toBeLessThan(5000)
  const { description, values } = described
  expect(values.startsWith("{'fine': [{'a': [1, 2]}, ")).toBe(true)
  expect(description.skipped).toEqual(['shared', 'wide', 'numbers'])
  for (const { repr } of description.globals) expect(repr.length).toBeLessThanOrEqual(200)
  kernel.execute('while deep: deep = deep.pop()')
})

test('C5: a low recursion limit set by the user limits what can be described, and breaks nothing', () => {
  kernel.execute(
    'import sys\nx = 1\nv = [[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]\ns = sys.getrecursionlimit()',
  )
  kernel.execute('sys.setrecursionlimit(18)')
  const reply = kernel.send({ op: 'execute', count: 9, code: 'pass' })
  expect(reply.waiting).toBe(false)
  try {
    kernel.describe()
  } catch (error) {
    expect(String(error)).toContain('RecursionError')
  }
  kernel.execute('sys.setrecursionlimit(s)')
  expect(kernel.describe().description.globals.map(({ name }) => name)).toEqual(['sys', 'x', 'v', 's'])
})
