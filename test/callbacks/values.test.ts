// Behaviours D5, D9: arguments, results and errors of callbacks.
import type { Session, SessionManager } from 'brumate'
import { TimeoutError } from 'brumate'
import { beforeAll, describe, expect, test } from 'vitest'
import { py, pythonErrorOf, rejectionOf, until } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
})

async function returning(value: unknown): Promise<Session> {
  return manager.createSession({ callbacks: { give: () => value } })
}

test('D9: ten megabytes of bytes can be sent both ways, and the caller’s own array stays usable', async () => {
  const bytes = new Uint8Array(10_000_000).map((_, i) => i * 7)
  let seen: Uint8Array | undefined
  await using session = await manager.createSession({
    callbacks: {
      swap: ({ data }) => {
        seen = data
        return bytes
      },
    },
  })
  const { value } = await session.execute('got = await swap(data=bytes(10_000_000))\nlen(got)')
  expect([value, seen?.length, seen?.every((byte) => byte === 0)]).toEqual([10_000_000, 10_000_000, true])
  expect(bytes.length).toBe(10_000_000)
  expect(Buffer.compare((await session.get('got')) as Uint8Array, bytes)).toBe(0)
})

describe('D9: results that Python cannot represent raise TypeError and name the place', () => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  test.each([
    ['a function', () => 1, 'the result of give'],
    ['a symbol', Symbol('x'), 'the result of give'],
    ['an instance', new (class Point {})(), 'the result of give'],
    ['one deep inside', { a: [1, { b: [undefined] }] }, 'the result of give["a"][1]["b"][0]'],
    ['a cycle', cycle, 'nesting'],
    ['an invalid date', new Date(Number.NaN), 'valid Date'],
  ])('%s', async (_, value, place) => {
    await using session = await returning(value)
    const { value: seen } = await session.execute(
      'try: await give()\nexcept Exception as error: seen = [type(error).__name__, str(error)]\nseen',
    )
    // The class of the same name is Python’s TypeError.
    expect(seen).toEqual(['TypeError', expect.stringContaining(place)])
    expect((await session.execute('1 + 1')).value).toBe(2)
  })
})

describe('D5: anything thrown is an error in Python', () => {
  const odd = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('in a getter')
    },
  })
  test.each([
    ['text', 'just text', 'HostError', 'just text'],
    ['undefined', undefined, 'HostError', 'undefined'],
    ['null', null, 'HostError', 'null'],
    ['an object without a prototype', Object.create(null), 'HostError', 'an unknown value was thrown'],
    ['an error that cannot be read', odd, 'HostError', 'an unknown value was thrown'],
    ['an error with an odd name', Object.assign(new Error('m'), { name: 5 }), 'HostError', 'm'],
    ['an AggregateError', new AggregateError([], 'many'), 'HostError', 'many'],
    ['TypeError', new TypeError('t'), 'TypeError', 't'],
    ['SyntaxError', new SyntaxError('s'), 'SyntaxError', 's'],
    [
      'a name Python takes with more arguments',
      Object.assign(new Error('u'), { name: 'UnicodeDecodeError' }),
      'HostError',
      'u',
    ],
    ['a base exception', Object.assign(new Error('k'), { name: 'KeyboardInterrupt' }), 'HostError', 'k'],
  ])('%s', async (_, thrown, type, message) => {
    await using session = await manager.createSession({
      callbacks: {
        fail: () => {
          throw thrown
        },
        reject: () => Promise.reject(thrown),
      },
    })
    for (const name of ['fail', 'reject']) {
      const error = await pythonErrorOf(session.execute(`await ${name}()`))
      expect([error.type, error.detail]).toEqual([type, message])
    }
  })

  test('D24: a hostile Proxy, a Symbol or a function', async () => {
    const look = () => {
      throw new Error('looked at')
    }
    const proxy = new Proxy({}, { get: look, has: look, getPrototypeOf: look, ownKeys: look })
    const thrown = [proxy, Symbol('s'), look]
    await using session = await manager.createSession({
      callbacks: {
        fail: ({ which }: { which: number }) => {
          throw thrown[which]
        },
        items: async function* () {
          yield 1
          throw proxy
        },
      },
    })
    for (const which of [0, 1, 2]) {
      for (const call of [
        `await fail(which=${which})`,
        `import brumate; brumate.call_sync('fail', which=${which})`,
      ])
        expect((await pythonErrorOf(session.execute(call))).type).toBe('HostError')
    }
    const code = 'async for item in await items(): pass'
    expect((await pythonErrorOf(session.execute(code))).detail).toBe('an unknown value was thrown')
  })

  test('Python does not see the host’s stack trace', async () => {
    await using session = await manager.createSession({
      callbacks: {
        fail: () => {
          throw new Error('told')
        },
      },
    })
    const { value } = await session.execute(
      'import traceback\ntry: await fail()\nexcept Exception: seen = traceback.format_exc()\nseen',
    )
    expect(value).toContain('told')
    expect(value).not.toMatch(/\.ts|\.js|node:|_brumate|at /)
  })

  test('an error never becomes a class that user code put into builtins', async () => {
    await using session = await manager.createSession({
      callbacks: {
        fail: ({ name }) => {
          throw Object.assign(new Error('m'), { name })
        },
      },
    })
    await session.execute(
      'import builtins\nclass Mine(Exception): pass\nbuiltins.Mine = Mine\nbuiltins.Odd = 5',
    )
    expect((await pythonErrorOf(session.execute('await fail(name="Odd")'))).type).toBe('HostError')
    expect((await session.execute('1 + 1')).value).toBe(2)
  })
})

describe('D9: async iterables', () => {
  async function* count(upTo: number, log: string[] = []) {
    try {
      for (let n = 1; n <= upTo; n++) yield n
    } finally {
      log.push('closed')
    }
  }

  test('are iterated with async for, value by value', async () => {
    let taken = 0
    await using session = await manager.createSession({
      callbacks: {
        stream: async function* () {
          for (const value of [1, 'two', new Uint8Array([3]), new Date(0), { four: [4] }]) {
            taken += 1
            yield value
          }
        },
      },
    })
    const { value } = await session.execute(py`
      seen = []
      async for item in await stream():
          seen.append(item)
          if len(seen) == 1: first = type(await stream()).__name__
      [seen[0], seen[1], seen[2], seen[3].year, seen[4], first]
    `)
    expect(value).toEqual([1, 'two', new Uint8Array([3]), 1970, { four: [4] }, 'HostIterator'])
    expect(taken).toBe(5)
  })

  test('an error in the middle is raised where they are iterated, and ends them', async () => {
    await using session = await manager.createSession({
      callbacks: {
        stream: async function* () {
          yield 1
          throw Object.assign(new Error('half way'), { name: 'ValueError' })
        },
      },
    })
    const { value } = await session.execute(py`
      it = await stream()
      seen = []
      try:
          async for item in it: seen.append(item)
      except ValueError as error: seen.append(str(error))
      seen + [item async for item in it]
    `)
    expect(value).toEqual([1, 'half way'])
  })

  test('are closed on the host when code leaves them early', async () => {
    const log: string[] = []
    await using session = await manager.createSession({ callbacks: { stream: () => count(1000, log) } })
    const { value } = await session.execute(py`
      async for item in await stream():
          if item == 3: break
      it = await stream()
      await anext(it)
      await it.aclose()
      [item, [x async for x in it]]
    `)
    expect(value).toEqual([3, []])
    await session.execute('import asyncio; await asyncio.sleep(0.01)')
    await until(() => log.length === 2)
  })

  test('end with the session’s state', async () => {
    const log: string[] = []
    await using session = await manager.createSession({ callbacks: { stream: () => count(1000, log) } })
    await session.execute('it = await stream(); await anext(it)')
    await session.clearState()
    await until(() => log.length === 1)
  })

  test('B5: a step that never settles times out like a call', async () => {
    await using session = await manager.createSession({
      callbacks: {
        stuck: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
      },
      limits: { callbackTimeoutMs: 50 },
    })
    const { value } = await session.execute(
      'try:\n    async for item in await stuck(): pass\nexcept TimeoutError: seen = "cut"\nseen',
    )
    expect(value).toBe('cut')
  })

  test('an endless one is stopped by the deadline', async () => {
    await using session = await manager.createSession({
      callbacks: {
        endless: async function* () {
          for (;;) yield 1
        },
      },
    })
    await rejectionOf(
      TimeoutError,
      session.execute('async for item in await endless(): pass', { timeoutMs: 150 }),
    )
    expect((await session.execute('item')).value).toBe(1)
  })
})
