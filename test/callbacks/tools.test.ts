// Callbacks as tools: the module `tools`, awaiting and iterating calls, and signatures for a prompt.
import type { Callbacks, Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deferred, py, pythonErrorOf, until } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
let session: Session

beforeAll(async () => {
  manager = await sharedManager({ slots: 1 })
  session = await manager.createSession({ limits: { callbackTimeoutMs: 20_000 } })
})
afterAll(() => session?.close())

const run = async (code: string) => (await session.execute(py`${code}`)).value

describe('the module tools', () => {
  beforeAll(() => session.setCallbacks({ search: ({ query }) => `found ${query}`, now: () => 42 }))

  test.each([
    ['from tools import search\nawait search(query="a")', 'found a'],
    ['from tools import search as find, now\n[await find(query="b"), await now()]', ['found b', 42]],
    ['import tools\nawait tools.now()', 42],
    ['await tools.search(query="c")', 'found c'],
    ['search = "shadowed"\nanswer = await tools.search(query="d")\ndel search\nanswer', 'found d'],
    [
      'namespace = {}\nexec("from tools import *", namespace)\nsorted(set(namespace) & {"search", "now"})',
      ['now', 'search'],
    ],
    ['import tools as module\n[module is tools, sorted(dir(tools))]', [true, ['now', 'search']]],
    ['import inspect\n[inspect.iscoroutinefunction(tools.search), tools.search is search]', [true, true]],
  ])('%j', async (code, value) => {
    await session.execute('globals().pop("tools", None); None')
    expect(await run(code)).toEqual(value)
  })

  test('names the available tools when a tool does not exist, and follows setCallbacks', async () => {
    const error = await pythonErrorOf(session.execute('tools.serach'))
    expect([error.type, error.message]).toEqual([
      'AttributeError',
      expect.stringContaining("this session has no tool named 'serach'; it has: search, now"),
    ])
    expect((await pythonErrorOf(session.execute('from tools import nope'))).type).toBe('ImportError')
    await session.setCallbacks({ other: () => 'other' })
    expect(await run('[dir(tools), await tools.other()]')).toEqual([['other'], 'other'])
  })

  test('does not hide a user’s module of the same name', async () => {
    const { value } = await session.execute(py`
      import sys
      sys.modules.pop('tools', None)
      with open('tools.py', 'w') as file: file.write('mine = "my own"')
      from tools import mine
      import os
      os.remove('tools.py'); del sys.modules['tools']
      mine
    `)
    expect(value).toBe('my own')
  })
})

describe('a callback that returns an async iterable', () => {
  function counting(upTo: number) {
    const log: unknown[] = []
    const count = async function* (_: unknown, { signal }: { readonly signal: AbortSignal }) {
      signal.addEventListener('abort', () => log.push('aborted'))
      try {
        for (let n = 1; n <= upTo; n++) {
          log.push(n)
          yield n
        }
      } finally {
        log.push('closed')
      }
    }
    return { log, callbacks: { count, pair: () => [1, 2] } satisfies Callbacks }
  }

  test('can be iterated directly or awaited first, with the same values', async () => {
    await session.setCallbacks(counting(3).callbacks)
    const { value } = await session.execute(py`
      import asyncio
      at_once = [item async for item in count()]
      awaited = [item async for item in await count()]
      it = count()
      by_hand = [await anext(it), await it.__anext__()]
      await it.aclose()
      together = await asyncio.gather(count(), asyncio.create_task(count()))
      [at_once, awaited, by_hand, [type(one).__name__ for one in together]]
    `)
    expect(value).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2],
      ['HostIterator', 'HostIterator'],
    ])
  })

  test('makes values only as Python takes them, and is closed when Python stops, before the execution ends', async () => {
    const { log, callbacks } = counting(1000)
    await session.setCallbacks(callbacks)
    await session.execute('async for item in count():\n    if item == 3: break')
    await until(() => log.includes('closed'))
    expect(log).toEqual([1, 2, 3, 'aborted', 'closed'])
  })

  test('is closed when code drops it without awaiting', async () => {
    const { log, callbacks } = counting(1000)
    await session.setCallbacks(callbacks)
    await session.execute('it = count()\nawait anext(it); None')
    const { value, stdout } = await session.execute('it = None\nprint("dropped")\n6 * 7')
    expect([value, stdout]).toEqual([42, 'dropped\n'])
    await until(() => log.includes('closed'))
    const failed = await pythonErrorOf(session.execute('it = count()\nawait anext(it)\ndel it\n1 / 0'))
    expect(failed.type).toBe('ZeroDivisionError')
    await until(() => log.filter((one) => one === 'closed').length === 2)
  })

  test('sees its signal abort if it is making a value that is no longer wanted', async () => {
    const making = deferred()
    const aborted = deferred()
    await session.setCallbacks({
      stuck: async function* (_: unknown, { signal }: { readonly signal: AbortSignal }) {
        yield 'first'
        making.resolve()
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        aborted.resolve()
      },
      making: () => making.promise,
    })
    const { value } = await session.execute(py`
      import asyncio
      async def listen():
          async for item in stuck(): seen.append(item)
      seen = []
      task = asyncio.create_task(listen())
      await making()
      task.cancel()
      await asyncio.wait([task])
      del task
      seen
    `)
    expect(value).toEqual(['first'])
    await aborted.promise
  })

  test('is closed if it arrives after its call was cancelled', async () => {
    const [gate, called, closed] = [deferred(), deferred(), deferred()]
    const iterator = { next: () => gate.promise, return: async () => closed.resolve() }
    await session.setCallbacks({
      late: () => {
        called.resolve()
        return gate.promise.then(() => ({ [Symbol.asyncIterator]: () => iterator }))
      },
      late_is_called: () => called.promise,
      late_is_closed: () => closed.promise,
    })
    await session.execute(py`
      import asyncio
      task = asyncio.ensure_future(late())
      await late_is_called()
      task.cancel()
      await asyncio.wait([task])
    `)
    gate.resolve()
    await session.execute('await late_is_closed()')
  })

  test('continues after the session was suspended and hibernated in the middle of a step', async () => {
    const gate = deferred()
    await session.setCallbacks({
      slow: async function* () {
        yield 1
        await gate.promise
        yield 2
      },
      approve: (_: unknown, { suspend }: { readonly suspend: () => never }) => suspend(),
    })
    const suspended = await session.execute(
      'found = [n async for n in slow() if n > 1 or await approve()]\nfound',
    )
    expect(suspended.pending.map(({ name }) => name)).toEqual(['approve'])
    await session.hibernate()
    gate.resolve()
    const [call] = session.pending
    const { value } = await session.resume({ results: { [call?.id ?? '']: true } })
    expect(value).toEqual([1, 2])
  })

  test('can suspend between values, and resume provides its last value', async () => {
    await session.setCallbacks({
      steps: async function* (_: unknown, { suspend }: { readonly suspend: (reason: string) => never }) {
        yield 'begun'
        suspend('approve the rest')
      },
    })
    const suspended = await session.execute('[step async for step in steps(to="delete")]')
    expect(suspended.pending).toMatchObject([
      { name: 'steps', args: { to: 'delete' }, reason: 'approve the rest' },
    ])
    await session.hibernate()
    const { value } = await session.resume({ results: { [session.pending[0]?.id ?? '']: 'approved' } })
    expect(value).toEqual(['begun', 'approved'])
    const error = await pythonErrorOf(session.execute('[step for step in await steps()]'))
    expect(error.message).toContain('suspend')
  })

  test('can be given to resume as a result', async () => {
    await session.setCallbacks({
      ask: (_: unknown, { suspend }: { readonly suspend: () => never }) => suspend(),
    })
    const { pending } = await session.execute('[n async for n in ask()]')
    const numbers = (async function* () {
      yield* [1, 2]
    })()
    const { value } = await session.resume({ results: { [pending[0]?.id ?? '']: numbers } })
    expect(value).toEqual([1, 2])
  })

  test('other results cannot be iterated, and a call that is never awaited is reported like any coroutine', async () => {
    await session.setCallbacks(counting(1).callbacks)
    const error = await pythonErrorOf(session.execute('async for n in pair(): pass'))
    expect([error.type, error.message]).toEqual([
      'TypeError',
      expect.stringContaining("pair() returned 'list'; use 'await pair()'"),
    ])
    const { stderr } = await session.execute('count()\nNone')
    expect(stderr).toContain("coroutine 'count' was never awaited")
  })
})

describe('toolStubs', () => {
  const parameters = {
    type: 'object',
    properties: {
      city: { type: 'string', description: 'Where, such as "Rome".' },
      days: { type: 'integer', default: 3 },
      unit: { enum: ['C', 'F'] },
      at: { type: 'object', properties: { x: { type: 'number' } }, required: ['x'] },
      tags: { type: 'array', items: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/n' }] } },
    },
    required: ['city'],
    $defs: { n: { type: ['integer', 'null'] } },
  }

  test('returns signatures with docstrings', async () => {
    await session.setCallbacks({
      weather: { fn: () => 1, description: 'Tells the weather.\n\nOf "\\today".', parameters },
      late: {
        fn: () => 1,
        parameters: { type: 'object', properties: { a: {}, b: { type: 'boolean' } }, required: ['b'] },
      },
      bare: () => 1,
    })
    expect(
      session.toolStubs(),
    ).toBe(`async def weather(city: str, days: int = 3, unit: Literal["C", "F"] = ..., at: Annotated[dict, "{x: float}"] = ..., tags: list[str | int | None] = ...) -> Any:
    """Tells the weather.

    Of "\\\\today".

    Args:
        city: Where, such as "Rome".
    """


async def late(*, a: Any = ..., b: bool) -> Any:
    ...


async def bare(**arguments: Any) -> Any:
    ...
`)
  })

  test('returns valid Python for any names and descriptions', async () => {
    await session.setCallbacks({
      odd: {
        fn: () => 1,
        description: 'ends in """ and \\',
        parameters: {
          type: 'object',
          properties: {
            class: {},
            'a b': {},
            ünï: { const: "it's" },
            n: { default: { 'k"': [null, true] } },
          },
        },
      },
      quote: { fn: () => 1, description: 'a "quote"' },
    })
    await session.set('stubs', session.toolStubs())
    const { value } = await session.execute(py`
      import ast
      [[node.name, [arg.arg for arg in node.args.args], ast.get_docstring(node)] for node in ast.parse(stubs).body]
    `)
    expect(value).toEqual([
      ['odd', ['ünï', 'n'], 'ends in """ and \\'],
      ['quote', [], 'a "quote"'],
    ])
  })
})
