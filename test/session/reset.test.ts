// A8: reset.
import { TimeoutError } from 'brumate'
import { expect, test } from 'vitest'
import { py, pythonErrorOf, rejectionOf } from '../support/session-code.js'
import { describeSessions } from '../support/session-modes.js'

describeSessions('reset', (open) => {
  /** The value of `look` in a session that ran `code` and was then reset. */
  async function afterReset(code: string, look: string): Promise<unknown> {
    const session = await open({ env: { GIVEN: 'option' } })
    await session.execute(code)
    await session.reset()
    return (await session.execute(look)).value
  }

  test('A8: user variables are removed', async () => {
    expect(await afterReset('x = 1', "'x' in globals()")).toBe(false)
  })

  test('A8: sys.modules is that of a fresh interpreter', async () => {
    const session = await open()
    const look = 'import sys; sorted(sys.modules)'
    const { value: before } = await session.execute(look)
    await session
      .execute('import colorsys, turtledemo, this; sys.modules["fake"] = sys; sys.modules["json"] = None')
      .catch(() => session.execute('import colorsys; sys.modules["fake"] = sys; sys.modules["json"] = None'))
    await session.reset()
    expect((await session.execute(look)).value).toEqual(before)
  })

  test('A8: monkeypatches of builtins, the standard library and sys are undone', async () => {
    const code = py`
      import builtins, json, sys
      builtins.len = lambda x: -1
      builtins.extra = 1
      json.dumps = None
      sys.stdout = None
    `
    const look = "import json\nprint(end='')\nlen('abc'), json.dumps(1), 'extra' in dir(__builtins__)"
    expect(await afterReset(code, look)).toEqual([3, '1', false])
  })

  test('A8: environment variables are those of the options', async () => {
    const code = "import os; os.environ['MADE'] = '1'; os.environ['GIVEN'] = 'changed'; os.putenv('PUT', '1')"
    expect(await afterReset(code, "import os; os.environ['GIVEN'], 'MADE' in os.environ")).toEqual([
      'option',
      false,
    ])
  })

  test('A8: the working directory is the initial one', async () => {
    const session = await open()
    const { value: before } = await session.execute('import os; os.getcwd()')
    await session.execute('os.makedirs("/tmp/elsewhere"); os.chdir("/tmp/elsewhere")')
    await session.reset()
    expect((await session.execute('import os; os.getcwd(), os.path.exists("/tmp/elsewhere")')).value).toEqual(
      [before, false],
    )
  })

  test('A8: files are those of a fresh interpreter: new ones are removed, deleted and changed ones restored', async () => {
    const session = await open()
    const look = py`
      import os
      def walk():
          return [(path, sorted(dirs), sorted(files)) for path, dirs, files in sorted(os.walk('/'))
                  if not path.startswith(('/proc', '/dev'))]
      walk()
    `
    const { value: before } = await session.execute(look)
    await session.execute(py`
      import tempfile
      open('/tmp/made', 'w').write('x' * 1000)
      os.makedirs('/home/made/deep')
      tempfile.mkdtemp()
      for path, dirs, files in list(os.walk('/')):
          for name in files[:3]:
              try: os.remove(os.path.join(path, name))
              except OSError: pass
    `)
    expect((await session.execute('walk()')).value).not.toEqual(before)
    await session.reset()
    expect((await session.execute(look)).value).toEqual(before)
  })

  test('A8: open files are closed and their descriptors freed', async () => {
    const code = 'files = [open(f"/tmp/f{n}", "w") for n in range(50)]'
    expect(
      await afterReset(code, 'import os; fd = os.open("/tmp", os.O_RDONLY); os.close(fd); fd < 50'),
    ).toBe(true)
  })

  test('A8: closed and redirected standard descriptors work again', async () => {
    const session = await open()
    await session.execute(
      'import os; os.close(0); os.dup2(os.open("/tmp/log", os.O_CREAT | os.O_WRONLY), 1); os.close(2)',
    )
    await session.reset()
    const { stdout, stderr } = await session.execute(
      'import sys; print("out"); print("err", file=sys.stderr)',
    )
    expect([stdout, stderr]).toEqual(['out\n', 'err\n'])
  })

  test('A8: pending tasks, timers and context are removed', async () => {
    const code = py`
      import asyncio, decimal
      decimal.getcontext().prec = 3
      async def tick():
          while True:
              await asyncio.sleep(0.001)
              print('tick')
      asyncio.create_task(tick())
      await asyncio.sleep(0.01)
    `
    const look =
      'import asyncio, decimal; await asyncio.sleep(0.02); len(asyncio.all_tasks()), decimal.getcontext().prec'
    expect(await afterReset(code, look)).toEqual([1, 28])
  })

  test('A8: random numbers differ from those before the reset', async () => {
    const session = await open()
    const code = 'import random, uuid, os; random.random(), uuid.uuid4().hex, os.urandom(8).hex()'
    const seen = new Set<unknown>()
    for (let round = 0; round < 3; round++) {
      for (const value of (await session.execute(code)).value as unknown[]) seen.add(value)
      await session.reset()
    }
    expect(seen.size).toBe(9)
  })

  test('A8: memory is that of a fresh interpreter', async () => {
    // The two blocks together exceed the limit.
    const session = await open({ limits: { memoryBytes: 112 * 2 ** 20 } })
    await session.execute('big = bytearray(50_000_000)')
    await session.reset()
    await session.execute('small = 1')
    expect((await session.execute('bytearray(50_000_000)[0]')).value).toBe(0)
  })

  test('A8: changes of the recursion limit, signal handlers and gc are undone', async () => {
    const code =
      'import gc, signal, sys; gc.disable(); sys.setrecursionlimit(60); signal.signal(signal.SIGINT, signal.SIG_IGN)'
    const look = 'import gc, sys; gc.isenabled(), sys.getrecursionlimit() > 500'
    const session = await open()
    await session.execute(code)
    await session.reset()
    expect((await session.execute(look)).value).toEqual([true, true])
    await expect(session.execute('while True: pass', { timeoutMs: 50 })).rejects.toMatchObject({
      outcome: 'interrupted',
    })
  })

  test('A8: options stay: listeners, environment, limits and a changed time limit', async () => {
    let heard = ''
    const session = await open({
      env: { GIVEN: 'kept' },
      limits: { outputBytes: 100 },
      onStdout: (chunk) => {
        heard += chunk
      },
    })
    session.executionTimeoutMs = 12_345
    await session.reset()
    await session.execute('import os; print(os.environ["GIVEN"])')
    expect(heard.endsWith('kept\n')).toBe(true)
    expect(session.executionTimeoutMs).toBe(12_345)
    await expect(session.execute('print("x" * 101)')).rejects.toMatchObject({ code: 'LIMIT' })
  })

  test('A8: id, tenant and state stay', async () => {
    const session = await open()
    const { id, tenant } = session
    await session.reset()
    expect({ id: session.id, tenant: session.tenant, state: session.state }).toEqual({
      id,
      tenant,
      state: 'attached',
    })
  })

  test('A8: reset waits for the calls before it', async () => {
    const session = await open()
    const [before, , after] = await Promise.all([
      session.execute('import time; time.sleep(0.05); x = 1; x'),
      session.reset(),
      session.execute("'x' in globals()"),
    ])
    expect([before.value, before.executionCount, after.value, after.executionCount]).toEqual([1, 1, false, 1])
  })

  test('A8: a session can be reset and used twenty times in a row', async () => {
    const session = await open()
    for (let round = 0; round < 20; round++) {
      const { value } = await session.execute(
        "import decimal; seen = 'x' in globals(); x = [0] * 100_000; seen",
      )
      expect(value).toBe(false)
      await session.reset()
    }
  })

  test('A8: reset works after an error that ended the interpreter', async () => {
    const session = await open({ limits: { interruptGraceMs: 50 } })
    await session.execute('x = 1')
    const killed = session.execute('sum(range(10**12))', { timeoutMs: 50 })
    expect((await rejectionOf(TimeoutError, killed)).outcome).toBe('restored')
    await session.reset()
    expect(await session.execute('1')).toMatchObject({ value: 1, executionCount: 1 })
    expect((await pythonErrorOf(session.execute('x'))).type).toBe('NameError')
  })

  test('A8: a session killed right after reset starts fresh: nothing from before the reset comes back', async () => {
    const session = await open({ limits: { interruptGraceMs: 50 } })
    await session.execute('x = 1')
    await session.snapshotState()
    await session.reset()
    const killed = session.execute('sum(range(10**12))', { timeoutMs: 50 })
    expect((await rejectionOf(TimeoutError, killed)).outcome).toBe('restored')
    expect(await session.execute("'x' in globals()")).toMatchObject({ value: false, executionCount: 2 })
  })
})
