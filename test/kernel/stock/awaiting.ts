// A2: asyncio in the kernel: awaiting executions, tasks between executions, loops created by user code, host calls.
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { Kernel } from '../kernel.js'

let kernel: Kernel
beforeAll(async () => {
  kernel = await Kernel.shared()
})
beforeEach(() => {
  kernel.send({ op: 'clear' })
  kernel.execute('import asyncio, time')
  kernel.output()
})

const DEADLOCK = {
  type: 'RuntimeError',
  message: 'deadlock: the code awaits something that no task, timer or host call can complete',
}

test('A2: an awaiting execution returns to the host with the time to its next timer', () => {
  const reply = kernel.start('await asyncio.sleep(0.05); "done"')
  expect(reply).toMatchObject({ waiting: true, calls: [] })
  expect(reply.delay).toBeGreaterThan(0.03)
  expect(reply.delay).toBeLessThanOrEqual(0.05)
  expect(kernel.finish(reply).value).toBe("'done'")
})

test('A2: both statements and the last expression can await', () => {
  expect(kernel.value('x = await asyncio.sleep(0, 1)\ny = 2\nx + await asyncio.sleep(0, y)')).toBe('3')
  expect(kernel.value('x, y')).toBe('(1, 2)')
  expect(
    kernel.value(
      '[i async for i in gen()] if (gen := None) else [await asyncio.sleep(0, i) for i in range(2)]',
    ),
  ).toBe('[0, 1]')
})

test('A2: gather, wait_for, timeout, TaskGroup, Queue, Event, Lock and call_later work', () => {
  expect(
    kernel.value(`
      out = []
      async def work(n):
          await asyncio.sleep(0.02 - n / 200)
          return n
      out.append(await asyncio.gather(*map(work, range(3))))
      try:
          await asyncio.wait_for(asyncio.Event().wait(), 0.01)
      except TimeoutError:
          out.append('wait_for')
      try:
          async with asyncio.timeout(0.01):
              await asyncio.Event().wait()
      except TimeoutError:
          out.append('timeout')
      async with asyncio.TaskGroup() as tasks:
          results = [tasks.create_task(work(n)) for n in range(2)]
      out.append([t.result() for t in results])
      queue = asyncio.Queue()
      asyncio.get_running_loop().call_later(0.01, queue.put_nowait, 'later')
      out.append(await queue.get())
      lock = asyncio.Lock()
      async with lock:
          out.append(lock.locked())
      out
    `),
  ).toBe("[[0, 1, 2], 'wait_for', 'timeout', [0, 1], 'later', True]")
})

test('A2: to_thread and run_in_executor run in the same thread, outside the running loop', () => {
  expect(
    kernel.value(`
      import contextvars
      v = contextvars.ContextVar('v')
      v.set('seen')
      async def seven(): return 7
      def work(): return asyncio.run(seven()), v.get()
      def fail(): raise KeyError('k')
      out = [await asyncio.to_thread(work), asyncio.current_task() is not None]
      try:
          await asyncio.get_running_loop().run_in_executor(None, fail)
      except KeyError as error:
          out.append(error.args)
      out
    `),
  ).toBe("[[7, 'seen'], True, ['k']]".replace("[7, 'seen']", "(7, 'seen')").replace("['k']", "('k',)"))
})

test('A2: tasks started by synchronous code continue during later executions', () => {
  kernel.execute(`
    log = []
    async def ticks():
        for n in range(3):
            log.append(n)
            await asyncio.sleep(0.01)
    task = asyncio.create_task(ticks())
  `)
  expect(kernel.value('log')).toBe('[0]')
  expect(kernel.value('await asyncio.sleep(0.3); log')).toBe('[0, 1, 2]')
  expect(kernel.value('task.done()')).toBe('True')
})

test('A2: eager tasks and an eager task factory work', () => {
  expect(
    kernel.value(`
      async def now(): return 1
      eager = asyncio.Task(now(), loop=asyncio.get_running_loop(), eager_start=True)
      eager.done()
    `),
  ).toBe('True')
  kernel.execute('asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)')
  expect(kernel.value('t = asyncio.create_task(now()); t.done(), await t')).toBe('(True, 1)')
})

test('A2: asyncio.run, Runner and run_until_complete work in synchronous code, and restore the running loop', () => {
  expect(
    kernel.value(`
      async def main(n):
          await asyncio.sleep(0.01)
          return n, type(asyncio.get_running_loop()).__name__
      before = asyncio.get_running_loop()
      out = [asyncio.run(main(1))]
      with asyncio.Runner() as runner:
          out += [runner.run(main(2)), runner.run(main(3))]
      with asyncio.Runner(loop_factory=asyncio.EventLoop) as runner:
          out.append(runner.run(main(4)))
      loop = asyncio.new_event_loop()
      out.append(loop.run_until_complete(main(5)))
      loop.close()
      out.append(asyncio.get_event_loop().run_until_complete(main(6)))
      out.append(asyncio.get_running_loop() is before)
      out
    `),
  ).toBe(
    "[(1, 'EventLoop'), (2, 'EventLoop'), (3, 'EventLoop'), (4, 'EventLoop'), (5, 'EventLoop'), (6, 'SessionLoop'), True]",
  )
})

test('A2: asyncio.run inside a coroutine is rejected, as in any Python', () => {
  const reply = kernel.execute('async def f(): pass\nawait asyncio.sleep(0)\nasyncio.run(f())')
  expect(reply.message).toBe('asyncio.run() cannot be called from a running event loop')
})

test('A2: asynchronous generators are closed when they are dropped', () => {
  kernel.execute(`
    log = []
    async def numbers():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            log.append('closed')
    async for n in numbers():
        break
    del n
  `)
  expect(kernel.value('await asyncio.sleep(0.01); log')).toBe("['closed']")
  kernel.execute('log.clear()\nasync def once():\n    async for n in numbers(): break\nasyncio.run(once())')
  expect(kernel.value('log')).toBe("['closed']")
})

test('A2: a failing task does not fail a later execution, and is reported as in CPython', () => {
  kernel.execute('async def bad(): 1 / 0\ntask = asyncio.create_task(bad())')
  expect(kernel.value('await asyncio.sleep(0, 1)')).toBe('1')
  expect(kernel.output().stderr).toBe('')
  kernel.execute('del task')
  const { stderr } = kernel.output()
  expect(stderr).toContain('Task exception was never retrieved\nfuture: <Task finished')
  expect(stderr).toContain('ZeroDivisionError: division by zero')
  expect(stderr).not.toContain('brumate')
})

test('A2: sys.exit and KeyboardInterrupt in a task end only that task', () => {
  kernel.execute(
    'import sys\nasync def leave(error): raise error\nout = asyncio.create_task(leave(SystemExit(1)))',
  )
  expect(kernel.value('await asyncio.sleep(0, 1)')).toBe('1')
  expect(kernel.value('out.exception()')).toBe(null)
  expect(kernel.value('repr(out.exception())')).toBe("'SystemExit(1)'")
})

test('an error in a loop callback is reported and ends nothing', () => {
  expect(
    kernel.value('asyncio.get_running_loop().call_soon(lambda: 1 / 0); await asyncio.sleep(0.01, 1)'),
  ).toBe('1')
  expect(kernel.output().stderr).toContain('Exception in callback')
})

test('an await that can never complete raises RuntimeError at the await, and can be caught', () => {
  const reply = kernel.execute(
    'event = asyncio.Event()\nasync def inner():\n    await event.wait()\nawait inner()',
  )
  expect(reply).toMatchObject(DEADLOCK)
  expect(reply.traceback).toContain('line 3, in inner\n    await event.wait()')
  expect(
    kernel.value(
      'try:\n    await inner()\nexcept RuntimeError:\n    caught = 1\nawait asyncio.sleep(0.01, caught)',
    ),
  ).toBe('1')
  expect(kernel.execute('event = asyncio.Event()\nasyncio.run(inner())')).toMatchObject(DEADLOCK)
  expect(kernel.value('asyncio.run(asyncio.sleep(0, 2))')).toBe('2')
})

test('an execution that cancels its own task fails with CancelledError', () => {
  expect(kernel.execute('asyncio.current_task().cancel(); await asyncio.sleep(0)').type).toBe(
    'CancelledError',
  )
})

test('code that never idles still returns to the host now and then', () => {
  kernel.send({ op: 'attach', env: {}, callbacks: [{ name: 'ask', description: '', parameters: null }] })
  kernel.execute(
    'async def spin():\n    while True: await asyncio.sleep(0)\nspinning = asyncio.create_task(spin())',
  )
  let reply = kernel.start('await ask()')
  expect(reply).toMatchObject({ waiting: true, delay: 0 })
  expect(reply.calls).toHaveLength(1)
  reply = kernel.finish(kernel.send({ op: 'answer', id: reply.calls[0]?.id, ok: 1, value: '"answer"' }))
  expect(reply.value).toBe("'answer'")
  kernel.execute('spinning.cancel()')
})

test('concurrent host calls are sent in one reply, and can be answered in any order', () => {
  kernel.send({
    op: 'attach',
    env: {},
    callbacks: [{ name: 'ask', description: 'Asks.', parameters: { properties: { n: {} } } }],
  })
  let reply = kernel.start('await asyncio.gather(ask(1), ask(n=2), ask(n={"deep": [b"x"]}))')
  expect(reply.delay).toBeNull()
  expect(reply.calls.map((call) => call.arguments)).toEqual([
    "{'n': 1}",
    "{'n': 2}",
    "{'n': {'deep': [b'x']}}",
  ])
  for (const call of [...reply.calls].reverse()) {
    reply = kernel.send({ op: 'answer', id: call.id, ok: 1, value: `${call.id}0` })
  }
  expect(reply.calls).toBeUndefined()
  expect(reply.value?.startsWith('[')).toBe(true)
  expect(kernel.value('ask.__doc__, str(__import__("inspect").signature(ask))')).toBe("('Asks.', '(n=None)')")
  expect(kernel.value('import brumate; [c["name"] for c in brumate.callbacks()]')).toBe("['ask']")
})

test('a failed host call raises the Python class of that name, or HostError', () => {
  const cells: [name: string, caught: string][] = [
    ['ValueError', "('ValueError', 'm')"],
    ['TimeoutError', "('TimeoutError', 'm')"],
    ['SystemExit', "('HostError', 'm')"],
    ['RangeError', "('HostError', 'm')"],
    ['UnicodeDecodeError', "('HostError', 'm')"],
    ['open', "('HostError', 'm')"],
  ]
  for (const [name, caught] of cells) {
    const { calls } = kernel.start(
      'try:\n    await ask()\nexcept Exception as e:\n    got = e\ntype(got).__name__, str(got)',
    )
    const reply = kernel.send({
      op: 'answer',
      id: calls[0]?.id,
      ok: 0,
      value: `(${JSON.stringify(name)}, 'm')`,
    })
    expect(reply.value).toBe(caught)
  }
  const { calls } = kernel.start('await ask()')
  const reply = kernel.send({ op: 'answer', id: calls[0]?.id, ok: 0, value: '("RangeError", "too far")' })
  expect(reply.traceback).toMatch(
    /^Traceback.*\n {2}File "<cell \d+>", line 1, in <module>\n.*\nbrumate.HostError: RangeError: too far\n$/,
  )
})

test('host calls: invalid arguments raise TypeError, stray answers are ignored, a cancelled call is not awaited', () => {
  expect(kernel.execute('await ask(object)')).toMatchObject({
    type: 'TypeError',
    message: "ask() argument 'n': cannot convert 'type' to a JavaScript value",
  })
  expect(kernel.execute('await ask(1, 2)').type).toBe('TypeError')
  expect(kernel.send({ op: 'answer', id: 9999, ok: 1, value: '1' })).toMatchObject({
    waiting: false,
    ok: true,
  })
  const waiting = kernel.start(
    'try:\n    await asyncio.wait_for(ask(), 0.01)\nexcept TimeoutError:\n    late = 1\nlate',
  )
  expect(waiting.calls).toHaveLength(1)
  expect(kernel.finish(waiting).value).toBe('1')
  expect(kernel.send({ op: 'answer', id: waiting.calls[0]?.id, ok: 1, value: '1' }).ok).toBe(true)
  expect(kernel.execute('await asyncio.Event().wait()')).toMatchObject(DEADLOCK)
})

test('callbacks can be replaced, and survive clearState', () => {
  kernel.send({
    op: 'attach',
    env: { KEY: 'value' },
    callbacks: [{ name: 'other', description: null, parameters: null }],
  })
  expect(kernel.execute('ask').type).toBe('NameError')
  kernel.send({ op: 'clear' })
  expect(kernel.value('callable(other), __import__("os").environ["KEY"]')).toBe("(True, 'value')")
})

test('an await that can never complete is also detected after a long turn', () => {
  expect(kernel.execute('time.sleep(0.05)\nawait asyncio.Event().wait()')).toMatchObject(DEADLOCK)
  expect(
    kernel.execute('await asyncio.sleep(0)\ntime.sleep(0.05)\nawait asyncio.Event().wait()'),
  ).toMatchObject(DEADLOCK)
})
