// What tenants leave behind in a slot, and what the next tenant can see of it. Owns both lists; the tests own the sessions.
import { type Session, TimeoutError } from 'brumate'
import { expect } from 'vitest'
import { py, rejectionOf } from '../../support/session-code.js'
import { readAllMemory } from './forged-memory.js'

/** Prefix of every secret. Code that searches for it spells it in another way. */
export const CANARY = 'Wombat-'
export const HIDDEN = [...Buffer.from(CANARY)].map((byte) => byte ^ 0x55).join(', ')

/**
 * Everything that a session can observe about its interpreter, as text. Addresses of new objects show how the heap was used, and a search
 * through all memory finds secrets; one match is the search pattern itself.
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

/** Code that evaluates to the whole report as text. @param memoryBytes how far the search goes */
export function look(memoryBytes?: number): string {
  return `${readAllMemory(memoryBytes)}\n${PROBE}\nrepr(probe())`
}

export interface Tenant {
  readonly session: Session
  readonly secret: string
}

/** Each deed leaves the secret behind in its own ways. */
export const DEEDS: readonly ((tenant: Tenant) => Promise<unknown>)[] = [
  ({ session, secret }) =>
    session.execute(py`
      import sys, builtins, os
      copies = ['${secret}' + str(i) for i in range(2000)]; builtins.left = sys.left = copies[0]
      sys.intern('${secret}'); os.environ['LEFT'] = '${secret}'; os.umask(0o77); sys.path.append('${secret}')
      type('${secret}', (), {})().x = 1
      globals()['${secret}'.replace('-', '_')] = 1
    `),
  // The memory grows, so the slot needs another instance.
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

/** Splits a report into lines, for readable failures. */
export function parts(repr: unknown): string[] {
  return String(repr).split(/, (?='[a-z ]+': )/)
}
