// `maxMemoryBytes` for users: what is rejected and with which error, what keeps working, and that all memory is returned.
// test/security/max-memory.test.ts checks that the process stays within it.
import { LimitError, type Session, SessionManager, SnapshotError } from 'brumate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MIN_MEMORY_BYTES } from '../../src/memory/manager-memory.js'
import { NEW_SLOT_BYTES } from '../../src/memory/slot-lease.js'
import { openManager } from '../support/manager.js'

const MiB = 2 ** 20
const LIMITS = {
  memoryBytes: 1024 * MiB,
  fileBytes: 1024 * MiB,
  outputBytes: 512 * MiB,
  executionTimeoutMs: 60_000,
}
const FILL = 'kept = []\ntry:\n  while True: kept.append(bytearray(1 << 20))\nexcept MemoryError: pass'

let manager: SessionManager
beforeAll(async () => {
  manager = await openManager({
    slots: 4,
    maxMemoryBytes: 384 * MiB,
    acquireTimeoutMs: 2_000,
    limits: LIMITS,
  })
})
afterAll(() => manager?.close())

const memory = () => manager.stats().memory
/** Waits until ended slots have returned their memory, and the remaining ones hold no more than new slots. */
async function settled(): Promise<void> {
  for (;;) {
    const { slots } = manager.stats()
    const count = slots.booting + slots.ready + slots.parked + slots.renewing + slots.leased
    if (slots.leased === 0 && memory().slotBytes <= count * NEW_SLOT_BYTES) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
const rejection = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )
const open = (options = {}): Promise<Session> => manager.createSession({ checkpoint: 'manual', ...options })

test.each([MIN_MEMORY_BYTES - 1, 0.5, '1 GB'])('%s is not a valid maxMemoryBytes', async (maxMemoryBytes) => {
  const error = await rejection(SessionManager.create({ maxMemoryBytes: maxMemoryBytes as number }))
  expect(error).toMatchObject({ code: 'INVALID_OPTION', option: 'maxMemoryBytes' })
})

test.each([
  ['memory', 'kept = []\nwhile True: kept.append(bytearray(1 << 20))', { type: 'MemoryError' }],
  ['files', "f = open('/tmp/f', 'wb')\nwhile True: f.write(bytes(1 << 20))", { type: 'OSError' }],
  [
    'nodes',
    "import os\nheld = bytearray(40 << 20)\nn = 0\nwhile True:\n  os.symlink('x' * 4000, f'/tmp/{n:0200}'); n += 1",
    { type: 'OSError' },
  ],
  ['output', "while True: print('x' * (1 << 20))", { code: 'LIMIT', limit: 'maxMemoryBytes' }],
])('unlimited %s ends in an error within the bound, and the session goes on', async (_, code, expected) => {
  await using session = await open()
  await session.execute('before = 1')
  expect(await rejection(session.execute(code))).toMatchObject(expected)
  expect(memory().usedBytes).toBeLessThanOrEqual(384 * MiB)
  expect((await session.execute('kept = f = held = None; before')).value).toBe(1)
})

test('a checkpoint that does not fit is rejected, and the previous one stays valid', async () => {
  await using session = await manager.createSession()
  await session.execute('x = 1')
  const first = await session.snapshotState()
  const fill = FILL.replace('bytearray(1 << 20)', 'random.randbytes(1 << 20)')
  const { value: count } = await session.execute(`import random\n${fill}\nlen(kept)`)
  const error = await rejection(session.snapshotState())
  expect(error).toBeInstanceOf(SnapshotError)
  expect(error).toMatchObject({ reason: 'not-captured', message: expect.stringContaining('maxMemoryBytes') })
  const refused = await rejection(session.hibernate())
  expect(refused).toBeInstanceOf(SnapshotError)
  expect(session.state).toBe('attached')
  expect((await session.execute('x, len(kept)')).value).toEqual([1, count])
  expect(await rejection(session.execute('import os; os.abort()'))).toMatchObject({ outcome: 'restored' })
  expect((await session.execute("x, 'kept' in globals()")).value).toEqual([1, false])
  expect(memory().snapshotBytes).toBeLessThan(2 * first.size + MiB)
})

test('a session that does not fit is rejected, and idle sessions make room for others', async () => {
  await settled()
  const sessions: Session[] = []
  try {
    // A spare slot that was still booting while the first session filled its memory can take one more session, which is then filled too.
    let error: unknown
    while (error === undefined) {
      error = await rejection(open().then((session) => sessions.push(session)))
      if (error === undefined) await fillAndStayBusy(sessions.at(-1))
    }
    expect(error).toBeInstanceOf(LimitError)
    expect(error).toMatchObject({ limit: 'maxMemoryBytes', max: 384 * MiB, outcome: 'not-started' })
    const full = sessions.length
    for (const session of sessions) await session.interrupt()
    // Nothing runs in them any more, so they hibernate to make room for the next sessions, and those do the same.
    for (let n = 0; n < 4; n++) {
      const session = await open()
      sessions.push(session)
      await session.execute(`n = ${n}`)
    }
    expect(manager.stats().dormant).toBeGreaterThan(0)
    for (let n = 0; n < 4; n++) expect(await sessions[full + n]?.get('n')).toBe(n)
  } finally {
    // The next test waits until no slot is leased, so close all sessions.
    await Promise.all(sessions.map((session) => session.close()))
  }
})

/** Resolves when the session has taken all the memory it can get. It keeps running, so it cannot be hibernated. */
async function fillAndStayBusy(session: Session | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const code = `${FILL}\nprint('full')\nimport time\ntime.sleep(60)`
    session?.execute(code, { onStdout: () => resolve() }).catch(reject)
  })
}

test('however sessions end, the account returns all their bytes', async () => {
  const ways = [
    (session: Session) => session.execute('x = bytearray(60 << 20)'),
    (session: Session) => session.execute("print('x' * (4 << 20))"),
    (session: Session) => session.execute('import os; os.abort()'),
    (session: Session) => session.execute('while True: pass', { timeoutMs: 50 }),
    (session: Session) =>
      session
        .execute("x = bytes(range(256)) * 40_000; open('/tmp/f', 'wb').write(x)")
        .then(() => session.hibernate()),
    async (session: Session) => {
      await session.execute("open('/tmp/f', 'wb').write(bytes(30 << 20))")
      await session.restoreState(await session.snapshotState())
    },
    (session: Session) => session.reset(),
  ]
  for (const way of ways) {
    await using session = await open({ tenant: 'one' })
    await rejection(way(session))
  }
  await settled()
  expect(memory()).toMatchObject({ snapshotBytes: 0, valueBytes: 0 })
})

test('a snapshot is counted once, for as long as any session holds it', async () => {
  await settled()
  const first = await open()
  await first.execute('import random; x = random.randbytes(1 << 20)')
  const snapshot = await first.snapshotState()
  const { snapshotBytes } = memory()
  expect(snapshotBytes).toBeGreaterThan(MiB)
  const fork = await open({ from: snapshot })
  expect(memory().snapshotBytes).toBe(snapshotBytes)
  await first.close()
  expect(memory().snapshotBytes).toBe(snapshotBytes)
  await fork.reset()
  expect(memory().snapshotBytes).toBe(0)
  await fork.close()
})
