// R3, S3: Python code makes the kernel describe its session wrongly. A snapshot of that session is refused with a typed error, the
// session continues, and `reset()` repairs it.
import { type Session, type SessionManager, Snapshot, SnapshotError } from 'brumate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openManager } from '../support/manager.js'
import { rejectionOf } from '../support/session-code.js'

let manager: SessionManager
beforeAll(async () => {
  manager = await openManager({ slots: 2 })
})
afterAll(() => manager?.close())

/** Makes the kernel describe its session with these two expressions. */
const says = (description: string, values = `b'\\x80'`) => `
import sys
sys.modules['_brumate.kernel'].describe = lambda *args: (${description}, ${values})
`

/** An empty description, except for one key. */
const described = (key: string, value: string) => {
  const parts = { globals: `b'\\x90'`, pending: `b'\\x90'`, [key]: value }
  const members = Object.entries(parts).map(
    ([name, bytes]) => `b'\\x${(0xa0 + name.length).toString(16)}${name}' + ${bytes}`,
  )
  return `b'\\x82' + ${members.join(' + ')}`
}

const CALL = `b'\\x83\\xa2id\\x05\\xa4name\\xa1f\\xa4args\\x80'`

const LIES: readonly [what: string, code: string][] = [
  ['nothing', says(`b''`)],
  ['what is not MessagePack', says(`b'\\xc1'`)],
  ['something else than a map', says(`b'\\x90'`)],
  ['text that is not UTF-8', says(described('globals', `b'\\x91\\xa1\\xff'`))],
  [
    'a size that is not a count',
    says(
      described('globals', `b'\\x91\\x84\\xa4name\\xa1a\\xa4type\\xa1b\\xa4repr\\xa1c\\xa9sizeBytes\\xff'`),
    ),
  ],
  ['two host calls with one id', says(described('pending', `b'\\x92' + ${CALL} + ${CALL}`))],
  [
    'a host call with a negative id',
    says(described('pending', `b'\\x91\\x83\\xa2id\\xff\\xa4name\\xa1f\\xa4args\\x80'`)),
  ],
  ['more bytes than it may', says(`b'\\xc6' + (2 << 20).to_bytes(4, 'big') + bytes(2 << 20)`)],
  [
    'more values than it may',
    says(described('globals', `b'\\xdd' + (900_000).to_bytes(4, 'big') + b'\\x90' * 900_000`)),
  ],
  [
    'values of unknown kinds',
    says(described('globals', `b'\\x90'`), `b'\\x81\\xa1v\\x82\\x00\\xa3odd\\x01\\xc0'`),
  ],
  ['a prototype among the values', says(described('globals', `b'\\x90'`), `b'\\x81\\xa9__proto__\\x80'`)],
  [
    'a set that takes for ever to make',
    says(
      described('globals', `b'\\x90'`),
      `b'\\x81\\xa1v\\x82\\x00\\xa3set\\x01\\xdd' + (50_000).to_bytes(4, 'big') + b''.join(b'\\x82\\x00\\xa3int\\x01\\xb6' + str((i << 64) + 5).zfill(22)[:22].encode() for i in range(50_000))`,
    ),
  ],
  ['an error', says(`1 / 0`)],
]

test.each(LIES)('no snapshot is taken if the kernel describes its session with %s', async (_, lie) => {
  await using session = await manager.createSession({ checkpoint: 'manual' })
  await session.execute(`kept = 41\n${lie}`)
  for (const attempt of [() => session.snapshotState(), () => session.hibernate()]) {
    const error = await rejectionOf(SnapshotError, attempt())
    expect([error.reason, error.message]).toEqual(['not-captured', expect.stringContaining('reset()')])
    expect(await session.get('kept')).toBe(41)
  }
  expect(session.state).toBe('attached')
  await session.reset()
  await session.execute('fresh = 1')
  expect((await session.snapshotState()).globals()).toEqual({ fresh: 1 })
})

test('checkpoints of such a session are refused and counted, and the session continues', async () => {
  await using own = await openManager({ slots: 1, idleTimeoutMs: 0 })
  const session: Session = await own.createSession()
  await session.execute(`kept = 1\n${says(`b'\\xc1'`)}`)
  const before = own.stats().counters
  for (let i = 2; i <= 20; i++) expect((await session.execute(`kept += 1; kept`)).value).toBe(i)
  const { checkpoints, refusedCheckpoints, crashes, hibernations } = own.stats().counters
  expect(refusedCheckpoints).toBeGreaterThan(before.refusedCheckpoints)
  expect([checkpoints, crashes, hibernations]).toEqual([before.checkpoints, 0, before.hibernations])
  expect(session.state).toBe('attached')
})

test('globals and keys named __proto__ are missing from globals(), but the snapshot restores them', async () => {
  await using session = await manager.createSession({ checkpoint: 'manual' })
  await session.execute('__proto__ = 1; record = {"__proto__": 1}; kept = {"a": 1}; constructor = 2')
  const bytes = (await session.snapshotState()).toBytes()
  expect(Snapshot.fromBytes(bytes).globals()).toEqual({ kept: { a: 1 }, constructor: 2 })
  await session.restoreState(bytes)
  expect((await session.execute('__proto__ == 1 and record == {"__proto__": 1}')).value).toBe(true)
})

test('a host call’s arguments may be nested too deeply for the manifest, which then omits them', async () => {
  await using session = await manager.createSession({
    checkpoint: 'manual',
    callbacks: { ask: (_, { suspend }) => suspend('\ud800 why') },
  })
  const code = 'deep = 1\nfor _ in range(300): deep = [deep]\nawait ask(deep=deep)'
  expect((await session.execute(code)).status).toBe('suspended')
  const { manifest } = Snapshot.fromBytes((await session.snapshotState()).toBytes())
  expect(manifest.pending).toMatchObject([{ name: 'ask', args: {}, reason: '\ufffd why' }])
})
