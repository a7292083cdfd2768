// A2: top-level await and asyncio.
import { expect, test } from 'vitest'
import { py, pythonErrorOf, rejectionOf, sleep } from '../support/session-code.js'
import { describeSessions } from '../support/session-modes.js'

describeSessions('await', (open) => {
  test('A2: top-level await gives the value of the awaitable', async () => {
    const session = await open()
    await session.execute('async def double(n): return 2 * n')
    expect((await session.execute('await double(21)')).value).toBe(42)
  })

  test('A2: statements before and after an await run in order and keep their variables', async () => {
    const session = await open()
    await session.execute(py`
      import asyncio
      log = ['before']
      await asyncio.sleep(0)
      log.append('between')
      x = await asyncio.sleep(0, 'slept')
      log.append(x)
    `)
    expect(await session.get('log')).toEqual(['before', 'between', 'slept'])
  })

  test('A2: asyncio.sleep waits for the given time', async () => {
    const session = await open()
    const { value, durationMs } = await session.execute(py`
      import asyncio, time
      started = time.monotonic()
      await asyncio.sleep(0.15)
      time.monotonic() - started
    `)
    expect(value).toBeGreaterThanOrEqual(0.149)
    expect(durationMs).toBeGreaterThanOrEqual(149)
  })

  test('A2: asyncio.sleep does not burn CPU', async () => {
    const session = await open()
    await session.execute('import asyncio; await asyncio.sleep(0.01)')
    const before = process.cpuUsage()
    await session.execute('await asyncio.sleep(1)')
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(500)
  })

  test('A2: asyncio.gather runs its awaitables concurrently and keeps the order of results', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio, time
      async def work(n):
          await asyncio.sleep(0.2 - n / 100)
          return n
      started = time.monotonic()
      results = await asyncio.gather(*map(work, range(10)))
      results, time.monotonic() - started < 1
    `)
    expect(value).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], true])
  })

  test('A2: asyncio.gather can return exceptions as results', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      async def fail(): raise ValueError('no')
      [repr(r) for r in await asyncio.gather(fail(), asyncio.sleep(0, 1), return_exceptions=True)]
    `)
    expect(value).toEqual(["ValueError('no')", '1'])
  })

  test('A2: create_task starts a task that a later await joins', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      order = []
      async def side():
          order.append('task')
          return 'result'
      task = asyncio.create_task(side())
      order.append('created')
      order.append(await task)
      order
    `)
    expect(value).toEqual(['created', 'task', 'result'])
  })

  test('A2: a task created in code without await continues during a later execution', async () => {
    const session = await open()
    await session.execute(py`
      import asyncio
      done = []
      async def side():
          await asyncio.sleep(0.01)
          done.append(True)
      task = asyncio.create_task(side())
    `)
    await session.execute('await task')
    expect(await session.get('done')).toEqual([true])
  })

  test('A2: a pending task continues during later executions', async () => {
    const session = await open()
    await session.execute(py`
      import asyncio
      ticks = 0
      async def tick():
          global ticks
          while True:
              await asyncio.sleep(0.001)
              ticks += 1
      task = asyncio.create_task(tick())
      while ticks == 0: await asyncio.sleep(0.001)
      first = ticks
    `)
    const { value } = await session.execute(py`
      while ticks == first: await asyncio.sleep(0.001)
      task.done()
    `)
    expect(value).toBe(false)
  })

  test('A2: a pending task that fails does not make a later execution fail', async () => {
    const session = await open()
    await session.execute(py`
      import asyncio
      async def fail():
          await asyncio.sleep(0)
          raise ValueError('of the task')
      task = asyncio.create_task(fail())
    `)
    expect((await session.execute('await asyncio.sleep(0.01); 1')).value).toBe(1)
    expect((await session.execute('await asyncio.sleep(0.01); 2')).value).toBe(2)
    expect((await pythonErrorOf(session.execute('await task'))).message).toBe('ValueError: of the task')
  })

  test('A2: an error in awaiting code is raised once, and not again by the next awaiting execution', async () => {
    const session = await open()
    const failing = session.execute(py`
      import asyncio
      async def fail():
          await asyncio.sleep(0)
          raise KeyError('once')
      await fail()
    `)
    expect((await pythonErrorOf(failing)).type).toBe('KeyError')
    expect((await session.execute('await asyncio.sleep(0, "fine")')).value).toBe('fine')
  })

  test('A2: wait_for raises TimeoutError and cancels the awaitable', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      log = []
      async def slow():
          try:
              await asyncio.sleep(60)
          except asyncio.CancelledError:
              log.append('cancelled')
              raise
      try:
          await asyncio.wait_for(slow(), 0.02)
      except TimeoutError as error:
          log.append(type(error).__name__)
      log
    `)
    expect(value).toEqual(['cancelled', 'TimeoutError'])
  })

  test('A2: wait_for returns the result of an awaitable that is fast enough', async () => {
    const session = await open()
    expect(
      (await session.execute('import asyncio; await asyncio.wait_for(asyncio.sleep(0.01, "ok"), 5)')).value,
    ).toBe('ok')
  })

  test('A2: asyncio.timeout cancels a block that takes too long', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      cut = False
      try:
          async with asyncio.timeout(0.02):
              await asyncio.sleep(60)
      except TimeoutError:
          cut = True
      cut
    `)
    expect(value).toBe(true)
  })

  test('A2: a TaskGroup joins its tasks', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      async with asyncio.TaskGroup() as group:
          tasks = [group.create_task(asyncio.sleep(0.01, n)) for n in range(3)]
      [task.result() for task in tasks]
    `)
    expect(value).toEqual([0, 1, 2])
  })

  test('A2: a failing task of a TaskGroup cancels the others and raises an ExceptionGroup', async () => {
    const session = await open()
    const error = await pythonErrorOf(
      session.execute(py`
        import asyncio
        async def fail():
            await asyncio.sleep(0)
            raise ValueError('member')
        async with asyncio.TaskGroup() as group:
            other = group.create_task(asyncio.sleep(60))
            group.create_task(fail())
      `),
    )
    expect(error.type).toBe('ExceptionGroup')
    expect(error.traceback).toContain('ValueError: member')
    expect((await session.execute('other.cancelled()')).value).toBe(true)
  })

  test('A2: to_thread runs the function and returns its result', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      def blocking(a, *, b):
          return a + b
      await asyncio.to_thread(blocking, 40, b=2)
    `)
    expect(value).toBe(42)
  })

  test('A2: to_thread propagates the exception and the context', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio, contextvars
      var = contextvars.ContextVar('var')
      var.set('caller')
      async def attempt():
          try:
              await asyncio.to_thread(lambda: 1 / 0)
          except ZeroDivisionError as error:
              return str(error)
      await attempt(), await asyncio.to_thread(var.get)
    `)
    expect(value).toEqual(['division by zero', 'caller'])
  })

  test('A2: asyncio.run works in code without top-level await', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      async def main():
          return await asyncio.gather(asyncio.sleep(0.01, 'a'), asyncio.sleep(0.02, 'b'))
      asyncio.run(main())
    `)
    expect(value).toEqual(['a', 'b'])
  })

  test('A2: asyncio.run works in each of several executions, and top-level await works after it', async () => {
    const session = await open()
    await session.execute('import asyncio\nasync def main(n): return await asyncio.sleep(0.001, n)')
    expect((await session.execute('asyncio.run(main(1))')).value).toBe(1)
    expect((await session.execute('asyncio.run(main(2))')).value).toBe(2)
    expect((await session.execute('await main(3)')).value).toBe(3)
    expect((await session.execute('asyncio.run(main(4))')).value).toBe(4)
  })

  test('A2: an error inside asyncio.run propagates to the caller', async () => {
    const session = await open()
    const code = 'import asyncio\nasync def main(): raise LookupError("inside")\nasyncio.run(main())'
    expect(await pythonErrorOf(session.execute(code))).toMatchObject({
      type: 'LookupError',
      message: 'LookupError: inside',
    })
  })

  test('A2: async for, async with and async comprehensions work at top level', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio, contextlib
      log = []
      async def count(n):
          for i in range(n):
              await asyncio.sleep(0)
              yield i
      @contextlib.asynccontextmanager
      async def scope():
          log.append('enter')
          yield
          log.append('exit')
      async for i in count(2):
          log.append(i)
      async with scope():
          log.append('inside')
      log + [i async for i in count(3) if i]
    `)
    expect(value).toEqual([0, 1, 'enter', 'inside', 'exit', 1, 2])
  })

  test('A2: queues, events, locks and semaphores connect tasks', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      queue, event, lock, limit = asyncio.Queue(1), asyncio.Event(), asyncio.Lock(), asyncio.Semaphore(2)
      got, most, inside = [], 0, 0
      async def produce():
          for i in range(3):
              await queue.put(i)
          await queue.put(None)
      async def consume():
          while (item := await queue.get()) is not None:
              async with lock:
                  got.append(item)
          event.set()
      async def limited():
          global most, inside
          async with limit:
              inside += 1
              most = max(most, inside)
              await asyncio.sleep(0.001)
              inside -= 1
      await asyncio.gather(produce(), consume(), event.wait(), *(limited() for _ in range(6)))
      got, most
    `)
    expect(value).toEqual([[0, 1, 2], 2])
  })

  test('A2: as_completed yields in the order of completion', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      [await each for each in asyncio.as_completed([asyncio.sleep(0.08, 'slow'), asyncio.sleep(0.01, 'fast')])]
    `)
    expect(value).toEqual(['fast', 'slow'])
  })

  test('A2: a cancelled task reports that it is cancelled, and the code that cancels it continues', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      task = asyncio.create_task(asyncio.sleep(60))
      await asyncio.sleep(0)
      task.cancel('because')
      try:
          await task
      except asyncio.CancelledError as error:
          outcome = error.args
      list(outcome), task.cancelled()
    `)
    expect(value).toEqual([['because'], true])
  })

  test('A2: awaiting something that nothing can complete raises RuntimeError at once instead of waiting for the deadline', async () => {
    const session = await open({ executionTimeoutMs: 20_000 })
    const error = await pythonErrorOf(session.execute('import asyncio; await asyncio.Event().wait()'))
    expect(error.type).toBe('RuntimeError')
    expect((await session.execute('await asyncio.sleep(0, 1)')).value).toBe(1)
  })

  test('A2: a thousand tasks finish', async () => {
    const session = await open()
    const { value } = await session.execute(py`
      import asyncio
      sum(await asyncio.gather(*(asyncio.sleep(0.001 * (n % 10), n) for n in range(1000))))
    `)
    expect(value).toBe(499_500)
  })

  test('A2: tasks do not run while no execution runs', async () => {
    const session = await open()
    await session.execute(py`
      import asyncio
      ticks = 0
      async def tick():
          global ticks
          while True:
              await asyncio.sleep(0.001)
              ticks += 1
      task = asyncio.create_task(tick())
      await asyncio.sleep(0.01)
      task.get_loop()
    `)
    const before = await session.get('ticks')
    await sleep(50)
    expect(await session.get('ticks')).toBe(before)
  })

  test('A2: an await in a nested function that is not async is a SyntaxError, as in Python', async () => {
    const session = await open()
    const error = await rejectionOf(Error, session.execute('def f():\n    await g()'))
    expect(error).toMatchObject({ type: 'SyntaxError' })
  })
})
