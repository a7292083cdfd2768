// The conformance suite of sessions: a block of tests is written once, and run with sessions created in every possible way.
// A mode only decides how `open` creates a session; tests must not depend on it.
import { type Session, SessionClosedError, type SessionManager, type SessionOptions } from 'brumate'
import { beforeAll, describe, onTestFinished } from 'vitest'
import { py, until } from './session-code.js'
import { sharedManager } from './shared-manager.js'

/** Makes a session that is closed when the running test ends. */
export type OpenSession = (options?: SessionOptions) => Promise<Session>

export interface SessionMode {
  readonly name: string
  /**
   * Creates the session through `create`, which closes it when the running test ends.
   *
   * @param options the test's options; `create` already applies them
   */
  open(create: OpenSession, manager: SessionManager, options: SessionOptions): Promise<Session>
}

/** Slots of the shared manager. A test has few sessions, and boots would compete for cores with what is measured. */
const SLOTS = 4

/** State that a user can leave in an interpreter without ending it. `reset` must remove all of it. */
const NASTY = py`
  import asyncio, builtins, contextlib, decimal, gc, json, os, random, signal, sys, warnings, weakref
  json.dumps = lambda *a, **k: 'monkeypatched'
  os.environ['LEFT_OVER'] = 'yes'
  os.makedirs('/tmp/left/over'); os.chdir('/tmp/left')
  _file = open('/tmp/left/file', 'w+'); _file.write('unflushed')
  os.dup2(_file.fileno(), 2)
  async def _haunt():
      while True:
          await asyncio.sleep(0.001)
          os.write(2, b'a task of another life')
  _task = asyncio.create_task(_haunt())
  await asyncio.sleep(0.002)
  decimal.getcontext().prec = 2
  random.seed(1)
  warnings.simplefilter('error')
  signal.signal(signal.SIGINT, lambda *a: None)
  sys.setrecursionlimit(300)
  sys.path.insert(0, '/nowhere'); sys.modules['csv'] = None; sys.modules['made_up'] = sys
  sys.displayhook = sys.excepthook = None
  gc.disable()
  _ring = []; _ring.append(_ring)
  builtins.left_over = [0] * 10_000
  builtins.input = None
  nasty = True
`

/** All modes use one tenant. Tests reuse each other's slots (S1). */
const TENANT = 'suite'
/** Makes the interpreter's memory grow, so that the slot gets another instance. More would only take longer. */
const GROW = 'block = bytearray(10_000_000)'

export const fresh: SessionMode = {
  name: 'fresh',
  open: (create) => create({ tenant: TENANT }),
}

/** In a slot that was renewed after another tenant's session, whose memory had grown in the first and every eighth case. */
class Renewed implements SessionMode {
  readonly name = 'in a renewed slot'
  #count = 0

  async open(create: OpenSession, manager: SessionManager): Promise<Session> {
    await until(() => manager.stats().slots.booting === 0)
    const other = await manager.createSession({ checkpoint: 'manual' })
    await other.execute(NASTY, { timeoutMs: 30_000 })
    if (this.#count++ % 8 === 0) await other.execute(GROW, { timeoutMs: 30_000 })
    await other.close()
    // The slot that was renewed last is leased first.
    await until(() => manager.stats().slots.renewing === 0)
    return create({ tenant: TENANT })
  }
}

/** After a reset. No memory has grown, so the slot is renewed in place. */
export const afterReset: SessionMode = {
  name: 'after reset',
  async open(create, manager) {
    // Otherwise a slot that still boots would be taken, instead of the one that an earlier test returned.
    await until(() => manager.stats().slots.booting === 0)
    const session = await create({ tenant: TENANT })
    await session.execute(NASTY, { timeoutMs: 30_000 })
    await session.reset()
    return session
  },
}

/**
 * Hibernates the session before each call, so that every call runs on a thawed snapshot, in another slot than the call before, whose slot
 * is still being renewed.
 */
export const thawed: SessionMode = {
  name: 'thawed before each call',
  async open(create, manager) {
    await until(() => manager.stats().slots.booting === 0)
    const other = await manager.createSession({ tenant: TENANT })
    const session = await create({ tenant: TENANT })
    await other.close()
    // So that there is something to thaw before the first call, too.
    await session.snapshotState()
    return dormantBeforeEachCall(session)
  },
}

const PUT_AWAY_BEFORE: ReadonlySet<PropertyKey> = new Set<keyof Session>([
  'execute',
  'get',
  'set',
  'clearState',
])

/** The session, which hibernates before each of those calls. */
function dormantBeforeEachCall(session: Session): Session {
  return new Proxy(session, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        if (PUT_AWAY_BEFORE.has(name)) target.hibernate().catch(unlessClosed)
        return member.apply(target, args)
      }
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

/** If a session cannot hibernate, an unhandled rejection makes its test fail. */
function unlessClosed(error: unknown): void {
  if (!(error instanceof SessionClosedError)) throw error
}

const DEFAULT_MODES: readonly SessionMode[] = [new Renewed(), afterReset, thawed]

/** Set while a test file imports others to run their tests in its own modes. */
let importersModes: readonly SessionMode[] | undefined

/**
 * Imports other test files and runs their tests in these modes. Leaves out blocks with a single mode of their own: they test the
 * interpreter, and would only run a second time. The files must not have been imported before in this process.
 */
export async function inModes(modes: readonly SessionMode[], load: () => Promise<void>): Promise<void> {
  importersModes = modes
  try {
    await load()
  } finally {
    importersModes = undefined
  }
}

/** Runs the tests once per mode, with one manager for all. */
export function describeSessions(
  title: string,
  tests: (open: OpenSession) => void,
  ownModes?: readonly SessionMode[],
): void {
  if (importersModes && ownModes?.length === 1) return
  const modes = importersModes ?? ownModes ?? DEFAULT_MODES
  describe(title, () => {
    let manager: SessionManager

    beforeAll(async () => {
      manager = await sharedManager({ slots: SLOTS })
    })

    describe.each(modes)('session $name', (mode) => {
      tests((options = {}) => {
        const create: OpenSession = async (more) => {
          const session = await manager.createSession({ ...more, ...options })
          onTestFinished(() => session.close())
          return session
        }
        return mode.open(create, manager, options)
      })
    })
  })
}
