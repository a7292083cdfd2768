// Behaviours C8: snapshots of a running execution that awaits a host call, and host calls that outlive their execution.
import { type Callbacks, InvalidOptionError, type Session, type SessionManager } from 'brumate'
import { beforeAll, describe, expect, test } from 'vitest'
import { py, pythonErrorOf, rejectionOf, sleep, until } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
})

/** Collects unanswered calls of `wait`, so that the test can answer them. */
class Waiting {
  readonly answers = new Map<unknown, (value: unknown) => void>()
  called = 0
  readonly callbacks: Callbacks = {
    wait: ({ n }) => {
      this.called += 1
      return new Promise((resolve) => this.answers.set(n, resolve))
    },
    echo: ({ x }) => x,
  }

  async answer(n: unknown, value: unknown): Promise<void> {
    await until(() => this.answers.has(n))
    this.answers.get(n)?.(value)
    this.answers.delete(n)
  }

  open(options: { tenant?: string } = {}): Promise<Session> {
    return manager.createSession({ callbacks: this.callbacks, ...options })
  }
}

describe('a snapshot in the middle of an await', () => {
  test('C8: leaves the original running; a copy has the same calls pending', async () => {
    const host = new Waiting()
    await using session = await host.open()
    const running = session.execute(py`
      import asyncio
      print('before')
      got = await asyncio.gather(wait(n=1), wait(n=2), asyncio.sleep(0.01, 'slept'))
      print('after')
      got + [await echo(x=3)]
    `)
    await until(() => host.called === 2)
    const snapshot = await session.snapshotState()
    expect(snapshot.manifest.pending).toMatchObject([
      { name: 'wait', args: { n: 1 } },
      { name: 'wait', args: { n: 2 } },
    ])
    await host.answer(1, 'one')
    await host.answer(2, 'two')
    expect(await running).toMatchObject({
      status: 'completed',
      value: ['one', 'two', 'slept', 3],
      stdout: 'before\nafter\n',
    })

    await using copy = await manager.createSession({ from: snapshot.toBytes(), callbacks: host.callbacks })
    expect(copy.pending.map(({ args }) => args)).toEqual([{ n: 1 }, { n: 2 }])
    const [first = '', second = ''] = copy.pending.map(({ id }) => id)
    const end = await copy.resume({ results: { [first]: 'another one' }, errors: {} })
    expect(end.status).toBe('suspended')
    const last = await copy.resume({ results: { [second]: 'another two' } })
    expect(last).toMatchObject({
      status: 'completed',
      value: ['another one', 'another two', 'slept', 3],
      stdout: 'after\n',
    })
    expect(host.called).toBe(2)
  })

  test('C8: of an execution that awaits no host call is continued by resume({})', async () => {
    const host = new Waiting()
    await using session = await host.open()
    const running = session.execute('import asyncio\nprint("x")\nawait asyncio.sleep(0.3)\n"slept"', {
      onStdout: () => {},
    })
    await sleep(100)
    const snapshot = await session.snapshotState()
    expect((await running).value).toBe('slept')
    await using copy = await manager.createSession({ from: snapshot, callbacks: host.callbacks })
    expect(copy.pending).toEqual([])
    expect(await copy.resume({})).toMatchObject({ status: 'completed', value: 'slept' })
  })

  test('C7: can be taken many times; each copy continues from its own point', async () => {
    const host = new Waiting()
    await using session = await host.open()
    const running = session.execute('got = []\nfor n in range(4): got.append(await wait(n=n))\ngot')
    const snapshots = []
    for (let n = 0; n < 4; n++) {
      await until(() => host.answers.has(n))
      snapshots.push(await session.snapshotState())
      await host.answer(n, n)
    }
    expect((await running).value).toEqual([0, 1, 2, 3])
    for (const [at, from] of snapshots.entries()) {
      await using copy = await manager.createSession({
        from,
        callbacks: { wait: ({ n }) => 10 * n },
      })
      const [id = ''] = copy.pending.map(({ id }) => id)
      const expected = [0, 1, 2, 3].map((n) => (n < at ? n : n === at ? 'here' : 10 * n))
      expect((await copy.resume({ results: { [id]: 'here' } })).value).toEqual(expected)
    }
  })

  test('C8: is not taken while a call blocks the thread, but at the next await', async () => {
    const host = new Waiting()
    await using session = await host.open()
    const running = session.execute(
      'import brumate\nx = brumate.call_sync("wait", n=1)\ny = await wait(n=2)\n[x, y]',
    )
    await until(() => host.answers.has(1))
    const taking = session.snapshotState()
    await sleep(30)
    await host.answer(1, 'one')
    const snapshot = await taking
    expect(snapshot.manifest.pending).toMatchObject([{ args: { n: 2 } }])
    await host.answer(2, 'two')
    expect((await running).value).toEqual(['one', 'two'])
    await using copy = await manager.createSession({ from: snapshot })
    const [id = ''] = copy.pending.map(({ id }) => id)
    expect((await copy.resume({ results: { [id]: 2 } })).value).toEqual(['one', 2])
  })

  test('D9: loses async iterables, which belong to the process that made them: a copy gets an error in Python', async () => {
    await using session = await manager.createSession({
      callbacks: {
        async *stream() {
          yield 1
          yield 2
        },
        stop: (_, { suspend }) => suspend(),
      },
    })
    const code = py`
      it = await stream()
      first = await anext(it)
      await stop()
      try: second = await anext(it)
      except RuntimeError as error: second = str(error)
      [first, second, [item async for item in it]]
    `
    const [id = ''] = (await session.execute(code)).pending.map(({ id }) => id)
    const from = await session.snapshotState()
    await using copy = await manager.createSession({ from })
    const { value } = await copy.resume({ results: { [id]: null } })
    expect(value).toEqual([1, expect.stringContaining('the iterator no longer exists'), []])
    expect((await session.resume({ results: { [id]: null } })).value).toEqual([1, 2, []])
  })
})

describe('a copy of an execution that awaits the next value of an async iterable', () => {
  const CODE = py`
    got = []
    try:
        async for row in rows():
            got.append(row)
    except RuntimeError as error:
        got.append(str(error))
    got
  `
  const LOST = expect.stringContaining('the iterator no longer exists')

  test('has no pending call, says so, and continues with an error in Python', async () => {
    let making = () => {}
    const waiting = new Promise<void>((resolve) => {
      making = resolve
    })
    let make = () => {}
    const made = new Promise<void>((resolve) => {
      make = resolve
    })
    await using suspending = await manager.createSession({
      callbacks: {
        rows: async function* (_, { suspend }) {
          yield 1
          suspend('needs human approval')
        },
      },
    })
    const [id = ''] = (await suspending.execute(CODE)).pending.map(({ id }) => id)
    await using awaiting = await manager.createSession({
      callbacks: {
        rows: async function* () {
          yield 1
          making()
          await made
          yield 2
        },
      },
    })
    const running = awaiting.execute(CODE)
    await waiting
    for (const from of [await suspending.snapshotState(), await awaiting.snapshotState()]) {
      await using copy = await manager.createSession({ from })
      expect(copy.pending).toEqual([])
      const error = await rejectionOf(InvalidOptionError, copy.resume({ results: { [id]: 2 } }))
      expect(error.message).toContain('An async iterable stays with the process that made it')
      expect(error.message).toContain('resume({})')
      expect((await copy.resume({})).value).toEqual([1, LOST])
      expect((await copy.execute('got.append(3)\ngot')).value).toEqual([1, LOST, 3])
    }
    make()
    // Each original continues.
    expect((await running).value).toEqual([1, 2])
    expect((await suspending.resume({ results: { [id]: 2 } })).value).toEqual([1, 2])
  })
})

describe('a host call of a background task', () => {
  const BACKGROUND =
    'import asyncio\ntask = asyncio.create_task(wait(n=1))\nawait asyncio.sleep(0.05)\n"left"'

  test('A2, D2: is answered during a later execution, and is made only once', async () => {
    const host = new Waiting()
    await using session = await host.open()
    expect((await session.execute(BACKGROUND)).value).toBe('left')
    expect((await session.execute('task.done()')).value).toBe(false)
    await host.answer(1, 'late')
    expect((await session.execute('await task')).value).toBe('late')
    expect(host.called).toBe(1)
  })

  test('A2: if answered between executions, its result is available in the next one', async () => {
    const host = new Waiting()
    await using session = await host.open()
    await session.execute(BACKGROUND)
    await host.answer(1, 'late')
    await sleep(5)
    await session.execute('await asyncio.sleep(0)')
    expect((await session.execute('task.result()')).value).toBe('late')
  })

  test.each([
    ['before the session hibernates', 'before'],
    ['while the session hibernates', 'during'],
    ['while the session is dormant', 'dormant'],
    ['after it woke', 'after'],
  ])('C8: survives hibernation when it is answered %s', async (_, when) => {
    const host = new Waiting()
    // Both sessions have this tenant, so the second one can lease the same slot.
    await using session = await host.open({ tenant: 'shared' })
    await session.execute(BACKGROUND)
    // Wait, so that the answer is the only new thing to capture.
    await sleep(60)
    if (when === 'before') {
      await host.answer(1, 'late')
      await sleep(5)
    }
    const gone = session.hibernate()
    if (when === 'during') await host.answer(1, 'late')
    await gone
    expect(session.state).toBe('dormant')
    await using other = await host.open({ tenant: 'shared' })
    await other.execute(
      'import asyncio\ntask = asyncio.create_task(wait(n="other"))\nawait asyncio.sleep(0.05)',
    )
    if (when === 'dormant') await host.answer(1, 'late')
    await sleep(5)
    expect((await other.execute('await asyncio.sleep(0.01); task.done()')).value).toBe(false)
    if (when === 'after') {
      await session.execute('x = 1')
      await host.answer(1, 'late')
    }
    expect((await session.execute('await task', { timeoutMs: 5000 })).value).toBe('late')
    expect([host.called, session.pending]).toEqual([2, []])
    await host.answer('other', 'the other’s')
    expect((await other.execute('await task')).value).toBe('the other’s')
  })

  test('C8: if not yet sent when the session hibernates, is made when the session wakes', async () => {
    const host = new Waiting()
    await using session = await host.open()
    await session.execute('import asyncio\ntask = asyncio.create_task(wait(n=1))')
    await session.hibernate()
    expect(host.called).toBe(0)
    const running = session.execute('await task', { timeoutMs: 5000 })
    await host.answer(1, 'made')
    expect([(await running).value, host.called]).toEqual(['made', 1])
  })

  test('D9: can return an async iterable that continues in the same session after hibernation', async () => {
    await using session = await manager.createSession({
      callbacks: {
        async *stream() {
          yield 1
          yield 2
        },
      },
    })
    await session.execute('it = await stream(); first = await anext(it)')
    await session.hibernate()
    expect((await session.execute('[first] + [item async for item in it]')).value).toEqual([1, 2])
  })

  test('C8: is pending in a copy: awaiting it suspends the copy until resume gives the answer', async () => {
    const host = new Waiting()
    await using session = await host.open()
    await session.execute(BACKGROUND)
    const from = await session.snapshotState()
    await using copy = await manager.createSession({ from, callbacks: host.callbacks })
    expect(copy.pending).toMatchObject([{ name: 'wait', args: { n: 1 } }])
    const [id = ''] = copy.pending.map(({ id }) => id)
    const waiting = await copy.execute('[await task]', { timeoutMs: 5000 })
    expect(waiting).toMatchObject({ status: 'suspended', pending: [{ id }] })
    expect((await copy.resume({ results: { [id]: 'copy' } })).value).toEqual(['copy'])

    await using second = await manager.createSession({ from, callbacks: host.callbacks })
    await second.resume({ errors: { [id]: new TypeError('no') } })
    expect((await pythonErrorOf(second.execute('await task'))).type).toBe('TypeError')
    await rejectionOf(InvalidOptionError, second.resume({ results: { [id]: 1 } }))
    await host.answer(1, 'original')
    expect((await session.execute('await task')).value).toBe('original')
    expect(host.called).toBe(1)
  })

  test.each([1, 4])(
    'S1: answered during restoreState, does not reach the restored state, %i slots',
    async (slots) => {
      const own = await sharedManager({ slots })
      const answers: ((value: unknown) => void)[] = []
      await using session = await own.createSession({
        callbacks: { wait: () => new Promise((resolve) => answers.push(resolve)) },
      })
      await session.execute('import asyncio\ntask = asyncio.create_task(wait())\nawait asyncio.sleep(0.05)')
      const snapshot = await session.snapshotState()
      // The same call id in the restored state is a different call.
      const restoring = session.restoreState(snapshot)
      answers[0]?.('of the state before')
      await restoring
      expect(
        (await session.execute('await asyncio.sleep(0.01)\ntask.done()', { timeoutMs: 5000 })).status,
      ).toBe('suspended')
      const [id = ''] = session.pending.map(({ id }) => id)
      await session.resume({ results: { [id]: 'of this one' } })
      expect((await session.execute('task.result()')).value).toBe('of this one')
    },
  )
})

test('D3, D7: unanswered calls of a loop created by user code are forgotten with the state, however many', async () => {
  const host = new Waiting()
  await using session = await host.open()
  for (let round = 0; round < 6; round++) {
    await session.execute(
      py`
        import asyncio
        loop = asyncio.new_event_loop()
        async def main():
            tasks = [loop.create_task(wait(n=n)) for n in range(900)]
            await asyncio.sleep(0)
            return tasks
        tasks = loop.run_until_complete(main())
      `,
    )
    await session.clearState()
  }
  expect((await session.execute('import brumate; brumate.call_sync("echo", x=1)')).value).toBe(1)
})
