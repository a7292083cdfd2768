// Behaviours D8, C8: how executions are suspended, and resumed in the same session or elsewhere.
import {
  type Callbacks,
  InvalidOptionError,
  type Session,
  type SessionManager,
  SessionSuspendedError,
  TimeoutError,
} from 'brumate'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectTyped, py, pythonErrorOf, rejectionOf, sleep } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
})

const callbacks: Callbacks = {
  approve: (_, { suspend }) => suspend('needs human approval'),
  plain: (_, { suspend }) => suspend(),
  slow: ({ ms = 30, x }) => sleep(ms).then(() => x),
  echo: ({ x }) => x,
}

const open = (): Promise<Session> => manager.createSession({ callbacks })

/** Runs the code until it is suspended. @returns ids of the pending calls, in the order of the calls */
async function suspended(session: Session, code: string): Promise<string[]> {
  const result = await session.execute(code)
  expect(result.status).toBe('suspended')
  return result.pending.map(({ id }) => id)
}

const TWO =
  'import asyncio\nprint("before")\ngot = await asyncio.gather(approve(what="a"), plain(b=2))\nprint("after")\ngot'

describe('suspend', () => {
  test('D8: execute resolves with the pending calls, their arguments and reasons; session.pending lists the same', async () => {
    await using session = await open()
    const result = await session.execute(TWO)
    expect(result).toMatchObject({
      status: 'suspended',
      stdout: 'before\n',
      value: undefined,
      repr: undefined,
      callbackInvocations: 2,
    })
    expect(result.pending).toEqual([
      { id: expect.any(String), name: 'approve', args: { what: 'a' }, reason: 'needs human approval' },
      { id: expect.any(String), name: 'plain', args: { b: 2 } },
    ])
    expect(session.pending).toEqual(result.pending)
    expect((await session.snapshotState()).manifest.pending).toEqual(result.pending)
  })

  test('D8: other running branches are awaited before the execution is suspended', async () => {
    await using session = await open()
    const startedMs = performance.now()
    const result = await session.execute(py`
      import asyncio
      log = []
      async def branch():
          log.append(await slow(ms=40, x=1))
          log.append(await slow(ms=40, x=2))
          return 'done'
      await asyncio.gather(approve(), branch())
    `)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(75)
    expect(result.pending.map(({ name }) => name)).toEqual(['approve'])
    const [id = ''] = result.pending.map(({ id }) => id)
    const end = await session.resume({ results: { [id]: 'yes' } })
    expect([end.value, await session.get('log')]).toEqual([
      ['yes', 'done'],
      [1, 2],
    ])
  })

  test('D8: a call that times out before it suspends is not pending', async () => {
    await using session = await manager.createSession({
      callbacks: {
        ...callbacks,
        later: async (_, { suspend }) => {
          await sleep(80)
          suspend()
        },
      },
      limits: { callbackTimeoutMs: 20 },
    })
    const { status, value } = await session.execute(
      'try: await later()\nexcept TimeoutError: seen = "cut"\nseen',
    )
    expect([status, value]).toEqual(['completed', 'cut'])
    await sleep(90)
    expect(session.pending).toEqual([])
  })

  test('D8: suspending another call, or with a reason that is not text, is an error in the callback', async () => {
    let kept: (() => never) | undefined
    await using session = await manager.createSession({
      callbacks: {
        keep: (_, { suspend }) => {
          kept = suspend
          return 1
        },
        foreign: () => kept?.(),
        odd: (_, { suspend }) => suspend(5 as never),
      },
    })
    const error = await pythonErrorOf(session.execute('await keep(); await foreign()'))
    expect(error.message).toContain('suspended')
    expect((await pythonErrorOf(session.execute('await odd()'))).message).toContain('reason')
    expect((await session.execute('await keep()')).value).toBe(1)
  })

  test('D8: execute on a suspended session rejects with SessionSuspendedError and is not counted', async () => {
    await using session = await open()
    const [id = ''] = await suspended(session, 'x = await approve()\nx')
    const error = await rejectionOf(SessionSuspendedError, session.execute('1'))
    expectTyped(error, 'SESSION_SUSPENDED')
    expect(session.executionCount).toBe(1)
    const end = await session.resume({ results: { [id]: 5 } })
    expect([end.value, end.executionCount]).toEqual([5, 1])
    expect((await session.execute('x + 1')).value).toBe(6)
  })

  test('D8: get and set work while the session is suspended', async () => {
    await using session = await open()
    const [id = ''] = await suspended(session, 'x = 1\ny = await approve()\n[x, y]')
    await session.set('x', 2)
    expect(await session.get('x')).toBe(2)
    expect((await session.resume({ results: { [id]: 3 } })).value).toEqual([2, 3])
  })

  test('a suspended background task waits for resume, while its execution has already completed', async () => {
    await using session = await open()
    const { status } = await session.execute(
      'import asyncio\ntask = asyncio.create_task(approve())\nawait asyncio.sleep(0.02)',
    )
    const result = status === 'suspended' ? undefined : await session.execute('await task')
    expect((result ?? session).pending.map(({ name }) => name)).toEqual(['approve'])
    const [id = ''] = session.pending.map(({ id }) => id)
    await session.resume({ results: { [id]: 'yes' } })
    expect((await session.execute('await task')).value).toBe('yes')
  })
})

describe('resume', () => {
  test('C8: with only some answers, suspends again until the other calls are answered', async () => {
    await using session = await open()
    const [first = '', second = ''] = await suspended(session, TWO)
    const between = await session.resume({ results: { [second]: 'two' } })
    expect(between).toMatchObject({
      status: 'suspended',
      stdout: '',
      pending: [{ id: first, name: 'approve' }],
    })
    const end = await session.resume({ results: { [first]: 'one' } })
    expect(end).toMatchObject({ status: 'completed', stdout: 'after\n', value: ['one', 'two'], pending: [] })
    expect(session.pending).toEqual([])
  })

  test('C8, D5: raises errors where the call was awaited, with their class', async () => {
    await using session = await open()
    const code = py`
      import brumate
      seen = []
      for n in range(3):
          try: seen.append(await approve(n=n))
          except PermissionError as error: seen.append(['refused', str(error)])
          except brumate.HostError as error: seen.append([error.name, error.message])
      seen
    `
    let [id = ''] = await suspended(session, code)
    const permission = Object.assign(new Error('not you'), { name: 'PermissionError' })
    let result = await session.resume({ errors: { [id]: permission } })
    id = result.pending[0]?.id ?? ''
    result = await session.resume({ errors: { [id]: new RangeError('odd') } })
    id = result.pending[0]?.id ?? ''
    result = await session.resume({ results: { [id]: undefined } })
    expect(result.value).toEqual([['refused', 'not you'], ['RangeError', 'odd'], null])
  })

  test.each([
    ['unknown', (id: string) => ({ results: { [id]: 1, 999999: 2 } }), 'results'],
    [
      'unknown among errors',
      (id: string) => ({ results: { [id]: 1 }, errors: { nope: new Error('x') } }),
      'errors',
    ],
    ['repeated', (id: string) => ({ results: { [id]: 1 }, errors: { [id]: new Error('x') } }), 'errors'],
    ['a name from the prototype', (id: string) => ({ results: { [id]: 1, constructor: 2 } }), 'results'],
    ['spelled differently', (id: string) => ({ results: { [`0${id}`]: 1 } }), 'results'],
    ['__proto__', (id: string) => ({ results: JSON.parse(`{"__proto__": 1, "${id}": 1}`) }), 'results'],
  ])(
    'C8: with an id that is %s, rejects with InvalidOptionError and changes nothing',
    async (_, answers, option) => {
      await using session = await open()
      const [id = '', other = ''] = await suspended(session, TWO)
      const before = session.pending
      const error = await rejectionOf(InvalidOptionError, session.resume(answers(id)))
      expectTyped(error, 'INVALID_OPTION')
      expect(error.option).toBe(option)
      expect(session.pending).toEqual(before)
      expect((await session.resume({ results: { [id]: 1, [other]: 2 } })).value).toEqual([1, 2])
    },
  )

  test('C8: rejects an id that was already answered', async () => {
    await using session = await open()
    const [id = '', other = ''] = await suspended(session, TWO)
    await session.resume({ results: { [id]: 1 } })
    await rejectionOf(InvalidOptionError, session.resume({ results: { [id]: 1 } }))
    expect((await session.resume({ results: { [other]: 2 } })).value).toEqual([1, 2])
    await rejectionOf(InvalidOptionError, session.resume({ results: { [other]: 2 } }))
  })

  test('C8: with a result that Python cannot represent, rejects with ConversionError and changes nothing', async () => {
    await using session = await open()
    const [id = '', other = ''] = await suspended(session, TWO)
    await expect(session.resume({ results: { [id]: 1, [other]: () => 1 } })).rejects.toMatchObject({
      code: 'CONVERSION',
      name: 'ConversionError',
    })
    expect(session.pending.length).toBe(2)
    expect((await session.resume({ results: { [id]: 1, [other]: 2 } })).value).toEqual([1, 2])
  })

  test('C8: when nothing is pending, or with unknown options, rejects with InvalidOptionError', async () => {
    await using session = await open()
    await rejectionOf(InvalidOptionError, session.resume({ results: {} }))
    await rejectionOf(InvalidOptionError, session.resume({ results: { 1: 1 } }))
    await rejectionOf(InvalidOptionError, session.resume({ result: {} } as never))
    await rejectionOf(InvalidOptionError, session.resume({ results: [] as never }))
    await rejectionOf(InvalidOptionError, session.resume(undefined as never))
    expect((await session.execute('1')).value).toBe(1)
  })

  test('B1: a deadline interrupts the resumed code', async () => {
    await using session = await open()
    const [id = ''] = await suspended(session, 'x = await approve()\nwhile True: pass')
    const error = await rejectionOf(TimeoutError, session.resume({ results: { [id]: 7 }, timeoutMs: 60 }))
    expect(error.outcome).toBe('interrupted')
    expect((await session.execute('x')).value).toBe(7)
  })

  test('streams the output of the resumed execution', async () => {
    await using session = await open()
    const [id = ''] = await suspended(session, TWO)
    const chunks: string[] = []
    const other = session.pending[1]?.id ?? ''
    await session.resume({ results: { [id]: 1, [other]: 2 }, onStdout: (chunk) => chunks.push(chunk) })
    expect(chunks.join('')).toBe('after\n')
  })
})

describe('what ends a suspension', () => {
  test.each([
    ['clearState', (session: Session) => session.clearState()],
    ['reset', (session: Session) => session.reset()],
  ])('D8: %s drops it and leaves a usable session', async (_, drop) => {
    await using session = await open()
    const [id = ''] = await suspended(session, 'try: await approve()\nfinally: print("left")')
    await drop(session)
    expect(session.pending).toEqual([])
    await rejectionOf(InvalidOptionError, session.resume({ results: { [id]: 1 } }))
    expect((await session.execute('"fresh", await echo(x=1)')).value).toEqual(['fresh', 1])
  })

  test('D8: restoreState replaces it with the snapshot’s state, which may be suspended too', async () => {
    await using session = await open()
    await session.execute('x = "before"')
    const idle = await session.snapshotState()
    const [id = ''] = await suspended(session, 'x = await approve(n=1)\nx')
    const frozen = await session.snapshotState()
    await session.restoreState(idle)
    expect([session.pending, (await session.execute('x')).value]).toEqual([[], 'before'])
    await session.restoreState(frozen)
    expect(session.pending).toMatchObject([
      { id, name: 'approve', args: { n: 1 }, reason: 'needs human approval' },
    ])
    await rejectionOf(SessionSuspendedError, session.execute('1'))
    expect((await session.resume({ results: { [id]: 'after' } })).value).toBe('after')
  })

  test('close() closes a suspended session', async () => {
    const session = await open()
    const [id = ''] = await suspended(session, 'await approve()')
    await session.close()
    await expect(session.resume({ results: { [id]: 1 } })).rejects.toMatchObject({ code: 'SESSION_CLOSED' })
    expect(session.pending).toEqual([])
  })
})

describe('a suspended session', () => {
  test('C8: can be hibernated, and wakes to resume', async () => {
    await using session = await open()
    const [id = '', other = ''] = await suspended(session, TWO)
    await session.hibernate()
    expect([session.state, session.pending.map(({ id }) => id)]).toEqual(['dormant', [id, other]])
    expect((await session.resume({ results: { [id]: 1, [other]: 2 } })).value).toEqual([1, 2])
    expect(session.state).toBe('attached')
  })

  test('C8: can be hibernated between any two answers', async () => {
    await using session = await open()
    let result = await session.execute('sum([await approve(n=n) for n in range(4)])')
    for (let n = 0; n < 4; n++) {
      await session.hibernate()
      const [id = ''] = result.pending.map(({ id }) => id)
      result = await session.resume({ results: { [id]: n } })
    }
    expect([result.status, result.value]).toEqual(['completed', 6])
  })

  test('C7, C8: can be restored from one snapshot many times, each copy with its own answers', async () => {
    await using session = await open()
    const [id = ''] = await suspended(session, 'got = await approve()\ngot * 2')
    const bytes = (await session.snapshotState()).toBytes()
    const values = await Promise.all(
      [1, 2, 3, 4, 5].map(async (n) => {
        await using fork = await manager.createSession({ from: bytes, callbacks })
        return (await fork.resume({ results: { [id]: n } })).value
      }),
    )
    expect(values).toEqual([2, 4, 6, 8, 10])
    expect((await session.resume({ results: { [id]: 50 } })).value).toBe(100)
  })

  test('C8: calls the new callbacks when it is resumed with different ones', async () => {
    await using session = await open()
    const [id = ''] = await suspended(session, '[await approve(), await echo(x=1)]')
    const snapshot = await session.snapshotState()
    await using other = await manager.createSession({
      from: snapshot,
      callbacks: { echo: ({ x }) => `another ${x}` },
    })
    expect((await other.resume({ results: { [id]: 'yes' } })).value).toEqual(['yes', 'another 1'])
    await using none = await manager.createSession({ from: snapshot })
    expect((await pythonErrorOf(none.resume({ results: { [id]: 'yes' } }))).type).toBe('NameError')
  })

  test('B2, C8: stays suspended if its worker is killed during a resume, and can be resumed again', async () => {
    await using session = await manager.createSession({ callbacks, limits: { interruptGraceMs: 0 } })
    const ids = await suspended(session, 'x = await approve(n=1)\nif x == "hang": sum(range(10**12))\nx')
    const [id = ''] = ids
    const error = await rejectionOf(
      TimeoutError,
      session.resume({ results: { [id]: 'hang' }, timeoutMs: 50 }),
    )
    expect(error.outcome).toBe('restored')
    expect(session.pending).toMatchObject([
      { id, name: 'approve', args: { n: 1 }, reason: 'needs human approval' },
    ])
    await rejectionOf(SessionSuspendedError, session.execute('1'))
    expect((await session.resume({ results: { [id]: 'go on' } })).value).toBe('go on')
  })

  test('D8: can have two hundred pending calls', async () => {
    await using session = await open()
    const ids = await suspended(
      session,
      'import asyncio\nawait asyncio.gather(*[approve(n=n) for n in range(200)])',
    )
    const results = Object.fromEntries(ids.map((id, n) => [id, n * n]))
    expect((await session.resume({ results })).value).toEqual(Array.from({ length: 200 }, (_, n) => n * n))
  })
})

describe('setCallbacks', () => {
  test('D7: replaces the callbacks of a live session; a running call is still answered by its old function', async () => {
    await using session = await manager.createSession({
      callbacks: { slow: () => sleep(40).then(() => 'old'), gone: () => 1 },
    })
    await session.execute('import asyncio\ntask = asyncio.create_task(slow())\nawait asyncio.sleep(0.05)')
    await session.setCallbacks({ slow: () => 'new', added: ({ n }) => n + 1 })
    expect((await session.execute('[await slow(), await added(n=1), await task]')).value).toEqual([
      'new',
      2,
      'old',
    ])
    expect((await pythonErrorOf(session.execute('gone'))).type).toBe('NameError')
    await session.reset()
    expect((await session.execute('await slow()')).value).toBe('new')
  })

  test('D7: a removed callback that Python kept raises NameError when it is called', async () => {
    await using session = await manager.createSession({ callbacks: { gone: () => 1 } })
    await session.execute('kept = gone')
    await session.setCallbacks({})
    const error = await pythonErrorOf(session.execute('await kept()'))
    expect([error.type, error.detail]).toEqual(['NameError', 'there is no callback named gone'])
  })

  test('D7, D8: on a suspended session, applies to the calls made after resume', async () => {
    await using session = await open()
    const [id = ''] = await suspended(session, '[await approve(), await echo(x=1)]')
    await session.setCallbacks({ echo: ({ x }) => x + 100 })
    expect(session.pending.map(({ id }) => id)).toEqual([id])
    expect((await session.resume({ results: { [id]: 1 } })).value).toEqual([1, 101])
  })

  test('D7: rejects invalid callbacks and keeps the current ones', async () => {
    await using session = await open()
    await rejectionOf(InvalidOptionError, session.setCallbacks({ print: () => 1 }))
    await rejectionOf(InvalidOptionError, session.setCallbacks({ ok: 5 } as never))
    expect((await session.execute('await echo(x=1)')).value).toBe(1)
  })

  test('D7: works on a dormant session', async () => {
    await using session = await open()
    await session.execute('x = 1')
    await session.hibernate()
    await session.setCallbacks({ echo: () => 'new' })
    expect((await session.execute('[x, await echo()]')).value).toEqual([1, 'new'])
  })
})
