// D: callbacks as coroutine functions: binding arguments, converting answers, introspection. The test plays the host: it reads the
// calls from replies and sends requests to answer them.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cpuMsOf } from '../../support/cpu-time.js'
import { Kernel, type Reply } from '../kernel.js'

let kernel: Kernel
beforeAll(async () => {
  kernel = await Kernel.shared()
})
beforeEach(() => {
  kernel.send({ op: 'clear' })
  attach([
    { name: 'free', description: 'Takes anything.', parameters: null },
    {
      name: 'declared',
      description: 'Takes three.',
      parameters: {
        type: 'object',
        properties: {
          url: { type: 'string' },
          depth: { type: 'integer', default: 2 },
          tags: { type: 'array' },
        },
        required: ['url'],
      },
    },
  ])
  kernel.execute('import asyncio, brumate')
  kernel.output()
})

const attach = (callbacks: readonly object[]) => kernel.send({ op: 'attach', env: {}, callbacks })

function answer(reply: Reply, value: string, fixups = '[]', index = 0): Reply {
  return kernel.send({ op: 'answer', id: reply.calls[index]?.id, ok: true, value, fixups })
}

function fail(reply: Reply, name: string, message: string): Reply {
  const value = JSON.stringify([name, message])
  return kernel.send({ op: 'answer', id: reply.calls[0]?.id, ok: false, value })
}

describe('arguments', () => {
  test.each([
    ['declared("u")', "{'url': 'u'}"],
    ['declared("u", 3, ["t"])', "{'url': 'u', 'depth': 3, 'tags': ['t']}"],
    ['declared("u", tags=[])', "{'url': 'u', 'tags': []}"],
    ['declared(depth=1)', "{'depth': 1}"],
    ['declared("u", extra=1)', "{'url': 'u', 'extra': 1}"],
    ['declared(**{"not a name": 1})', "{'not a name': 1}"],
    ['free()', '{}'],
    ['free(a=1, name=2, self=3, loop=4)', "{'a': 1, 'name': 2, 'self': 3, 'loop': 4}"],
  ])('D1: await %s sends %s', (call, sent) => {
    const reply = kernel.start(`await ${call}`)
    expect(reply.calls.map(({ name, arguments: args }) => [name, args])).toEqual([[call.split('(')[0], sent]])
    expect(answer(reply, '"fine"').value).toBe("'fine'")
  })

  test.each([
    ['free(1)', 'free() takes keyword arguments only (1 positional given)'],
    ['free(1, a=2)', 'free() takes keyword arguments only (1 positional given)'],
    ['declared(1, 2, 3, 4)', 'declared() takes at most 3 positional arguments (4 positional given)'],
    ['declared("u", url="v")', "declared() got multiple values for argument 'url'"],
    ['free(a=object())', "free() argument 'a': cannot convert 'object' to a JavaScript value"],
    [
      'declared([1, {2: 1j}])',
      "declared() argument 'url': cannot convert 'list' to a JavaScript value: url[1][2]: complex has no JavaScript form",
    ],
  ])('D1: await %s raises TypeError and makes no call', (call, message) => {
    expect(kernel.start(`await ${call}`)).toMatchObject({ ok: false, type: 'TypeError', message })
  })

  test('D1: changing an argument after the call has no effect', () => {
    const reply = kernel.start(
      'items = [1]\ntask = asyncio.ensure_future(free(items=items))\nawait asyncio.sleep(0)\nitems.append(2)\nawait task',
    )
    expect(reply.calls[0]?.arguments).toBe("{'items': [1]}")
    answer(reply, 'None')
  })
})

describe('concurrency', () => {
  test('D2: a thousand concurrent calls are sent together and can be answered in any order', () => {
    let last = kernel.start('await asyncio.gather(*(free(n=n) for n in range(1000)))')
    const calls = [...last.calls]
    // On a slow machine the kernel returns in between.
    for (; last.delay !== null; calls.push(...last.calls)) last = kernel.send({ op: 'step' })
    expect(calls).toHaveLength(1000)
    for (let i = 999; i >= 0; i--) last = answer({ ...last, calls }, `${i} * 2`, '[]', i)
    expect(kernel.finish(last).ok).toBe(true)
    expect(kernel.value('_ == [n * 2 for n in range(1000)]')).toBe('True')
  })

  test('D2: calls complete in the order in which the host answers', () => {
    const reply = kernel.start(`
      order = []
      async def one(n):
          await free(n=n)
          order.append(n)
      await asyncio.gather(*map(one, range(3)))
      order`)
    answer(reply, 'None', '[]', 2)
    answer(reply, 'None', '[]', 0)
    expect(answer(reply, 'None', '[]', 1).value).toBe('[2, 0, 1]')
  })

  test('D2: cancelling many unsent calls takes time linear in their number', () => {
    const code = `
      tasks = [asyncio.ensure_future(free(n=n)) for n in range(20_000)]
      await asyncio.sleep(0)
      for task in tasks: task.cancel()
      await asyncio.gather(*tasks, return_exceptions=True)`
    expect(cpuMsOf(() => kernel.execute(code))).toBeLessThan(10_000)
    expect(kernel.start('await asyncio.sleep(0); 1')).toMatchObject({ waiting: false, value: '1' })
  })

  test('C8: calls of a background task outlive the execution that made them', () => {
    kernel.execute('task = asyncio.get_running_loop().create_task(free(n=1))')
    const reply = kernel.start('await task')
    expect(reply.calls).toHaveLength(1)
    expect(answer(reply, '"late"').value).toBe("'late'")
  })

  test('D2: an answer to a call that was abandoned, already answered or never made is ignored', () => {
    const reply = kernel.start(`
      try:
          await asyncio.wait_for(free(n=1), 0.3)
      except TimeoutError:
          pass
      await free(n=2)`)
    const later = kernel.finish(reply)
    expect(later.calls).toHaveLength(1)
    expect(answer(reply, '"too late"').waiting).toBe(true)
    for (const id of [0, 999_999, 2 ** 32 - 1])
      expect(kernel.send({ op: 'answer', id, ok: true, value: '1' }).waiting).toBe(true)
    expect(answer(later, '2').value).toBe('2')
    expect(answer(later, '3')).toMatchObject({ ok: true, value: null })
  })
})

describe('errors', () => {
  test.each([
    ['ValueError', 'ValueError'],
    ['TypeError', 'TypeError'],
    ['TimeoutError', 'TimeoutError'],
    ['PermissionError', 'PermissionError'],
    ['SyntaxError', 'SyntaxError'],
    ['Error', 'HostError'],
    ['RangeError', 'HostError'],
    ['__proto__', 'HostError'],
    ['', 'HostError'],
    ['print', 'HostError'],
    ['int', 'HostError'],
    // Not subclasses of Exception: they would end more than the call.
    ['KeyboardInterrupt', 'HostError'],
    ['SystemExit', 'HostError'],
    ['GeneratorExit', 'HostError'],
    // These have a special meaning in a coroutine.
    ['StopIteration', 'HostError'],
    ['StopAsyncIteration', 'HostError'],
    // These need more than a message.
    ['UnicodeDecodeError', 'HostError'],
    ['ExceptionGroup', 'HostError'],
  ])('D5: an error named %s is raised as %s', (name, type) => {
    const code = `
      try:
          await free()
      except Exception as error:
          caught = error
      [type(caught).__name__, str(caught)]`
    expect(fail(kernel.start(code), name, 'the message').value).toBe(`['${type}', 'the message']`)
  })

  test('D5: HostError has name and message, and can be copied and pickled', () => {
    fail(
      kernel.start('try:\n    await free()\nexcept brumate.HostError as e: error = e'),
      'QuotaError',
      'no more',
    )
    expect(
      kernel.value(`
        import copy, pickle
        [(e.name, e.message, str(e), type(e) is brumate.HostError)
         for e in (error, copy.copy(error), pickle.loads(pickle.dumps(error)))]`),
    ).toBe(`[${Array(3).fill("('QuotaError', 'no more', 'no more', True)").join(', ')}]`)
  })

  test('D5: the traceback of an uncaught error shows the calling line, and no line of the kernel', () => {
    const reply = fail(kernel.start('x = 1\nawait free()'), 'QuotaError', 'no more')
    expect(reply).toMatchObject({ ok: false, type: 'HostError', message: 'no more' })
    expect(reply.traceback).toMatch(
      /line 2, in <module>\n {4}await free\(\)\nbrumate.HostError: QuotaError: no more\n$/,
    )
  })
})

describe('introspection', () => {
  test('D6: brumate.callbacks() lists names, descriptions and parameters, as copies', () => {
    expect(kernel.value('brumate.callbacks()[0]')).toBe(
      "{'name': 'free', 'description': 'Takes anything.', 'parameters': None}",
    )
    kernel.execute('brumate.callbacks()[1]["parameters"]["properties"].clear()')
    expect(kernel.value('[*brumate.callbacks()[1]["parameters"]["properties"]]')).toBe(
      "['url', 'depth', 'tags']",
    )
  })

  test('D6: __doc__, __name__, signature and annotations come from the declaration', () => {
    expect(
      kernel.value(
        'import inspect\n[str(inspect.signature(f)) for f in (free, declared)] + [declared.__doc__, declared.__name__, inspect.iscoroutinefunction(free)]',
      ),
    ).toBe(
      "['(**arguments)', '(url: str, depth: int = 2, tags: list = None)', 'Takes three.', 'declared', True]",
    )
    expect(kernel.value('sorted(declared.__annotations__)')).toBe("['depth', 'tags', 'url']")
  })

  test('D6: help() prints signature and description', () => {
    kernel.execute('help(declared)')
    const { stdout } = kernel.output()
    expect(stdout).toContain('async declared(url: str, depth: int = 2, tags: list = None)')
    expect(stdout).toContain('Takes three.')
  })

  test.each([
    // Python allows no parameter without a default after one with a default, so `a` gets none, to keep the order of arguments.
    ['{"properties": {"a": {}, "b": {}, "c": {}}, "required": ["b"]}', '(a, b, c=None)'],
    ['{"properties": {"class": {}, "a-b": {}, "ok": {}}}', '(ok=None, **arguments)'],
    ['{"properties": {"arguments": {}, "no name": {}}}', '(arguments=None, **arguments_)'],
    ['{"properties": {"a": {"type": ["string", "null"]}, "b": True}}', '(a=None, b=None)'],
    [
      '{"properties": {"a": {"type": "null"}}, "additionalProperties": True}',
      '(a: None = None, **arguments)',
    ],
    ['{"type": "object"}', '(**arguments)'],
    ['{"properties": []}', '(**arguments)'],
    ['{"properties": {"a": {}}, "required": "a"}', '(a=None)'],
  ])('D6: parameters %s are shown as %s', (schema, signature) => {
    const parameters = JSON.parse(schema.replaceAll('True', 'true'))
    attach([{ name: 'f', description: null, parameters }])
    expect(kernel.value('import inspect\nstr(inspect.signature(f)), f.__doc__')).toBe(
      `('${signature}', None)`,
    )
  })

  test('D7: replacing callbacks does not affect seeds, variables or running calls', () => {
    const reply = kernel.start('import random\nrandom.seed(1)\nkept = await free(n=1)')
    const replaced = [{ name: 'other', description: '', parameters: null }]
    expect(kernel.send({ op: 'callbacks', callbacks: replaced })).toMatchObject({ ok: true })
    expect(answer(reply, '5').ok).toBe(true)
    expect(
      kernel.value('[kept, random.random() == random.Random(1).random(), "free" in dir(__builtins__)]'),
    ).toBe('[5, True, False]')
    const second = kernel.start('await other()')
    expect(second.calls).toMatchObject([{ name: 'other' }])
    answer(second, 'None')
  })
})

describe('values', () => {
  test('D9: bytes, sets and dates can be sent and returned', () => {
    const reply = kernel.start('await free(data=b"\\0\\xff", s={1}, d=[bytearray(b"x"), None])')
    expect(reply.calls[0]?.arguments).toBe("{'data': b'\\x00\\xff', 's': {1}, 'd': [b'x', None]}")
    expect(
      answer(reply, '[b"\\1", [1, 1], None]', '[((1,), "set", None), ((2,), "datetime", 0.0)]').value,
    ).toBe("[b'\\x01', {1}, (Ellipsis, 'datetime', 0.0)]")
  })

  test('D9: ten megabytes can be sent both ways', () => {
    const reply = kernel.start(
      'data = b"x" * 10_000_000\nback = await free(data=data)\nlen(back), type(back)',
    )
    expect(reply.calls[0]?.arguments.length).toBeGreaterThan(10_000_000)
    expect(answer(reply, 'bytes(10_000_000)').repr).toBe("(10000000, <class 'bytes'>)")
  })

  test('D9: an answer that is not a value fails the call, not the kernel', () => {
    const reply = kernel.start('try:\n    await free()\nexcept ValueError as e: error = e\nstr(error)')
    expect(answer(reply, '[1]', '[((0,), "unheard of", None)]').value).toBe(
      '"unknown kind of value: \'unheard of\'"',
    )
    const unhashable = kernel.start('await free()')
    expect(answer(unhashable, '[[]]', '[((), "set", None)]').type).toBe('TypeError')
  })
})

describe('async iterables', () => {
  const ITERATOR = '[((), "iterator", 7)]'

  test('D9: async for requests one item at a time, until the end', () => {
    let reply = answer(
      kernel.start('out = []\nasync for x in await free(): out.append(x)\nout'),
      'None',
      ITERATOR,
    )
    for (const item of ['1', 'b"two"', '[3]']) {
      expect(reply.calls).toMatchObject([{ name: 'iterator.next', arguments: "{'iterator': 7}" }])
      reply = answer(reply, `[False, ${item}]`)
    }
    expect(answer(reply, '[True, None]').value).toBe("[1, b'two', [3]]")
  })

  test('D9: an error of the iterable is raised where it is iterated, and ends it', () => {
    const code = `
      items = await free()
      out = []
      try:
          async for x in items: out.append(x)
      except ValueError as error:
          out.append(str(error))
      out += [x async for x in items]
      out`
    let reply = answer(kernel.start(code), 'None', ITERATOR)
    reply = answer(reply, '[False, 1]')
    expect(fail(reply, 'ValueError', 'broken').value).toBe("[1, 'broken']")
  })

  test('D9: aclose notifies the host once, and nothing follows it', () => {
    const code = `
      items = await free()
      first = await anext(items)
      await items.aclose()
      await items.aclose()
      [first, await anext(items, 'end'), repr(items)]`
    let reply = answer(kernel.start(code), 'None', ITERATOR)
    reply = answer(reply, '[False, 1]')
    expect(reply.calls).toMatchObject([{ name: 'iterator.close', arguments: "{'iterator': 7}" }])
    expect(answer(reply, 'None').value).toBe("[1, 'end', '<brumate.HostIterator>']")
  })

  test('D9: an iterator dropped early is closed with the next calls, and nothing waits for that', () => {
    let reply = answer(kernel.start('async for x in await free(): break\nawait free(n=2)'), 'None', ITERATOR)
    reply = answer(reply, '[False, 1]')
    expect(reply.calls.map(({ name, arguments: args }) => [name, args])).toEqual([
      ['iterator.close', "{'iterator': 7}"],
      ['free', "{'n': 2}"],
    ])
    expect(kernel.describe().description.pending).toMatchObject([{ name: 'free' }])
    expect(answer(reply, '2', '[]', 1).value).toBe('2')
    expect(answer(reply, 'None')).toMatchObject({ ok: true })
  })

  test('D9: an iterator can be inside a value, and lives across executions', () => {
    const reply = answer(
      kernel.start('found = await free()'),
      '{"items": [None]}',
      '[(("items", 0), "iterator", 3)]',
    )
    expect(reply.ok).toBe(true)
    const next = kernel.start('[x async for x in found["items"][0]]')
    expect(next.calls).toMatchObject([{ arguments: "{'iterator': 3}" }])
    expect(answer(next, '[True, None]').value).toBe('[]')
  })

  test('C8: a restore ends the previous host’s iterators, and does not touch those of the new host', () => {
    const code = `
      iterators = [await free() for _ in range(3)]
      log = []
      try:
          await anext(iterators[0])
      except RuntimeError as error:
          log.append(str(error)[:29])
      log.append(await anext(iterators[0], 'end'))
      try:
          await anext(iterators[1])
      except RuntimeError as error:
          log.append(str(error)[:29])
      await iterators[2].aclose()
      del iterators
      log.append(await anext(await free()))
      log`
    let reply = kernel.start(code)
    for (let i = 0; i < 3; i++) reply = answer(reply, 'None', ITERATOR)
    expect(reply.calls).toMatchObject([{ name: 'iterator.next' }])
    expect(kernel.describe().description).toMatchObject({ pending: [], awaiting: true })
    const callbacks = [{ name: 'free', description: '', parameters: null }]
    expect(kernel.send({ op: 'restored', callbacks })).toMatchObject({ ok: true, value: '[]' })
    reply = kernel.send({ op: 'step' })
    expect(reply.calls).toMatchObject([{ name: 'free' }])
    reply = answer(reply, 'None', ITERATOR)
    expect(reply.calls).toMatchObject([{ name: 'iterator.next', arguments: "{'iterator': 7}" }])
    // The last iterator was not exhausted, so the host is told to close it before it is told that the code has ended.
    reply = answer(reply, '[False, "new"]')
    expect(reply.calls).toMatchObject([{ name: 'iterator.close', arguments: "{'iterator': 7}" }])
    expect(kernel.finish(reply).value).toBe(
      "['the iterator no longer exists', 'end', 'the iterator no longer exists', 'new']",
    )
  })

  test('N1: a HostIterator forged by user code can only make a host call', () => {
    const reply = kernel.start('await anext(brumate.HostIterator(10 ** 30))')
    expect(reply.calls).toMatchObject([{ name: 'iterator.next' }])
    expect(fail(reply, 'ValueError', 'no such iterator').type).toBe('ValueError')
  })
})

test('D3: without a door, call_sync and asyncio.run raise an error that says so', () => {
  const message = 'host calls are not available here'
  expect(kernel.execute('brumate.call_sync("free", a=1)')).toMatchObject({ type: 'RuntimeError', message })
  expect(kernel.execute('async def go(): await free()\nasyncio.run(go())')).toMatchObject({
    type: 'RuntimeError',
    message,
  })
  expect(kernel.start('await asyncio.sleep(0); 1').value).toBe('1')
})
