// Event loops as scripts use them: run_until_complete on the session's loop, policies, and custom loop classes.
import type { Callbacks, Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { py, pythonErrorOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
let session: Session
let paid: unknown[] = []

const callbacks: Callbacks = {
  pay: ({ amount }) => {
    paid.push(amount)
    return `paid ${amount}`
  },
  approve: (_, { suspend }) => suspend('needs human approval'),
}

beforeAll(async () => {
  manager = await sharedManager({ slots: 1 })
  session = await manager.createSession({ callbacks })
})
beforeEach(async () => {
  paid = []
  await session.reset()
  await session.execute(py`
    import asyncio
    loop = asyncio.get_event_loop()
    async def main(amount):
        return await pay(amount=amount)
  `)
})
afterAll(() => session?.close())

const evaluate = async (code: string) => (await session.execute(code)).value

test('loop.run_until_complete awaits a callback, which is called once', async () => {
  expect(await evaluate('loop.run_until_complete(main(1))')).toBe('paid 1')
  expect(await evaluate('both = loop.run_until_complete(asyncio.gather(main(2), main(3)))\nboth')).toEqual([
    'paid 2',
    'paid 3',
  ])
  await session.execute('1')
  expect(paid).toEqual([1, 2, 3])
})

test('run_until_complete inside a function blocks, and leaves no task behind that would call later', async () => {
  await session.execute(py`
    def run(awaitable):
        return asyncio.get_event_loop().run_until_complete(awaitable)
    async def endless():
        await pay(amount=1)
        await asyncio.get_running_loop().create_future()
        await pay(amount=2)
    async def hasty():
        asyncio.get_running_loop().stop()
        await asyncio.sleep(60)
        await pay(amount=3)
  `)
  expect(await evaluate('run(main(0))')).toBe('paid 0')
  expect((await pythonErrorOf(session.execute('run(endless())'))).message).toContain(
    'deadlock: the code awaits something that no task, timer or host call can complete',
  )
  expect((await pythonErrorOf(session.execute('run(hasty())'))).message).toContain('stopped')
  await session.execute('await asyncio.sleep(0.01); len(asyncio.all_tasks())')
  expect(paid).toEqual([0, 1])
})

test('run_until_complete at the top level of a cell can be suspended, saved and resumed', async () => {
  const code = py`
    async def order():
        await pay(amount=5)
        return await approve(what='refund')
    try:
        answer = loop.run_until_complete(order())
    finally:
        loop.close()
    answer
  `
  expect((await session.execute(code)).status).toBe('suspended')
  const saved = await session.snapshotState()
  await session.close()
  session = await manager.createSession({ callbacks, from: saved })
  const results = Object.fromEntries(session.pending.map(({ id }) => [id, 'yes']))
  expect((await session.resume({ results })).value).toBe('yes')
  expect(paid).toEqual([5])
})

test('a script may continue with loops of its own', async () => {
  const code = py`
    first = loop.run_until_complete(main(1))
    loop.close()
    own = asyncio.new_event_loop()
    asyncio.set_event_loop(own)
    second = own.run_until_complete(main(2))
    own.close()
    [first, second, asyncio.run(main(3)), loop.run_until_complete(main(4))]
  `
  expect(await evaluate(code)).toEqual(['paid 1', 'paid 2', 'paid 3', 'paid 4'])
})

test('a task that a blocking run leaves behind is completed by a later cell', async () => {
  await session.execute(py`
    async def leave():
        global task
        task = asyncio.create_task(main(7))
        await asyncio.sleep(0)
    def run():
        loop.run_until_complete(leave())
    run()
  `)
  expect(await evaluate('await task')).toBe('paid 7')
  expect(paid).toEqual([7])
})

test('run_until_complete inside a task raises the usual RuntimeError', async () => {
  const { message } = await pythonErrorOf(
    session.execute('async def inner(): loop.run_until_complete(main(1))\nawait inner()'),
  )
  expect(message).toBe('RuntimeError: This event loop is already running')
})

test('asyncio.run works after the default policy has been set again', async () => {
  const code = (policy: string) => `asyncio.set_event_loop_policy(${policy})\nasyncio.run(main(1))`
  expect(await evaluate(code('None'))).toBe('paid 1')
  expect(await evaluate(code('asyncio.DefaultEventLoopPolicy()'))).toBe('paid 1')
})

test('custom loops derived from BaseEventLoop run, and their tasks reach callbacks', async () => {
  const code = py`
    import selectors
    class Bare(asyncio.BaseEventLoop):
        pass
    class Selecting(asyncio.BaseEventLoop):
        def __init__(self):
            super().__init__()
            self._selector = selectors.DefaultSelector()
        def _process_events(self, events):
            pass
    async def slow():
        await asyncio.sleep(0.01)
        return await main(1)
    [Bare().run_until_complete(slow()), Selecting().run_until_complete(slow()),
     asyncio.SelectorEventLoop(selectors.SelectSelector()).run_until_complete(slow())]
  `
  expect(await evaluate(code)).toEqual(['paid 1', 'paid 1', 'paid 1'])
})

test('async generators work on new loops while each test resets the policy, as in CPython’s own tests', async () => {
  const outcome = await evaluate(py`
    import gc, io, unittest, warnings

    class Probe(unittest.TestCase):
        def setUp(self):
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(None)
            self.log = []

        def tearDown(self):
            self.loop.close()
            asyncio.set_event_loop_policy(None)

        async def numbers(self):
            try:
                sent = yield 1
                self.log.append(sent)
                await asyncio.sleep(0.001)
                yield 2
            except KeyError as error:
                yield error.args[0]
            finally:
                await asyncio.sleep(0)
                self.log.append('closed')

        def test_asend(self):
            async def use():
                g = self.numbers()
                return [await g.asend(None), await g.asend('in'), await anext(g, 'end'), self.log]
            self.assertEqual(self.loop.run_until_complete(use()), [1, 2, 'end', ['in', 'closed']])

        def test_athrow(self):
            async def use():
                g = self.numbers()
                return [await anext(g), await g.athrow(KeyError('thrown')), self.log]
            self.assertEqual(self.loop.run_until_complete(use()), [1, 'thrown', []])

        def test_aclose(self):
            async def use():
                g = self.numbers()
                first = await anext(g)
                await g.aclose()
                return [first, self.log, await anext(g, 'end')]
            self.assertEqual(self.loop.run_until_complete(use()), [1, ['closed'], 'end'])

        def test_running(self):
            async def use():
                async def slow():
                    self.log.append(g.ag_running)
                    await asyncio.sleep(0.001)
                    yield 1
                g = slow()
                step = asyncio.ensure_future(anext(g))
                await asyncio.sleep(0)
                with self.assertRaises(RuntimeError):
                    await anext(g)
                return [g.ag_running, await step, g.ag_running, self.log]
            self.assertEqual(self.loop.run_until_complete(use()), [True, 1, False, [True]])

        def test_collected(self):
            async def use():
                async for _ in self.numbers():
                    break
                gc.collect()
                await asyncio.sleep(0.01)
            self.loop.run_until_complete(use())
            self.assertEqual(self.log, ['closed'])

        def test_shutdown(self):
            async def use():
                self.kept = self.numbers()
                return await anext(self.kept)
            self.assertEqual(self.loop.run_until_complete(use()), 1)
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.assertEqual(self.log, ['closed'])

        def test_asyncio_run_closes_them(self):
            async def use():
                self.kept = self.numbers()
                return await anext(self.kept)
            for policy in (None, asyncio.DefaultEventLoopPolicy()):
                asyncio.set_event_loop_policy(policy)
                self.assertEqual(asyncio.run(use()), 1)
            self.assertEqual(self.log, ['closed', 'closed'])

    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        out = io.StringIO()
        ran = unittest.TextTestRunner(out).run(unittest.defaultTestLoader.loadTestsFromTestCase(Probe))
    [ran.testsRun, *(text for _, text in ran.failures + ran.errors)]
  `)
  expect(outcome).toEqual([7])
  // The session's own loop is unchanged.
  expect(await evaluate('asyncio.run(main(1))')).toBe('paid 1')
  expect(await evaluate('await main(2)')).toBe('paid 2')
})
