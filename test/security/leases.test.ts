// S1, from inside Python: many tenants use the same thread one after the other, and each leaves as much behind as it can. For the next
// tenant the slot must be indistinguishable from a fresh one. LEASES=2000 runs as many leases as a release is checked with.
import { type CallbackContext, type Session, type SessionManager, TimeoutError, VfsStorage } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openManager } from '../support/manager.js'
import { py, rejectionOf } from '../support/session-code.js'
import { READ_ALL_MEMORY } from './support/forged-memory.js'

const LEASES = Number(process.env.LEASES ?? 110)
/** Every secret begins so. In what looks for it, it is written another way. */
const CANARY = 'Wombat-'
const HIDDEN = [...Buffer.from(CANARY)].map((byte) => byte ^ 0x55).join(', ')

/**
 * What a session can learn of its interpreter, as text. Addresses of new objects tell how the heap was used, and a search through all
 * memory what is in it: one place is the needle's own.
 */
const PROBE = py`
  def probe():
      import asyncio, contextvars, decimal, errno, gc, locale, os, signal, sys, threading, time, warnings
      seen = {}
      fds = []
      for fd in range(64):
          try: fds.append((fd, os.fstat(fd).st_mode, os.get_inheritable(fd)))
          except OSError: pass
      seen['fds'] = fds
      seen['next fd'] = os.open('/dev/null', 0)
      os.close(seen['next fd'])
      seen['tree'] = sorted(os.path.join(at, name) for top in ('/tmp', '/home', '/dev') for at, dirs, files in os.walk(top) for name in dirs + files)
      seen['cwd'] = os.getcwd(); mask = os.umask(0); os.umask(mask); seen['umask'] = mask
      seen['env'] = sorted(os.environ.items())
      seen['zone'] = (time.tzname, time.timezone, time.localtime(0))
      seen['clock'] = time.monotonic() < 30
      seen['signals'] = [str(signal.getsignal(n)) for n in range(1, 32)]
      seen['gc'] = (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), len(gc.get_objects()), len(gc.garbage), len(gc.callbacks))
      seen['modules'] = sorted(sys.modules)
      seen['globals'] = sorted(globals())
      seen['builtins'] = sorted(__builtins__ if isinstance(__builtins__, dict) else vars(__builtins__))
      seen['sys'] = sorted(vars(sys)), sys.path, sys.getrecursionlimit(), sys.getswitchinterval(), str(sys.gettrace()), str(sys.getprofile())
      seen['blocks'] = sys.getallocatedblocks()
      seen['interned'] = sys._is_interned('never ' + 'seen') , hasattr(sys, 'getunicodeinternedsize') and sys.getunicodeinternedsize()
      seen['types'] = len(object.__subclasses__()), len(Exception.__subclasses__())
      seen['threads'] = [thread.name for thread in threading.enumerate()]
      seen['tasks'] = len(asyncio.all_tasks()) if asyncio._get_running_loop() else 0
      seen['context'] = len(contextvars.copy_context()), decimal.getcontext().prec
      seen['warnings'] = len(warnings.filters), sorted(map(str, warnings.filters))
      seen['locale'] = locale.setlocale(locale.LC_ALL)
      seen['ids'] = [id(object()), id([]), id({}), id('x' * 100), id(lambda: 0), id(bytearray(5000))]
      needle = bytearray(byte ^ 0x55 for byte in [${HIDDEN}])
      found, at = 0, memory.find(needle, 4096, SIZE)
      while at >= 0:
          found, at = found + 1, memory.find(needle, at + 1, SIZE)
      seen['secrets'] = found
      return seen
`

const LOOK = `${READ_ALL_MEMORY}\n${PROBE}\nrepr(probe())`

interface Tenant {
  readonly session: Session
  readonly secret: string
}

/** Each leaves the secret in ways of its own. */
const DEEDS: readonly ((tenant: Tenant) => Promise<unknown>)[] = [
  ({ session, secret }) =>
    session.execute(py`
      import sys, builtins, os
      copies = ['${secret}' + str(i) for i in range(2000)]; builtins.left = sys.left = copies[0]
      sys.intern('${secret}'); os.environ['LEFT'] = '${secret}'; os.umask(0o77); sys.path.append('${secret}')
      type('${secret}', (), {})().x = 1
      globals()['${secret}'.replace('-', '_')] = 1
    `),
  // Growth of the memory: the slot gets another instance.
  ({ session, secret }) => session.execute(`block = b'${secret}' * 8_000_000; len(block)`),
  ({ session, secret }) => session.execute(`def f(n): raise ValueError('${secret}')\nf(1)`).catch(() => {}),
  async ({ session, secret }) => {
    const code = `secret = '${secret}'\nwhile True: pass`
    await rejectionOf(TimeoutError, session.execute(code, { timeoutMs: 20 }))
  },
  ({ session, secret }) =>
    session.execute(py`
      import os
      os.makedirs('/tmp/${secret}/deep'); os.chdir('/tmp/${secret}')
      kept = [open(f'/tmp/${secret}/{n}', 'w') for n in range(30)]
      for file in kept: file.write('${secret}' * 5000)
      os.dup2(kept[0].fileno(), 2); reader, writer = os.pipe(); os.write(writer, b'${secret}')
      print('${secret}' * 1000)
    `),
  ({ session, secret }) =>
    session.execute(py`
      with open('/data/${secret}', 'w') as file: file.write('${secret}' * 1000)
      kept = open('/data/${secret}'); import os; os.chdir('/data')
    `),
  async ({ session, secret }) => {
    const suspended = await session.execute(`answer = await suspends(secret='${secret}')`)
    expect(suspended.status).toBe('suspended')
  },
  async ({ session, secret }) => {
    await session.execute(
      `import asyncio\nkept = [asyncio.ensure_future(never(secret='${secret}')) for _ in range(5)]`,
    )
    await session.execute('await asyncio.sleep(0.001)')
  },
  ({ session, secret }) =>
    session.execute(py`
      import asyncio, gc, signal, warnings, decimal, threading, errno, os
      gc.disable(); gc.set_threshold(5, 5, 5); signal.signal(signal.SIGINT, lambda *a: None)
      warnings.simplefilter('error'); decimal.getcontext().prec = 3; threading.local().x = '${secret}'
      try: os.open('/${secret}', 0)
      except OSError: pass
      async def stay():
          while True: await asyncio.sleep(0.001)
      task = asyncio.create_task(stay(), name='${secret}')
      await asyncio.sleep(0.003)
    `),
  async ({ session, secret }) => {
    await session.execute(`secret = ['${secret}'] * 100`)
    const snapshot = await session.snapshotState()
    await session.execute('secret *= 2; open("/tmp/x", "w").write(secret[0])')
    await session.restoreState(snapshot)
    expect(await session.get('secret')).toHaveLength(100)
    await session.hibernate()
    expect(await session.get('secret')).toHaveLength(100)
  },
  ({ session, secret }) => session.set('secret', secret.repeat(100)),
]

describe('S1: nothing of one lease can be observed in the next', () => {
  let manager: SessionManager
  let storage: VfsStorage
  let expected: string

  beforeAll(async () => {
    // One thread: each lease follows the one before in it.
    manager = await openManager({ slots: 1 })
    storage = new VfsStorage({ maxBytes: 64 * 2 ** 20 })
    // What a slot that has just booted shows.
    const fresh = await openManager({ slots: 1, slotReuse: 'never' })
    const session = await fresh.createSession({ tenant: 'fresh' })
    expected = (await session.execute(LOOK)).value as string
    await fresh.close()
  })

  afterAll(async () => {
    await manager?.close()
    await storage?.close()
  })

  async function misbehave(lease: number): Promise<void> {
    const deed = DEEDS[lease % DEEDS.length] as (typeof DEEDS)[number]
    await using session = await manager.createSession({
      tenant: `tenant-${lease}`,
      vfs: storage,
      checkpoint: lease % 2 === 0 ? 'auto' : 'manual',
      // Time enough for an interrupt on a busy machine: what does not stop takes its thread with it.
      limits: { interruptGraceMs: 30_000 },
      env: { SECRET: `${CANARY}${lease}`, ...(lease % 3 === 0 ? { TZ: 'Asia/Tokyo' } : {}) },
      callbacks: {
        suspends: (_: unknown, { suspend }: CallbackContext) => suspend('later'),
        never: () => new Promise(() => {}),
      },
    })
    await deed({ session, secret: `${CANARY}${lease}-` })
  }

  test('control: the probe sees what is left, and secrets in memory', async () => {
    await using session = await manager.createSession({ tenant: 'control' })
    await session.execute(`import os; kept = ['${CANARY}' + str(n) for n in range(100)]; os.umask(0)`)
    const { value } = await session.execute(LOOK)
    expect(value).not.toBe(expected)
    expect(Number(/'secrets': (\d+)/.exec(String(value))?.[1])).toBeGreaterThan(100)
    expect(expected).toMatch(/'secrets': 1\b/)
  })

  test(`${LEASES} leases of alternating tenants, with everything that leaves something`, {
    timeout: 60_000 + 1500 * LEASES,
  }, async () => {
    const { boots } = manager.stats().counters
    const rss: number[] = []
    for (let lease = 0; lease < LEASES; lease++) {
      await misbehave(lease)
      await using session = await manager.createSession({ tenant: `probe-${lease}` })
      const { value } = await session.execute(LOOK)
      if (value !== expected) expect(parts(value), `after lease ${lease}`).toEqual(parts(expected))
      rss.push(process.memoryUsage.rss())
    }
    const { counters } = manager.stats()
    // Nothing here ends a thread.
    expect(counters.boots - boots).toBeLessThanOrEqual(1)
    expect(counters.crashes).toBe(0)
    expect(counters.renewals).toBeGreaterThanOrEqual(2 * LEASES - 2)
    const half = rss.length >> 1
    expect(Math.max(...rss.slice(half))).toBeLessThan(Math.max(...rss.slice(0, half)) + 48 * 2 ** 20)
  })
})

/** For a failure that can be read. */
function parts(repr: unknown): string[] {
  return String(repr).split(/, (?='[a-z ]+': )/)
}
