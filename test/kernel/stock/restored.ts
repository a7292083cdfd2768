// C4, C8: what a restore changes (entropy, callbacks, the time zone), and that it reports the unanswered calls. These tests do not
// restore any memory: they only tell the kernel that it was restored.
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { Kernel } from '../kernel.js'

let kernel: Kernel
beforeAll(async () => {
  kernel = await Kernel.shared()
})
beforeEach(() => {
  kernel.send({ op: 'clear' })
  kernel.send({ op: 'attach', env: {}, callbacks: [] })
  kernel.execute('import random')
})

const restore = (callbacks: readonly object[] = []) => kernel.send({ op: 'restored', callbacks })

/** Returns whether the next number after a restore is the one that the state before it would give. */
function goesOn(): boolean {
  kernel.execute('probe = random.Random(); probe.setstate(random.getstate())')
  expect(restore()).toMatchObject({ ok: true, value: '[]' })
  return kernel.value('probe.random() == random.random()') === 'True'
}

test('C4: a restore reseeds random', () => {
  kernel.execute('random.random(); random.gauss(0, 1)')
  expect(goesOn()).toBe(false)
  expect(goesOn()).toBe(false)
})

test.each([
  'random.seed(7)',
  'random.seed(a="text", version=1)',
  'random.seed(0)',
  'from random import seed; seed(3)',
  'random._inst.seed(3)',
  'random.setstate(random.Random(5).getstate())',
  'from random import setstate; setstate(random.getstate())',
])('C4: after %s the sequence continues, across any number of restores', (code) => {
  expect(kernel.execute(code).ok).toBe(true)
  expect([goesOn(), goesOn()]).toEqual([true, true])
})

test.each(['random.seed()', 'random.seed(None)', 'random.seed(a=None)'])(
  'C4: %s undoes a seed, so a restore reseeds again',
  (code) => {
    kernel.execute(`random.seed(1); ${code}`)
    expect(goesOn()).toBe(false)
  },
)

test('C4: rejected seeds, seeds of other generators and an attach do not count as a seed', () => {
  expect(kernel.execute('random.setstate(5)').type).toBe('TypeError')
  expect(kernel.execute('random.seed([])').type).toBe('TypeError')
  kernel.execute('r = random.Random(3); r.seed(4); random.SystemRandom().seed(3)')
  expect(goesOn()).toBe(false)
  kernel.execute('random.seed(4)')
  kernel.send({ op: 'attach', env: {}, callbacks: [] })
  expect(goesOn()).toBe(false)
})

test('A11: the wrapped functions look and work like the originals', () => {
  kernel.execute('import copy, inspect, pickle')
  expect(
    kernel.value('str(inspect.signature(random.seed)), random.seed.__name__, random.seed.__doc__[:10]'),
  ).toBe("('(a=None, version=2)', 'seed', 'Initialize')")
  expect(
    kernel.value(
      'random.seed(42); [random.random() for _ in range(2)] == [*map(lambda r: r.random(), [random.Random(42)])] + [0.025010755222666936]',
    ),
  ).toBe('True')
  expect(
    kernel.value(
      'copies = copy.copy(random._inst), pickle.loads(pickle.dumps(random._inst)); x = random.random(); [c.random() == x for c in copies]',
    ),
  ).toBe('[True, True]')
})

test('C4: random.seed in a loop can be interrupted', () => {
  const delivered = kernel.interruptAfter(2000)
  const reply = kernel.execute('while True: random.seed(1)')
  expect(delivered()).toBe(true)
  expect(reply.type).toBe('KeyboardInterrupt')
})

test('C4: the generator of temporary file names is renewed', () => {
  kernel.execute('import tempfile, copy\nnames = tempfile._get_candidate_names()\nnext(names)')
  kernel.execute('state = names._rng.getstate()\ntwin = random.Random(); twin.setstate(state)')
  restore()
  expect(kernel.value('tempfile._get_candidate_names() is names')).toBe('False')
})

test('C8: the reply lists unanswered calls, and they can be answered', () => {
  const callbacks = [{ name: 'old', description: '', parameters: null }]
  kernel.send({ op: 'attach', env: {}, callbacks })
  const waiting = kernel.start(`
    import asyncio, datetime
    result = await asyncio.gather(old(a=1), old(b=[None], when=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)))
    result`)
  expect(waiting.calls).toHaveLength(2)
  const reply = restore([{ name: 'young', description: 'New.', parameters: null }])
  const [first, second] = waiting.calls
  expect(reply.value).toBe(
    `[(${first?.id}, 'old', {'a': 1}), (${second?.id}, 'old', {'b': [None], 'when': (Ellipsis, 'datetime', 1577836800000.0)})]`,
  )
  expect(kernel.send({ op: 'answer', id: second?.id, ok: true, value: '"b"' })).toMatchObject({
    waiting: true,
    calls: [],
  })
  expect(kernel.send({ op: 'answer', id: first?.id, ok: true, value: '"a"' }).value).toBe("['a', 'b']")
  expect(kernel.value('"young" in dir(__builtins__), "old" in dir(__builtins__), young.__doc__')).toBe(
    "(True, False, 'New.')",
  )
})

test('C8: a call that was never sent is in the reply, and is not sent a second time', () => {
  kernel.send({ op: 'attach', env: {}, callbacks: [{ name: 'ask', description: '', parameters: null }] })
  kernel.execute('import asyncio\nloop = asyncio.get_running_loop()\ntask = loop.create_task(ask(n=1))')
  const reply = restore([{ name: 'ask', description: '', parameters: null }])
  expect(reply.value).toMatch(/^\[\(\d+, 'ask', \{'n': 1\}\)\]$/)
  const waiting = kernel.start('await task')
  expect(waiting).toMatchObject({ waiting: true, calls: [] })
  const id = Number(/\d+/.exec(reply.value ?? '')?.[0])
  expect(kernel.send({ op: 'answer', id, ok: true, value: '5' }).value).toBe('5')
})

test('C1: environment variables set in the snapshot stay', () => {
  kernel.execute('import os\nos.environ["KEPT"] = "1"')
  restore()
  expect(kernel.value('os.environ.get("KEPT"), os.environ.get("IGNORED")')).toBe("('1', None)")
})
