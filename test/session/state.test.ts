// A1: the state that an execution leaves for the next one.
import { expect, test } from 'vitest'
import { py } from '../support/session-code.js'
import { describeSessions } from '../support/session-modes.js'

describeSessions('state', (open) => {
  test('A1: a variable survives into the next execution', async () => {
    const session = await open()
    await session.execute('answer = 41')
    await session.execute('answer += 1')
    expect((await session.execute('answer')).value).toBe(42)
  })

  test('A1: a function, its defaults and the globals it reads survive into the next execution', async () => {
    const session = await open()
    await session.execute(py`
      seen = []
      def remember(item, into=seen):
          into.append(item)
          return len(seen)
    `)
    await session.execute('remember("a")')
    expect((await session.execute('remember("b")')).value).toBe(2)
  })

  test('A1: a function sees a global that a later execution assigns', async () => {
    const session = await open()
    await session.execute('def later(): return not_yet')
    await session.execute('not_yet = "now"')
    expect((await session.execute('later()')).value).toBe('now')
  })

  test('A1: a class and its instances keep their identity between executions', async () => {
    const session = await open()
    await session.execute(py`
      class Counter:
          made = 0
          def __init__(self): Counter.made += 1
      first = Counter()
    `)
    await session.execute('second = Counter()')
    expect((await session.execute('type(first) is type(second) is Counter, Counter.made')).value).toEqual([
      true,
      2,
    ])
  })

  test('A1: imported modules and aliases survive into the next execution', async () => {
    const session = await open()
    await session.execute(py`
      import math
      from collections import deque as Line
    `)
    expect((await session.execute('math.isqrt(17), Line([1, 2], maxlen=1)[0]')).value).toEqual([4, 2])
  })

  test('A1: a generator continues where the previous execution left it', async () => {
    const session = await open()
    await session.execute('squares = (n * n for n in range(10)); next(squares); next(squares)')
    expect((await session.execute('next(squares)')).value).toBe(4)
  })

  test('A1: a deleted name stays deleted', async () => {
    const session = await open()
    await session.execute('gone = 1')
    await session.execute('del gone')
    expect((await session.execute("'gone' in globals()")).value).toBe(false)
  })

  test('A1: two names of one object still refer to one object in the next execution', async () => {
    const session = await open()
    await session.execute('a = b = []')
    await session.execute('a.append(1)')
    expect((await session.execute('b, a is b')).value).toEqual([[1], true])
  })

  test('A1: executions that are not awaited run in call order', async () => {
    const session = await open()
    await session.execute('order = []')
    await Promise.all([...'abcdefgh'].map((letter) => session.execute(`order.append('${letter}')`)))
    expect(await session.get('order')).toEqual([...'abcdefgh'])
  })

  test('A1: get, set and execute run in call order', async () => {
    const session = await open()
    const answers = [
      session.set('n', 1),
      session.execute('n = n * 10'),
      session.get('n'),
      session.set('n', 5),
      session.get('n'),
    ]
    expect((await Promise.all(answers)).filter((answer) => typeof answer === 'number')).toEqual([10, 5])
  })

  test('A1: a decimal precision set at top level stays in effect', async () => {
    const session = await open()
    await session.execute('from decimal import Decimal, getcontext; getcontext().prec = 5')
    expect((await session.execute('str(Decimal(1) / Decimal(7))')).value).toBe('0.14286')
  })

  test('A1: a context variable set at top level stays set', async () => {
    const session = await open()
    await session.execute(
      'import contextvars; var = contextvars.ContextVar("var", default="unset"); var.set("set")',
    )
    expect((await session.execute('var.get()')).value).toBe('set')
  })

  test('A1: a context variable set in an awaiting execution stays set for later executions, awaiting or not', async () => {
    const session = await open()
    await session.execute(py`
      import asyncio, contextvars
      var = contextvars.ContextVar("var", default="unset")
      await asyncio.sleep(0)
      var.set("set while awaiting")
    `)
    expect((await session.execute('var.get()')).value).toBe('set while awaiting')
    expect((await session.execute('await asyncio.sleep(0); var.get()')).value).toBe('set while awaiting')
  })

  test('A1: code runs in a module named __main__', async () => {
    const session = await open()
    const code =
      'import sys; class_of = type("C", (), {}); __name__, sys.modules["__main__"].__dict__ is globals()'
    expect((await session.execute(code)).value).toEqual(['__main__', true])
  })

  test('A1: a __future__ import takes effect from the next execution on', async () => {
    const session = await open()
    await session.execute('from __future__ import annotations')
    expect((await session.execute('def f(x: undefined_name): pass\nf.__annotations__')).value).toEqual({
      x: 'undefined_name',
    })
  })

  test('A1: sessions do not see each other’s variables', async () => {
    const [one, other] = [await open(), await open()]
    await one.execute('import sys, os; secret = 1; sys.secret = 1; os.environ["SECRET"] = "1"')
    const code = "import sys, os; 'secret' in globals(), hasattr(sys, 'secret'), 'SECRET' in os.environ"
    expect((await other.execute(code)).value).toEqual([false, false, false])
  })
})
