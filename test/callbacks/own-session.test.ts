// Calls that a callback makes to its own session, which is waiting for it: those that would deadlock fail at once.
import {
  type CallbackContext,
  type Callbacks,
  DeadlockError,
  type Session,
  type SessionManager,
} from 'brumate'
import { beforeAll, describe, expect, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
})

type Use = (session: Session, context: CallbackContext) => unknown

/** Creates a session whose callback `use` runs the given function, and records its result or error. */
async function using(use: Use, callbacks: Callbacks = {}) {
  let answer: { readonly value?: unknown; readonly error?: unknown } = {}
  const session = await manager.createSession({
    // Without limits a deadlock never ends, so the test would fail by its own time limit.
    limits: { callbackTimeoutMs: null, executionTimeoutMs: null },
    callbacks: {
      ...callbacks,
      use: async (_, context) => {
        try {
          answer = { value: await use(context.session, context) }
        } catch (error) {
          answer = { error }
        }
      },
    },
  })
  const execute = async (code: string) => {
    await session.execute(code)
    return answer
  }
  return { session, execute, [Symbol.asyncDispose]: () => session.close() }
}

const AWAITED = 'x = 1\nawait use()\ny = 2'
const BLOCKING = 'import brumate\nx = 1\nbrumate.call_sync("use")\ny = 2'

const WAITING: Readonly<Record<string, Use>> = {
  execute: (session) => session.execute('z = 3'),
  get: (session) => session.get('x'),
  set: (session) => session.set('z', 3),
  reset: (session) => session.reset(),
  clearState: (session) => session.clearState(),
  hibernate: (session) => session.hibernate(),
  setCallbacks: (session) => session.setCallbacks({}),
  restoreState: async (session) => {
    await using other = await manager.createSession()
    return session.restoreState(await other.snapshotState())
  },
  resume: (session) => session.resume({}),
}

const BETWEEN: Readonly<Record<string, Use>> = {
  'files.writeFile': (session) => session.files.writeFile('/tmp/a', 'a'),
  'files.readFile': (session) => session.files.list('/tmp'),
  snapshotState: (session) => session.snapshotState(),
}

describe('a callback that awaits its own session', () => {
  test.each(Object.entries(WAITING))(
    '%s fails at once with DeadlockError, and the execution goes on',
    async (_, use) => {
      await using used = await using(use)
      for (const code of [AWAITED, BLOCKING]) {
        const { error } = await used.execute(code)
        expect(error).toBeInstanceOf(DeadlockError)
        expect(error).toMatchObject({ code: 'DEADLOCK', message: expect.stringContaining('session.files') })
        expect((error as Error).stack).toContain('own-session.test')
      }
      expect(await used.session.get('y')).toBe(2)
      expect((await used.session.execute("'z' in globals()")).value).toBe(false)
    },
  )

  test.each(Object.entries(BETWEEN))('%s works if Python awaits the callback', async (_, use) => {
    await using used = await using(use)
    expect(await used.execute(AWAITED)).not.toHaveProperty('error')
  })

  test.each(Object.entries(BETWEEN))(
    '%s fails at once with DeadlockError if Python blocks',
    async (_, use) => {
      await using used = await using(use)
      const { error } = await used.execute(BLOCKING)
      expect(error).toBeInstanceOf(DeadlockError)
      expect((error as Error).message).toContain('Await the callback in Python')
      const inLoop = await used.execute('import asyncio\nasyncio.run(use())')
      expect(inLoop.error).toBeInstanceOf(DeadlockError)
    },
  )

  test('is detected through any reference to the session and any kind of await', async () => {
    let own: Session | undefined
    await using used = await using(async () => {
      await new Promise(setImmediate)
      return Promise.all([1].map(() => own?.execute('z = 3')))
    })
    own = used.session
    expect((await used.execute(AWAITED)).error).toBeInstanceOf(DeadlockError)
  })

  test('is detected in a step of an async generator and in onInput', async () => {
    let error: unknown
    const attempt = (session: Session) =>
      session.execute('1').catch((reason: unknown) => {
        error = reason
      })
    await using session = await manager.createSession({
      callbacks: {
        rows: async function* (_, { session }) {
          yield 1
          await attempt(session)
          yield 2
        },
      },
      onInput: async (_, { session }) => {
        await attempt(session)
        return 'line'
      },
    })
    expect((await session.execute('[row async for row in rows()]')).value).toEqual([1, 2])
    expect(error).toBeInstanceOf(DeadlockError)
    error = undefined
    expect((await session.execute('input()')).value).toBe('line')
    expect(error).toBeInstanceOf(DeadlockError)
  })

  test('is detected across another session', async () => {
    let own: Session | undefined
    let error: unknown
    await using other = await manager.createSession({
      callbacks: {
        back: () =>
          own?.execute('z = 3').catch((reason: unknown) => {
            error = reason
          }),
      },
    })
    await using used = await using(() => other.execute('await back()'))
    own = used.session
    expect(await used.execute(AWAITED)).not.toHaveProperty('error')
    expect(error).toBeInstanceOf(DeadlockError)
    // Unrelated sessions may call each other.
    own = await manager.createSession()
    expect(await used.execute(AWAITED)).not.toHaveProperty('error')
    expect(await own.get('z')).toBe(3)
    await own.close()
  })

  test('can call interrupt() and close(), and use other sessions', async () => {
    await using used = await using((session) => session.interrupt())
    await expect(used.session.execute(AWAITED)).rejects.toThrow('KeyboardInterrupt')
    await using blocked = await using((session) => session.interrupt())
    await expect(blocked.session.execute(BLOCKING)).rejects.toThrow('KeyboardInterrupt')
    await using closing = await using((session) => session.close())
    await expect(closing.session.execute(AWAITED)).rejects.toMatchObject({ code: 'SESSION_CLOSED' })
    await using another = await manager.createSession()
    await using calls = await using(() => another.execute('1 + 1'))
    expect((await calls.execute(AWAITED)).value).toMatchObject({ value: 2 })
  })
})

describe('calls that no callback waits for are queued as usual', () => {
  test('made by another part of the program', async () => {
    let arrived = () => {}
    const inCallback = new Promise<void>((resolve) => {
      arrived = resolve
    })
    let leave = () => {}
    const queued = new Promise<void>((resolve) => {
      leave = resolve
    })
    await using used = await using(() => {
      arrived()
      return queued
    })
    const running = used.execute(AWAITED)
    await inCallback
    const later = used.session.execute('y')
    leave()
    expect((await later).value).toBe(2)
    expect(await running).not.toHaveProperty('error')
  })

  test('started by a callback that does not await them, or made after it has returned', async () => {
    const later: Promise<unknown>[] = []
    await using session = await manager.createSession({
      callbacks: {
        starts: (_, { session }) => {
          later.push(session.get('y'))
        },
        startsAsync: async (_, { session }) => {
          await null
          later.push(session.get('y'))
        },
        remembers: (_, { session }) => {
          setTimeout(() => later.push(session.get('y')), 20)
        },
      },
    })
    await session.execute('await starts()\nawait startsAsync()\ny = 2')
    await session.execute(
      'import asyncio, brumate\nbrumate.call_sync("starts")\nawait remembers()\nawait asyncio.sleep(0.1)',
    )
    expect(await Promise.all(later)).toEqual([2, 2, 2, 2])
  })

  test('made by a callback whose call has timed out', async () => {
    let late: Promise<unknown> | undefined
    await using session = await manager.createSession({
      limits: { callbackTimeoutMs: 20 },
      callbacks: {
        slow: (_, { session, signal }) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              late = session.get('y')
              resolve(late)
            })
          }),
      },
    })
    await session.execute('try:\n  await slow()\nexcept TimeoutError:\n  y = 2')
    expect(await late).toBe(2)
  })
})
