// A10, A7, A8: values in and out of the kernel, clearState, and that `prepare` leaves nothing of Pyodide's JavaScript bridge.
import { beforeAll, expect, test } from 'vitest'
import { Kernel } from '../kernel.js'

let kernel: Kernel
beforeAll(async () => {
  kernel = await Kernel.shared()
})

test.each([
  ['None', 'None'],
  ['[True, -2**70, 1.5, float("-inf")]', '[True, -1180591620717411303424, 1.5, -inf]'],
  ['(b"x", bytearray(b"y"), memoryview(b"z"), memoryview(b"abcd")[::2])', "(b'x', b'y', b'z', b'ac')"],
  ['{"a": [{"b": ()}]}', "{'a': [{'b': ()}]}"],
  ['{1, 2}', '{1, 2}'],
  ['frozenset({(1, b"a")})', "frozenset({(1, b'a')})"],
  [
    '__import__("datetime").datetime(2020, 1, 1, 0, 0, 0, 123456, __import__("datetime").UTC)',
    "(Ellipsis, 'datetime', 1577836800123.456)",
  ],
  [
    '[__import__("datetime").datetime(1969, 12, 31, 23, 59, 59, 999000, __import__("datetime").UTC)]',
    "[(Ellipsis, 'datetime', -1.0)]",
  ],
  ['__import__("datetime").datetime(2020, 1, 1)', "(Ellipsis, 'datetime', 1577836800000.0)"],
  ['{1: "a"}', "(Ellipsis, 'map', [1, 'a'])"],
  ['{"__proto__": 1}', "(Ellipsis, 'map', ['__proto__', 1])"],
  ['{(1, (2,)): [3]}', "(Ellipsis, 'map', [(1, (2,)), [3]])"],
  ['{"a": {None: 1}}', "{'a': (Ellipsis, 'map', [None, 1])}"],
  ['__import__("http").HTTPStatus.OK', '200'],
  ['__import__("collections").namedtuple("P", "x y")(1, [2])', "{'x': 1, 'y': [2]}"],
  ['{__import__("collections").namedtuple("P", "x")(1)}', "(Ellipsis, 'set', [{'x': 1}])"],
  ['__import__("datetime").date(2020, 1, 2)', "'2020-01-02'"],
  ['__import__("array").array("i", [1])', "(Ellipsis, 'array', 'int32', None, b'\\x01\\x00\\x00\\x00')"],
])('A10: get returns %s', (source, value) => {
  kernel.execute(`v = ${source}`)
  expect(kernel.send({ op: 'get', name: 'v' })).toMatchObject({ ok: true, value })
})

test.each([
  ['object()', 'v: object has no JavaScript form'],
  ['1j', 'v: complex has no JavaScript form'],
  ['...', 'v: ellipsis has no JavaScript form'],
  ['StopIteration', 'v: type has no JavaScript form'],
  ['compile("1", "", "eval")', 'v: code has no JavaScript form'],
  ['__import__("datetime").datetime.min', 'v: datetime has no JavaScript form'],
  ['[[[object()]]]', 'v[0][0][0]: object has no JavaScript form'],
  ['__import__("array").array("w", "text")', 'v: array has no JavaScript form'],
  ['{"a": [1, (2, 3, {4: [5, 1j]})]}', 'v["a"][1][2][4][1]: complex has no JavaScript form'],
  ['{(1, 2): {frozenset([1j])}}', 'v[(1, 2)]{…}{…}: complex has no JavaScript form'],
  [String.raw`{"a\"b\\": 1j}`, String.raw`v["a\"b\\"]: complex has no JavaScript form`],
  ['[range(3), range(10**9)]', 'v[1]: range is too large: an array has at most 1000000 members'],
  ['[10**400_000, [0] * 1_000_001]', 'v[1]: list is too large'],
])('A10: get of %s raises a TypeError that names the part', (source, message) => {
  kernel.execute(`v = ${source}`)
  expect(kernel.send({ op: 'get', name: 'v' })).toMatchObject({ ok: false, type: 'TypeError', message })
  expect(kernel.execute('v')).toMatchObject({ ok: true, value: null })
})

test('A10: cycles, deep nesting and shared members that would explode cannot be converted', () => {
  kernel.execute('cycle = []; cycle.append(cycle)')
  kernel.execute('deep = []\nfor _ in range(1000): deep = [deep]')
  kernel.execute('shared = []\nfor _ in range(60): shared = [shared, shared]')
  for (const name of ['cycle', 'deep', 'shared'])
    expect(kernel.send({ op: 'get', name }).type).toBe('TypeError')
  kernel.execute('fine = []\nfor _ in range(400): fine = [fine]')
  expect(kernel.send({ op: 'get', name: 'fine' }).ok).toBe(true)
  expect(kernel.execute('cycle')).toMatchObject({ ok: true, repr: '[[...]]', value: null })
})

test('A10: dates count towards the size limit as the containers they become', () => {
  // Half a million containers may be in a value; empty tuples are converted sooner than dates.
  kernel.execute(
    'import datetime; days = [()] * 400_000 + [datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)] * 100_000',
  )
  expect(kernel.send({ op: 'get', name: 'days' }).message).toContain('too large')
  kernel.execute('del days')
})

test('A10: a date whose tzinfo raises cannot be converted', () => {
  kernel.execute(`
    import datetime
    class Zone(datetime.tzinfo):
        def utcoffset(self, when): raise ValueError
    v = [datetime.datetime(2020, 1, 1, tzinfo=Zone())]
  `)
  expect(kernel.send({ op: 'get', name: 'v' }).type).toBe('TypeError')
})

test('A10: set accepts values with fixups for dates and sets', () => {
  const value = "{'when': None, 'days': [None], 'plain': {1, 2}, 'bytes': b'x'}"
  const fixups =
    "[(('when',), 'datetime', 1577836800123.0), (('days', 0), 'datetime', 0.0), (('days',), 'set', None)]"
  expect(kernel.send({ op: 'set', name: 'v', value, fixups }).ok).toBe(true)
  expect(
    kernel.value(
      'str(v["when"]), v["days"] == {v["when"].__class__(1970, 1, 1, tzinfo=v["when"].tzinfo)}, v["bytes"]',
    ),
  ).toBe("('2020-01-01 00:00:00.123000+00:00', True, b'x')")
  expect(kernel.send({ op: 'set', name: 'v', value: 'None', fixups: "[((), 'datetime', 0.0)]" }).ok).toBe(
    true,
  )
  expect(kernel.value('v.timestamp()')).toBe('0.0')
  expect(kernel.send({ op: 'set', name: 'v', value: '[[1]]', fixups: "[((), 'set', None)]" }).type).toBe(
    'TypeError',
  )
  expect(kernel.send({ op: 'set', name: 'v', value: 'None', fixups: "[((), 'datetime', 1e300)]" }).type).toBe(
    'OverflowError',
  )
})

test('A10: invalid variable names are rejected, and names that are not ASCII are normalized', () => {
  for (const name of ['', 'a b', '1a', 'class', 'None', 'a.b', 'a\n']) {
    expect(kernel.send({ op: 'set', name, value: '1' }).type).toBe('ValueError')
  }
  expect(kernel.send({ op: 'set', name: 'ﬁn', value: '1' }).ok).toBe(true)
  expect(kernel.value('fin')).toBe('1')
  expect(kernel.send({ op: 'get', name: 'ﬁn' }).value).toBe('1')
  expect(kernel.send({ op: 'get', name: 'absent' })).toMatchObject({
    type: 'NameError',
    message: "name 'absent' is not defined",
  })
})

test('A7: clearState keeps callbacks, builtins and modules, and releases all values', () => {
  kernel.send({ op: 'attach', env: {}, callbacks: [{ name: 'ask', description: '', parameters: null }] })
  kernel.execute(`
    import asyncio, sys, typing, contextvars, warnings, brumate
    class Thing: pass
    sys.gone = []
    def track(kind):
        thing = Thing()
        thing.me = thing
        import weakref
        sys.gone.append(weakref.ref(thing))
        return thing
    a = track('global')
    async def hold(thing):
        try:
            await asyncio.Event().wait()
        finally:
            sys.cleaned = True
    task = asyncio.create_task(hold(track('task')))
    loop = asyncio.get_running_loop()
    loop.call_later(1000, print, track('timer'))
    loop.tag = track('loop')
    var = contextvars.ContextVar('var')
    var.set(track('context'))
    hint = typing.List[Thing]
    async def numbers(thing):
        yield thing
    generator = numbers(track('generator'))
    await anext(generator) and None
    try:
        1 / 0
    except ZeroDivisionError as error:
        error.thing = track('exception')
        sys.last_exc = error
    def swallow():
        global keep
        keep = asyncio.create_task(hold_on(track('stubborn')))
    async def hold_on(thing):
        while True:
            try: await asyncio.Event().wait()
            except asyncio.CancelledError: pass
    swallow()
    await asyncio.sleep(0)
  `)
  kernel.execute('track("last value")')
  expect(kernel.value('len(sys.gone), [r() is None for r in sys.gone].count(True)')).toBe('(9, 0)')
  kernel.output()
  expect(kernel.send({ op: 'clear' }).ok).toBe(true)
  expect(kernel.value('import sys; [r() is None for r in sys.gone]')).toBe(
    `[${Array(9).fill('True').join(', ')}]`,
  )
  expect(kernel.value('sys.cleaned, "brumate" in sys.modules, callable(ask), len([1])')).toBe(
    '(True, True, True, 1)',
  )
  kernel.send({ op: 'clear' })
  expect(kernel.value('sorted(globals())')).toBe(
    "['__builtins__', '__doc__', '__loader__', '__name__', '__package__', '__spec__']",
  )
  expect(kernel.execute('_').repr).toBe(
    "['__builtins__', '__doc__', '__loader__', '__name__', '__package__', '__spec__']",
  )
  kernel.send({ op: 'clear' })
  expect(kernel.execute('_').type).toBe('NameError')
  expect(kernel.execute('Thing').type).toBe('NameError')
  expect(kernel.output().stderr).not.toContain('Task')
})

test('clearState drops an awaiting execution', () => {
  expect(kernel.start('import asyncio; await asyncio.sleep(1000)').waiting).toBe(true)
  expect(kernel.send({ op: 'clear' }).ok).toBe(true)
  expect(kernel.value('1')).toBe('1')
})

test('an unknown operation and a damaged request are failures, not crashes', () => {
  expect(
    kernel.execute('import _brumate.link as link, marshal\nmarshal.loads(link.dispatch(b"\\x63")[9:])[:3]')
      .value,
  ).toContain('unknown operation')
  expect(kernel.value('marshal.loads(link.dispatch(b"")[9:])[1]')).toBe("'IndexError'")
  expect(kernel.value('marshal.loads(link.dispatch(b"\\x05abc")[9:])[1]')).toBe("'error'")
  kernel.execute('del link')
})

test('attach draws fresh entropy and sets the environment', () => {
  kernel.execute('import random, os; state = random.getstate()')
  kernel.send({ op: 'attach', env: { A: 'b' }, callbacks: [] })
  expect(kernel.value('random.getstate() != state, os.environ["A"]')).toBe("(True, 'b')")
})

test('standard streams are unbuffered, and exit() does not close them', () => {
  kernel.output()
  kernel.execute(
    'import os, sys; print("a", end=""); os.write(1, b"b"); sys.stdout.write("c"); print("\\ud800", file=sys.stderr)',
  )
  expect(kernel.output()).toEqual({ stdout: 'abc', stderr: '\\ud800\n' })
  kernel.execute('exit()')
  expect(
    kernel.value('sys.stdin.read(), sys.stdin.name, sys.stdout.name, sys.stderr.name, sys.stdout.encoding'),
  ).toBe("('', '<stdin>', '<stdout>', '<stderr>', 'utf-8')")
})

test.each(['js', 'pyodide', 'pyodide.ffi', 'pyodide_js', '_pyodide', '_pyodide._base', '_pyodide_core'])(
  'importing %s fails with a message',
  (name) => {
    expect(kernel.execute(`import ${name}`)).toMatchObject({
      type: 'ModuleNotFoundError',
      message: expect.stringMatching(`^No module named '${name.split('.')[0]}'. Sessions have no JavaScript`),
    })
  },
)

test('no JavaScript proxy and no hook of Pyodide is left', () => {
  expect(
    kernel.value(`
      import gc, sys
      gc.unfreeze()  # get_objects leaves out what is frozen
      gc.collect()
      seen, todo, proxies = set(), gc.get_objects(), 0
      while todo:
          thing = todo.pop()
          if id(thing) not in seen:
              seen.add(id(thing))
              proxies += type(thing).__name__ in ('JsProxy', 'JsException') or 'JsProxy' in [k.__name__ for k in type(thing).__mro__]
              todo += gc.get_referents(thing)
      del seen, todo, thing
      gc.freeze()
      proxies
    `),
  ).toBe('0')
  const hooks = `
    import asyncio, builtins, os, time
    places = [*sys.modules, *map(repr, sys.meta_path), *map(repr, sys.path_hooks), *sys.path_importer_cache, *vars(builtins)]
    places += map(repr, [sys.excepthook, sys.displayhook, asyncio.events._event_loop_policy, time.sleep, asyncio.run])
    [place for place in places if 'pyodide' in place.lower() and place != os.getcwd()]
  `
  expect(kernel.value(hooks)).toBe('[]')
  expect(kernel.value('sys.argv, sys.orig_argv, sys.executable')).toBe("([''], [], '')")
  expect(kernel.value('sorted(__import__("os").environ)')).toBe("['A', 'HOME', 'LANG', 'PATH', 'USER']")
})
