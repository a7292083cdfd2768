// A7: clearState.
import { expect, test } from 'vitest'
import { py, pythonErrorOf, sleep } from '../support/session-code.js'
import { describeSessions } from '../support/session-modes.js'

describeSessions('clearState', (open) => {
  test('A7: user variables are removed', async () => {
    const session = await open()
    await session.execute('import math\nx = 1\ndef f(): pass\nclass C: pass')
    await session.clearState()
    for (const name of ['math', 'x', 'f', 'C']) {
      expect(await pythonErrorOf(session.execute(name))).toMatchObject({ type: 'NameError' })
    }
    expect((await pythonErrorOf(session.get('x'))).type).toBe('NameError')
  })

  test('A7: only the names of an empty module remain', async () => {
    const session = await open()
    const names = 'sorted(globals())'
    const { value: before } = await session.execute(names)
    await session.execute('x = _y = __z__ = 1; globals()["odd name"] = 1; globals()[5] = 1')
    await session.clearState()
    expect((await session.execute(names)).value).toEqual(before)
  })

  test('A7: builtins remain available', async () => {
    const session = await open()
    await session.execute('del __builtins__')
    await session.clearState()
    expect((await session.execute('__name__, len([1]), sum(range(3))')).value).toEqual(['__main__', 1, 3])
  })

  test('A7: a builtin that a user name shadowed is visible again', async () => {
    const session = await open()
    await session.execute('len = print = 5')
    await session.clearState()
    expect((await session.execute('len("abc")')).value).toBe(3)
  })

  test('A7: modules stay loaded', async () => {
    const session = await open()
    await session.execute('import colorsys; colorsys.mark = 1')
    await session.clearState()
    expect((await session.execute('import colorsys; colorsys.mark')).value).toBe(1)
  })

  test('A7: _ is removed', async () => {
    const session = await open()
    await session.execute('42')
    await session.clearState()
    expect((await pythonErrorOf(session.execute('_'))).type).toBe('NameError')
  })

  /** Leaves `sys.watch`, a weak reference, to tell whether the object is still alive after clearState. */
  async function survives(code: string, openSession: typeof open): Promise<unknown> {
    const session = await openSession()
    const watched = 'import sys, weakref\nclass Big: pass\nbig = Big()\nsys.watch = weakref.ref(big)\n'
    await session.execute(watched + code).catch(() => {})
    expect((await session.execute('sys.watch() is not None')).value).toBe(true)
    await session.clearState()
    return (await session.execute('import sys; sys.watch() is not None')).value
  }

  test.each([
    ['one name', 'pass'],
    ['a reference cycle', 'big.self = big; big.list = [big]'],
    ['a function of its cell and the globals of that', 'def f(): return big\nf.me = f'],
    ['the class that holds it', 'Big.instances = [big]; Big.Big = Big'],
    ['_', 'x = big; del big\nx'],
    ['a traceback', 'def f():\n    held = big\n    raise ValueError\nf()'],
    ['a generator half way', 'def g(held):\n    yield\n    yield\nit = g(big); next(it); del big'],
    ['a context variable', 'import contextvars; v = contextvars.ContextVar("v"); v.set(big); del big'],
    [
      'a pending task',
      'import asyncio\nasync def w(held): await asyncio.sleep(60)\nasyncio.create_task(w(big)); del big',
    ],
    [
      'a future nobody completes',
      'import asyncio\nasync def w(held, future): await future\nf = asyncio.get_running_loop().create_future()\nt = asyncio.create_task(w(big, f)); del big',
    ],
    ['a loop timer', 'import asyncio; asyncio.get_running_loop().call_later(60, print, big); del big'],
    [
      'an async generator half way',
      'async def g(held):\n    yield\n    yield\nit = g(big); del big\nawait anext(it)',
    ],
  ])('A7: clearState frees an object kept alive by %s', async (_, code) => {
    expect(await survives(code, open)).toBe(false)
  })

  test('A7: finalizers of cleared objects run', async () => {
    const session = await open()
    await session.execute(py`
      import sys
      sys.finalized = []
      class Noisy:
          def __del__(self, log=sys.finalized): log.append('ran')
      noisy = Noisy()
      noisy.cycle = noisy
    `)
    await session.clearState()
    expect((await session.execute('import sys; sys.finalized')).value).toEqual(['ran'])
  })

  test('A7: pending tasks stop', async () => {
    const session = await open()
    await session.execute(py`
      import asyncio, sys
      sys.ticks = 0
      async def tick():
          while True:
              sys.ticks += 1
              await asyncio.sleep(0.001)
      asyncio.create_task(tick())
      await asyncio.sleep(0.01)
    `)
    await session.clearState()
    const code = 'import asyncio, sys; before = sys.ticks; await asyncio.sleep(0.03); sys.ticks - before'
    expect((await session.execute(code)).value).toBe(0)
    expect((await session.execute('1')).stderr).toBe('')
  })

  test('A7: await works after clearState', async () => {
    const session = await open()
    await session.execute('import asyncio; await asyncio.sleep(0)')
    await session.clearState()
    expect(
      (await session.execute('import asyncio; await asyncio.gather(asyncio.sleep(0, 1))')).value,
    ).toEqual([1])
  })

  test('A7: context variables return to their defaults', async () => {
    const session = await open()
    await session.execute(
      'import sys, contextvars; sys.var = contextvars.ContextVar("v", default="unset"); sys.var.set(1)',
    )
    await session.clearState()
    expect((await session.execute('import sys; sys.var.get()')).value).toBe('unset')
  })

  test('A7: files and environment variables stay', async () => {
    const session = await open({ env: { GIVEN: 'yes' } })
    await session.execute('import os; open("/tmp/kept", "w").write("text"); os.environ["MADE"] = "too"')
    await session.clearState()
    const code = 'import os; open("/tmp/kept").read(), os.environ["GIVEN"], os.environ["MADE"]'
    expect((await session.execute(code)).value).toEqual(['text', 'yes', 'too'])
  })

  test('A7: clearState waits for the calls before it', async () => {
    const session = await open()
    const execution = session.execute('import time; time.sleep(0.05); x = 1; x')
    await session.clearState()
    expect((await execution).value).toBe(1)
    expect((await session.execute("'x' in globals()")).value).toBe(false)
  })

  test('A7: a finalizer that never ends is stopped by the session’s time limit', async () => {
    const session = await open()
    await session.execute('class Stuck:\n    def __del__(self):\n        while True: pass\nstuck = Stuck()')
    session.executionTimeoutMs = 100
    await session.clearState().catch(() => {})
    session.executionTimeoutMs = null
    await sleep(0)
    expect((await session.execute("'stuck' in globals()")).value).toBe(false)
  })
})
