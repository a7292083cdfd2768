// Behaviours D1 to D9, C8: scripts that await tools, each run uninterrupted, and saved and restored at every await. In each way, the
// script must have the same result and output, and call each tool once.
import type { SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { py } from '../support/session-code.js'
import { openWays, type Ran, type Tools, WAYS } from './support/ways.js'

let manager: SessionManager
let close: () => Promise<void>

beforeAll(async () => {
  ;({ manager, close } = await openWays())
})
afterAll(() => close?.())

const ADD = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number', default: 10 } },
  required: ['a'],
  additionalProperties: false,
}

const TOOLS: Tools = {
  add: { fn: ({ a, b = 10 }) => a + b, description: 'Adds two numbers.', parameters: ADD },
  echo: { fn: ({ value }) => value },
  nothing: { fn: () => undefined },
  fail: {
    fn: ({ name, message }) => {
      throw Object.assign(new Error(message), { name })
    },
  },
  now: { fn: ({ a, b }) => a * b, parameters: ADD, onTheSpot: true },
}

interface Script {
  readonly title: string
  readonly code: string
  readonly value: unknown
  readonly stdout?: string
  readonly error?: Ran['error']
  /** Names of the tools that the script calls, in any order. */
  readonly calls: readonly string[]
  /** How many times the script is saved and restored: once for all calls that wait at the same time. */
  readonly freezes: number
}

const SCRIPTS: readonly Script[] = [
  {
    title: 'D1: arguments can be passed by name, or by position in the order of the declared parameters',
    code: 'import asyncio\nx = await add(a=1, b=2)\n[x, *await asyncio.gather(add(3, 4), add(5, b=6), add(7))]',
    value: [3, 7, 11, 17],
    calls: ['add', 'add', 'add', 'add'],
    freezes: 2,
  },
  {
    title: 'D1: positional arguments without declared parameters raise TypeError, and the tool is not called',
    code: py`
      seen = []
      for call in (lambda: echo(1), lambda: add(1, 2, 3), lambda: add(1, a=2)):
          try: await call()
          except TypeError as error: seen.append(str(error))
      seen + [await echo(value='after')]
    `,
    value: [
      'echo() takes keyword arguments only (1 positional given)',
      'add() takes at most 2 positional arguments (3 positional given)',
      "add() got multiple values for argument 'a'",
      'after',
    ],
    calls: ['echo'],
    freezes: 1,
  },
  {
    title: 'D2: gather runs calls at the same time, and each gets its own answer',
    code: 'import asyncio\nawait asyncio.gather(*[add(i, i) for i in range(20)], echo(value="last"))',
    value: [...Array.from({ length: 20 }, (_, i) => 2 * i), 'last'],
    calls: [...Array.from({ length: 20 }, () => 'add'), 'echo'],
    freezes: 1,
  },
  {
    title: 'D2: branches of a gather can make several calls each',
    code: py`
      import asyncio
      log = []
      async def branch(name, steps):
          total = 0
          for step in range(steps):
              log.append(f'{name}{step}')
              total = await add(total, 1)
          return total
      totals = await asyncio.gather(branch('a', 1), branch('b', 3), branch('c', 2))
      [totals, sorted(log)]
    `,
    value: [
      [1, 3, 2],
      ['a0', 'b0', 'b1', 'b2', 'c0', 'c1'],
    ],
    calls: Array.from({ length: 6 }, () => 'add'),
    freezes: 3,
  },
  {
    title: 'D2: TaskGroup, wait_for, as_completed and shield work',
    code: py`
      import asyncio
      async with asyncio.TaskGroup() as group:
          tasks = [group.create_task(add(i, 0)) for i in range(3)]
      first = [task.result() for task in tasks]
      second = await asyncio.wait_for(add(1, 1), 600)
      third = sorted([await done for done in asyncio.as_completed([add(2, 2), add(3, 3)])])
      [first, second, third, await asyncio.shield(add(4, 4))]
    `,
    value: [[0, 1, 2], 2, [4, 6], 8],
    calls: Array.from({ length: 7 }, () => 'add'),
    freezes: 4,
  },
  {
    title: 'D3: call_sync works beside awaits, with the same schema and errors',
    code: py`
      import brumate
      x = await add(1, 2)
      y = brumate.call_sync('now', x, b=2)
      try: brumate.call_sync('now', 'x', 2)
      except TypeError as error: z = str(error)
      [x, y, z, await add(y, 1)]
    `,
    value: [3, 6, `now() argument 'a': must be number, got "x" (str)`, 7],
    calls: ['add', 'now', 'add'],
    freezes: 2,
  },
  {
    title:
      'D4: arguments that violate the schema raise an error that names the field, and the tool is not called',
    code: py`
      seen = []
      for call in (add(a='one'), add(b=2), add(a=1, c=3)):
          try: await call
          except (TypeError, ValueError) as error: seen.append([type(error).__name__, str(error)])
      seen + [await add(a=1)]
    `,
    value: [
      ['TypeError', `add() argument 'a': must be number, got "one" (str)`],
      ['TypeError', "add() is missing the argument 'a'"],
      ['TypeError', "add() has no parameter 'c'; it takes a, b"],
      11,
    ],
    calls: ['add'],
    freezes: 1,
  },
  {
    title: 'D5: errors keep their class if Python has it, and become brumate.HostError otherwise',
    code: py`
      import asyncio, brumate
      async def seen(name):
          try: await fail(name=name, message='why ' + name)
          except brumate.HostError as error: return ['HostError', error.name, error.message]
          except Exception as error: return [type(error).__name__, error.args[0]]
      names = 'ValueError', 'KeyError', 'PermissionError', 'ZeroDivisionError', 'RangeError', 'StopIteration', 'Exit', '__import__', 'print', 'SystemExit', ''
      await asyncio.gather(*map(seen, names))
    `,
    value: [
      ...['ValueError', 'KeyError', 'PermissionError', 'ZeroDivisionError'].map((name) => [
        name,
        `why ${name}`,
      ]),
      ...['RangeError', 'StopIteration', 'Exit', '__import__', 'print', 'SystemExit', ''].map((name) => [
        'HostError',
        name,
        `why ${name}`,
      ]),
    ],
    calls: Array.from({ length: 11 }, () => 'fail'),
    freezes: 1,
  },
  {
    title: 'D5: an uncaught error of a tool fails the execution with its class',
    code: 'print("before")\nawait fail(name="LookupError", message="nothing there")',
    value: undefined,
    stdout: 'before\n',
    error: { type: 'LookupError', message: 'LookupError: nothing there' },
    calls: ['fail'],
    freezes: 1,
  },
  {
    title: 'D6: brumate.callbacks(), help, __doc__ and signature are the same before and after an await',
    code: py`
      import brumate, contextlib, inspect, io
      def shown():
          text = io.StringIO()
          with contextlib.redirect_stdout(text): help(add)
          first = next(entry for entry in brumate.callbacks() if entry['name'] == 'add')
          return [sorted(first), first['description'], add.__doc__, str(inspect.signature(add)), 'Adds two numbers.' in text.getvalue()]
      before = shown()
      await add(1)
      [before == shown(), before, sorted(entry['name'] for entry in brumate.callbacks())]
    `,
    value: [
      true,
      [
        ['description', 'name', 'parameters'],
        'Adds two numbers.',
        'Adds two numbers.',
        '(a: float, b: float = 10)',
        true,
      ],
      ['add', 'echo', 'fail', 'nothing', 'now'],
    ],
    calls: ['add'],
    freezes: 1,
  },
  {
    title: 'D9: values of every kind survive a round trip',
    code: py`
      import datetime
      value = {'n': None, 't': True, 'i': 2**70, 'f': 0.5, 's': 'ü🐍', 'b': bytes(range(256)), 'l': [1, [2]], 'set': {1, 2}, 'd': datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)}
      back = await echo(value=value)
      [back == value, await nothing(), await echo(value=b''), type(back['b']).__name__]
    `,
    value: [true, null, new Uint8Array(), 'bytes'],
    calls: ['echo', 'nothing', 'echo'],
    freezes: 3,
  },
  {
    title: 'C8, D8: generators, context managers, finally blocks and locals survive every await',
    code: py`
      import contextlib
      log = []
      @contextlib.asynccontextmanager
      async def step(name):
          log.append('in ' + name)
          try: yield await add(len(log), 0)
          finally: log.append('out ' + name)
      async def numbers():
          for n in range(2):
              yield await add(n, 100)
      counter = iter(range(10))
      next(counter)
      total = 0
      async with step('outer') as outer:
          async for n in numbers():
              total += n + next(counter)
              async with step('inner') as inner: log.append(inner)
      [outer, total, log, next(counter)]
    `,
    value: [1, 204, ['in outer', 'in inner', 2, 'out inner', 'in inner', 5, 'out inner', 'out outer'], 3],
    calls: Array.from({ length: 5 }, () => 'add'),
    freezes: 5,
  },
  {
    title: 'C8: no line runs twice, and the pieces of the output add up to the whole output',
    code: py`
      import sys
      lines = []
      for n in range(3):
          print('line', n, end=' ')
          lines.append(n)
          print(await add(n, n))
          print('err', n, file=sys.stderr)
      lines
    `,
    value: [0, 1, 2],
    stdout: 'line 0 0\nline 1 2\nline 2 4\n',
    calls: ['add', 'add', 'add'],
    freezes: 3,
  },
  {
    title: 'C8: an open file, a transaction and a partly fed hash continue after each await',
    code: py`
      import hashlib, sqlite3
      db = sqlite3.connect(':memory:')
      db.execute('create table t (n)')
      digest = hashlib.sha256()
      with open('/tmp/story', 'w') as file:
          for n in range(3):
              got = await add(n, 1)
              file.write(f'{got} '); db.execute('insert into t values (?)', (got,)); digest.update(bytes([got]))
      [open('/tmp/story').read(), db.in_transaction, db.execute('select sum(n) from t').fetchone()[0], digest.hexdigest() == hashlib.sha256(bytes([1, 2, 3])).hexdigest()]
    `,
    value: ['1 2 3 ', true, 6, true],
    calls: ['add', 'add', 'add'],
    freezes: 3,
  },
  {
    title: 'C8: a timer beside a host call fires after its remaining time',
    code: py`
      import asyncio
      async def late():
          await asyncio.sleep(0.05)
          return 'slept'
      await asyncio.gather(late(), add(1, 2), late())
    `,
    value: ['slept', 3, 'slept'],
    calls: ['add'],
    freezes: 1,
  },
]

describe.each(WAYS)('$name', (way) => {
  test.each(SCRIPTS)('$title', async (script) => {
    const ran = await way.run(manager, script.code, TOOLS)
    expect(ran.error).toEqual(script.error)
    expect(ran.value).toEqual(script.value)
    expect(ran.stdout).toBe(script.stdout ?? '')
    expect(ran.called.map(({ name }) => name).sort()).toEqual([...script.calls].sort())
    expect(ran.freezes).toBe(way.freezes ? script.freezes : 0)
  })

  test('C8: the pieces of stderr add up to the whole stderr', async () => {
    const code = 'import sys\nfor n in range(2):\n    print(await add(n, 1), file=sys.stderr)'
    expect((await way.run(manager, code, TOOLS)).stderr).toBe('1\n2\n')
  })

  test('D9: three megabytes can be sent and returned', async () => {
    const code = py`
      big = bytes(range(256)) * 12_000
      import asyncio
      back, text = await asyncio.gather(echo(value=big), echo(value='é' * 1_000_000))
      [back == big, len(back), text == 'é' * 1_000_000]
    `
    const ran = await way.run(manager, code, TOOLS)
    expect([ran.error, ran.value]).toEqual([undefined, [true, 3_072_000, true]])
  })

  test('D2: three hundred calls can run at once', async () => {
    const code = 'import asyncio\nsum(await asyncio.gather(*[add(i, 1) for i in range(300)]))'
    const ran = await way.run(manager, code, TOOLS)
    expect([ran.error, ran.value, ran.called.length]).toEqual([undefined, 45_150, 300])
  })
})
