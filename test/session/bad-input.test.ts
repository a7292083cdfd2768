// Bad input is rejected with typed errors, and no state is lost.
import { ConversionError, InvalidOptionError, PythonError, type Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { managerForTest, openManager } from '../support/manager.js'
import { expectTyped, pythonErrorOf, rejection, rejectionOf } from '../support/session-code.js'

type Case = readonly [what: string, options: unknown, option: string]

const NO_TEXTS: readonly unknown[] = [1, true, null, {}, [], () => 1, Symbol('s'), 1n]

const fn = () => 1

function fail(): never {
  throw new Error('a Date has no JSON Schema')
}

function cycle(): unknown {
  const schema: Record<string, unknown> = { type: 'object' }
  schema.properties = { again: schema }
  return schema
}

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('options of a manager', () => {
  const cases: readonly Case[] = [
    ['a string for options', 'text', 'options'],
    ['null for options', null, 'options'],
    ['an array for options', [], 'options'],
    ['an unknown option', { slot: 4 }, 'slot'],
    ['slots as text', { slots: '4' }, 'slots'],
    ['no slots', { slots: 0 }, 'slots'],
    ['half a slot', { slots: 1.5 }, 'slots'],
    ['NaN slots', { slots: Number.NaN }, 'slots'],
    ['slots without end', { slots: Number.POSITIVE_INFINITY }, 'slots'],
    ['null slots', { slots: null }, 'slots'],
    ['a negative maxQueued', { maxQueued: -1 }, 'maxQueued'],
    ['a maxQueued that is an object', { maxQueued: {} }, 'maxQueued'],
    ['a negative acquireTimeoutMs', { acquireTimeoutMs: -1 }, 'acquireTimeoutMs'],
    ['an acquireTimeoutMs that setTimeout cannot keep', { acquireTimeoutMs: 2 ** 31 }, 'acquireTimeoutMs'],
    ['an idleTimeoutMs of text', { idleTimeoutMs: '60s' }, 'idleTimeoutMs'],
    ['an idleTimeoutMs that setTimeout cannot keep', { idleTimeoutMs: 2 ** 31 }, 'idleTimeoutMs'],
    ['a cacheDir that is no text', { cacheDir: 5 }, 'cacheDir'],
    ['an empty cacheDir', { cacheDir: '' }, 'cacheDir'],
    ['a cacheDir with NUL', { cacheDir: '/tmp/\0' }, 'cacheDir'],
    ['a cacheDir that has no UTF-8', { cacheDir: '/tmp/\ud800' }, 'cacheDir'],
    ['limits that are a number', { limits: 5 }, 'limits'],
    ['limits that are null', { limits: null }, 'limits'],
    ['an unknown limit', { limits: { memory: 1 } }, 'limits.memory'],
    ['a wrong limit', { limits: { memoryBytes: 1 } }, 'limits.memoryBytes'],
  ]

  test.each(cases)('%s throws an InvalidOptionError that names the option', async (_, options, option) => {
    const given =
      typeof options === 'object' && options !== null && !Array.isArray(options) ? { ...options } : options
    const error = await rejectionOf(InvalidOptionError, SessionManager.create(given as never))
    expectTyped(error, 'INVALID_OPTION')
    expect(error.option).toBe(option)
    expect(error.message).toMatch(/: expected .+, got .+|unknown option .+; known: /)
  })

  test.each([
    [{ maxMemoryMb: 512 }, /^unknown option "maxMemoryMb"; known: slots, maxQueued, /],
    [{ limits: { memory: 1 } }, /^limits: unknown option "memory"; known: executionTimeoutMs, /],
    [
      { maxMemoryBytes: 1024 },
      'maxMemoryBytes: expected an integer from 256 MiB (268435456 bytes) to 1 PiB (1125899906842624 bytes) or null, got 1024 (number)',
    ],
    [{ limits: { outputBytes: '8' } }, /integer from 0 bytes to 2 GiB \(2147483648 bytes\) or null, got "8"/],
  ])('%j is rejected with the known options and the unit', async (options, message) => {
    await expect(SessionManager.create(options as never)).rejects.toThrow(message)
  })
})

describe('secrets', () => {
  const SECRET = 'correct-horse'

  test.each<[what: string, given: unknown, described: string]>([
    ['text', SECRET, 'a string of 13 characters'],
    ['bytes of a wrong length', Buffer.from(SECRET), 'a Uint8Array of 13 bytes'],
    ['a number', 31_337, 'a number'],
    ['an array', [SECRET], 'an array'],
    ['null', null, 'null'],
  ])('a snapshotKey that is %s does not appear in the error', async (_, snapshotKey, described) => {
    const create = SessionManager.create({ snapshotKey } as never)
    const { message } = await rejectionOf(InvalidOptionError, create)
    expect(message).toBe(`snapshotKey: expected a Uint8Array of 32 bytes, got ${described}`)
  })

  test('values of environment variables do not appear in the error', async () => {
    const manager = await managerForTest({ slots: 1 })
    const wrong = [{ A: `${SECRET}\0` }, { [`A=${SECRET}`]: '' }, SECRET]
    for (const env of wrong) {
      const error = await rejectionOf(InvalidOptionError, manager.createSession({ env } as never))
      expect(error.message).toContain('got a string of')
      expect(`${error.stack}`).not.toContain(SECRET)
    }
  })
})

describe('calls', () => {
  let manager: SessionManager
  let session: Session

  beforeAll(async () => {
    manager = await openManager({ slots: 3 })
    session = await manager.createSession({ id: 'taken' })
    await session.execute('kept = 1')
  })

  afterAll(() => manager?.close())

  /** Checks that a rejected call has changed nothing; each case of this block ends with it. */
  async function expectNothingLost(): Promise<void> {
    const { executionCount } = session
    expect(await session.execute('kept')).toMatchObject({ value: 1, executionCount: executionCount + 1 })
  }

  const sessionOptions: readonly Case[] = [
    ['a string for options', 'text', 'options'],
    ['an array for options', [], 'options'],
    ['an unknown option', { timeout: 5 }, 'timeout'],
    ['null for options', null, 'options'],
    ...NO_TEXTS.map((id): Case => [`an id of ${typeof id}`, { id }, 'id']),
    ['an empty id', { id: '' }, 'id'],
    ['an id with a slash', { id: 'a/b' }, 'id'],
    ['an id that climbs', { id: '..' }, 'id'],
    ['an id with a line end', { id: 'a\n' }, 'id'],
    ['an id with NUL', { id: 'a\0' }, 'id'],
    ['an id of 129 characters', { id: 'a'.repeat(129) }, 'id'],
    ['an id beyond ASCII', { id: 'é' }, 'id'],
    ['an id that is in use', { id: 'taken' }, 'id'],
    ['an empty tenant', { tenant: '' }, 'tenant'],
    ['a tenant that is no text', { tenant: 5 }, 'tenant'],
    ['a tenant of 257 characters', { tenant: 'a'.repeat(257) }, 'tenant'],
    ['a tenant with a lone surrogate', { tenant: 'a\ud800' }, 'tenant'],
    ['a tenant that is another lone surrogate', { tenant: '\udfff' }, 'tenant'],
    ['executionTimeoutMs 0', { executionTimeoutMs: 0 }, 'executionTimeoutMs'],
    ['a negative executionTimeoutMs', { executionTimeoutMs: -1 }, 'executionTimeoutMs'],
    ['executionTimeoutMs as text', { executionTimeoutMs: '5' }, 'executionTimeoutMs'],
    ['executionTimeoutMs NaN', { executionTimeoutMs: Number.NaN }, 'executionTimeoutMs'],
    ['executionTimeoutMs Infinity', { executionTimeoutMs: Number.POSITIVE_INFINITY }, 'executionTimeoutMs'],
    ['limits that are text', { limits: 'none' }, 'limits'],
    ['limits that are null', { limits: null }, 'limits'],
    ['an unknown limit', { limits: { cpu: 1 } }, 'limits.cpu'],
    ['too little memory', { limits: { memoryBytes: 1024 } }, 'limits.memoryBytes'],
    ['more memory than WebAssembly has', { limits: { memoryBytes: 2 ** 33 } }, 'limits.memoryBytes'],
    ['negative outputBytes', { limits: { outputBytes: -1 } }, 'limits.outputBytes'],
    ['fractional fileBytes', { limits: { fileBytes: 0.5 } }, 'limits.fileBytes'],
    ['interruptGraceMs null', { limits: { interruptGraceMs: null } }, 'limits.interruptGraceMs'],
    ['onStdout that is no function', { onStdout: 'log' }, 'onStdout'],
    ['onStderr that is no function', { onStderr: {} }, 'onStderr'],
    ['env that is an array', { env: [] }, 'env'],
    ['env that is text', { env: 'A=1' }, 'env'],
    ['an env value that is a number', { env: { A: 1 } }, 'env.A'],
    ['an env value with NUL', { env: { A: 'a\0' } }, 'env.A'],
    ['an env name with =', { env: { 'A=B': '1' } }, 'env'],
    ['an empty env name', { env: { '': '1' } }, 'env'],
    ['an env name with a lone surrogate', { env: { '\udc80': '1' } }, 'env'],
    ['an env value with a lone surrogate', { env: { A: '\ud800' } }, 'env.A'],
    ['a vfsMountPath with a lone surrogate', { vfsMountPath: '/\ud800' }, 'vfsMountPath'],
    ['a time zone that there is not', { env: { TZ: 'Mars/Olympus' } }, 'env.TZ'],
    ['a rule of a time zone without an offset', { env: { TZ: 'XET,M3.5.0,M10.5.0' } }, 'env.TZ'],
    ['an environment of more than a megabyte', { env: { A: 'a'.repeat(1_000_000) } }, 'env'],
    ['a tenant that is a revoked Proxy', { tenant: revokedProxy() }, 'tenant'],
    [
      'parameters that are a function',
      { callbacks: { a: { fn, parameters: fn } } },
      'callbacks.a.parameters',
    ],
    [
      'parameters that are a Date',
      { callbacks: { a: { fn, parameters: new Date(0) } } },
      'callbacks.a.parameters',
    ],
    ['parameters in a cycle', { callbacks: { a: { fn, parameters: cycle() } } }, 'callbacks.a.parameters'],
    [
      'parameters whose library cannot tell them',
      { callbacks: { a: { fn, parameters: { '~standard': { jsonSchema: { input: fail } } } } } },
      'callbacks.a.parameters',
    ],
  ]

  test.each(sessionOptions)('createSession with %s is an InvalidOptionError', async (_, options, option) => {
    const before = manager.stats()
    const error = await rejectionOf(InvalidOptionError, manager.createSession(options as never))
    expectTyped(error, 'INVALID_OPTION')
    expect(error.option).toBe(option)
    const { counters, attached, dormant, slots } = manager.stats()
    expect({ sessions: counters.sessions, attached, dormant, leased: slots.leased }).toEqual({
      sessions: before.counters.sessions,
      attached: before.attached,
      dormant: before.dormant,
      leased: before.slots.leased,
    })
    await expectNothingLost()
  })

  const executeOptions: readonly Case[] = [
    ['options that are text', 'fast', 'options'],
    ['options that are an array', [], 'options'],
    ['options that are null', null, 'options'],
    ['an unknown option', { timeout: 5 }, 'timeout'],
    ['timeoutMs 0', { timeoutMs: 0 }, 'timeoutMs'],
    ['timeoutMs as text', { timeoutMs: '100' }, 'timeoutMs'],
    ['timeoutMs NaN', { timeoutMs: Number.NaN }, 'timeoutMs'],
    ['timeoutMs Infinity', { timeoutMs: Number.POSITIVE_INFINITY }, 'timeoutMs'],
    ['timeoutMs beyond setTimeout', { timeoutMs: 2 ** 31 }, 'timeoutMs'],
    ['a signal that is none', { signal: {} }, 'signal'],
    ['an AbortController for a signal', { signal: new AbortController() }, 'signal'],
    ['onStdout that is no function', { onStdout: true }, 'onStdout'],
    ['onStderr that is no function', { onStderr: 'x' }, 'onStderr'],
  ]

  test.each(executeOptions)('execute with %s is an InvalidOptionError', async (_, options, option) => {
    const error = await rejectionOf(InvalidOptionError, session.execute('kept = "ran"', options as never))
    expectTyped(error, 'INVALID_OPTION')
    expect(error.option).toBe(option)
    await expectNothingLost()
  })

  test.each(['resume', 'restoreState'] as const)('%s rejects null as its options', async (method) => {
    const given: readonly unknown[] = method === 'resume' ? [null] : [new Uint8Array(8), null]
    const error = await rejectionOf(
      InvalidOptionError,
      (session[method] as never as (...args: unknown[]) => Promise<unknown>).apply(session, [...given]),
    )
    expect(error.option).toBe('options')
    await expectNothingLost()
  })

  test.each([undefined, ...NO_TEXTS])('execute(%s) throws an InvalidOptionError', async (code) => {
    const error = await rejectionOf(InvalidOptionError, session.execute(code as never))
    expect(error.option).toBe('code')
    await expectNothingLost()
  })

  test('execute of more than 64 MiB of code throws an InvalidOptionError', async () => {
    const error = await rejectionOf(InvalidOptionError, session.execute('#'.repeat(64 * 1024 * 1024 + 1)))
    expect(error.option).toBe('code')
    expect(error.message.length).toBeLessThan(1000)
    await expectNothingLost()
  })

  test('code of a million statements runs or fails with a typed error, and the session stays usable', async () => {
    // With more memory it fails in the same way, but later.
    const own = await manager.createSession({ limits: { memoryBytes: 96 * 2 ** 20 } })
    const error = await own.execute('x=1\n'.repeat(1_000_000), { timeoutMs: 20_000 }).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (error !== undefined) expectTyped(error, error instanceof PythonError ? 'PYTHON' : 'TIMEOUT')
    expect((await own.execute('1')).executionCount).toBe(2)
    await own.close()
  })

  test('code with NUL or lone surrogates fails with a PythonError', async () => {
    await pythonErrorOf(session.execute('kept = 2\0'))
    await pythonErrorOf(session.execute('kept = "\udc00"'))
    await pythonErrorOf(session.execute('\ud800 = 3'))
    await expectNothingLost()
  })

  const names: readonly unknown[] = [
    '',
    ' ',
    'a b',
    '1a',
    'a.b',
    'a-b',
    'a\0',
    '\ud800',
    'a'.repeat(1001),
    ...NO_TEXTS,
    undefined,
  ]

  test.each(names)('get and set of the name %s throw InvalidOptionErrors', async (name) => {
    for (const call of [session.get(name as never), session.set(name as never, 1)]) {
      expect((await rejectionOf(InvalidOptionError, call)).option).toBe('name')
    }
    await expectNothingLost()
  })

  test.each([undefined, () => 1, Symbol('s'), new WeakMap()])(
    'set of the value %s throws a ConversionError',
    async (value) => {
      const error = await rejectionOf(ConversionError, session.set('kept', value as never))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.code).toBe('CONVERSION')
      await expectNothingLost()
    },
  )

  test('set of an object whose getter throws rejects with the error that the getter threw', async () => {
    const boom = new Error('getter')
    const hostile = {
      get a(): never {
        throw boom
      },
    }
    expect(await rejection(session.set('kept', hostile))).toBe(boom)
    await expectNothingLost()
  })

  test.each([0, -1, '5', Number.NaN, Number.POSITIVE_INFINITY, {}, undefined])(
    'executionTimeoutMs = %s throws or changes nothing',
    async (timeoutMs) => {
      const before = session.executionTimeoutMs
      const assign = () => {
        session.executionTimeoutMs = timeoutMs as never
      }
      if (timeoutMs === undefined) assign()
      else expect(assign).toThrow(InvalidOptionError)
      expect(session.executionTimeoutMs).toBe(before)
      await expectNothingLost()
    },
  )

  test('an id that was rejected as in use can be used once its session is closed', async () => {
    const first = await manager.createSession({ id: 'again' })
    await rejectionOf(InvalidOptionError, manager.createSession({ id: 'again' }))
    expect((await first.execute('1')).value).toBe(1)
    await first.close()
    const second = await manager.createSession({ id: 'again' })
    expect(second.id).toBe('again')
    await second.close()
  })

  test('of two concurrent createSession calls with one id, one is rejected', async () => {
    const both = await Promise.allSettled([
      manager.createSession({ id: 'twin' }),
      manager.createSession({ id: 'twin' }),
    ])
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    for (const made of both) if (made.status === 'fulfilled') await made.value.close()
  })

  test('options are read once, so changing the object later has no effect', async () => {
    const options = { env: { A: 'before' }, limits: { outputBytes: 10 } }
    const made = await manager.createSession(options)
    options.env.A = 'after'
    options.limits.outputBytes = 1000
    await made.reset()
    expect((await made.execute('import os; os.environ["A"]')).value).toBe('before')
    await expect(made.execute('print("x" * 100)')).rejects.toMatchObject({ max: 10 })
    await made.close()
  })
})
