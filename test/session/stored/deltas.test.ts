// D1 to D3 for large sessions: data that a checkpoint leaves unchanged is neither packed nor written again, and a session opened by
// another manager is the same as if everything had been. Small sessions are always written whole.
import {
  type ExecuteResult,
  InterpreterCrashedError,
  MemoryStore,
  NotStoredError,
  type PutOptions,
  type Session,
  type SessionManager,
  Snapshot,
  type SnapshotDelta,
  type SnapshotRecord,
  type SnapshotStore,
  StoreError,
  TimeoutError,
} from 'brumate'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openManager } from '../../support/manager.js'
import { rejectionOf } from '../../support/session-code.js'
import { sharedManager } from '../../support/shared-manager.js'

/** Enough for a few deltas, and for many. */
const [LARGE_BYTES, VERY_LARGE_BYTES] = [1_500_000, 3_000_000]
const withData = (bytes: number) => `import random; large = random.randbytes(${bytes}); n = 0`
const LARGE = withData(LARGE_BYTES)
/** Python code whose value covers everything that these tests change. */
const STATE = `
import hashlib, os, zlib
files = {name: zlib.crc32(open(name, 'rb').read()) for name in sorted(os.listdir('.'))}
repr((n, zlib.crc32(large), files, {k: v for k, v in sorted(globals().items()) if k.startswith('extra') and len(v) < 100}))`

type Put = [string, Uint8Array | null, SnapshotRecord, PutOptions]
type PutDelta = [string, SnapshotDelta, SnapshotRecord, PutOptions]

/** Records the kind and size of each write. */
class CountingStore extends MemoryStore {
  readonly writes: { readonly kind: 'whole' | 'delta'; readonly bytes: number }[] = []
  /** Called instead of the next delta write. */
  onDelta:
    | ((write: () => Promise<number | 'whole' | undefined>) => Promise<number | 'whole' | undefined>)
    | undefined

  override async put(...args: Put) {
    const generation = await super.put(...args)
    if (args[1]?.length && generation !== undefined)
      this.writes.push({ kind: 'whole', bytes: args[1].length })
    return generation
  }

  override async putDelta(...args: PutDelta) {
    const { onDelta } = this
    this.onDelta = undefined
    const write = () => super.putDelta(...args)
    const written = await (onDelta ? onDelta(write) : write())
    const bytes = args[1].parts.reduce(
      (sum, part) => (part instanceof Uint8Array ? sum + part.length : sum),
      0,
    )
    if (typeof written === 'number') this.writes.push({ kind: 'delta', bytes })
    return written
  }

  takeWrites() {
    return this.writes.splice(0)
  }
}

/** One store and two of its managers for all tests but those that need options: a boot costs more than most tests. */
const store = new CountingStore()
let manager: SessionManager
let other: SessionManager
let reader: SessionManager
beforeAll(async () => {
  const options = { store, slots: 1, durability: 'checkpoint' } as const
  ;[manager, other, reader] = await Promise.all([
    openManager(options),
    openManager(options),
    sharedManager({ slots: 1 }),
  ])
})
afterAll(() => Promise.all([manager.close(), other.close()]))
beforeEach(() => {
  store.takeWrites()
})

async function managerWith(store: SnapshotStore, options = {}): Promise<SessionManager> {
  const manager = await openManager({ store, slots: 1, durability: 'checkpoint', ...options })
  onTestFinished(() => manager.close())
  return manager
}

/** The state that another manager finds in the store while this one owns the session. */
async function storedState(store: SnapshotStore, id: string): Promise<unknown> {
  const entry = await store.get(id)
  await using session = await reader.createSession({
    from: Snapshot.fromBytes(entry?.bytes ?? new Uint8Array()),
  })
  return await state(session)
}

const state = async (session: Session) => (await session.execute(STATE)).value

test('after any change the stored session is the same, and a small change writes few bytes', async () => {
  const session = await manager.createSession({ id: 'exact', limits: { interruptGraceMs: 5_000 } })
  await session.execute(withData(VERY_LARGE_BYTES))
  expect(store.takeWrites().map(({ kind }) => kind)).toEqual(['whole'])
  const steps: [string, number][] = [
    ['n += 1', 200_000],
    ['extra = list(range(50))', 200_000],
    ['large = large[:1_000_000] + bytes([7]) + large[1_000_001:]', 2 * VERY_LARGE_BYTES],
    ['open("data", "wb").write(random.randbytes(600_000)); n += 1', 1_000_000],
    ['f = open("data", "r+b"); f.seek(300_000); f.write(b"changed"); f.flush()', 750_000],
    ['n += 1', 200_000],
    // The deltas so far are together about as long as the snapshot, so this write may be whole.
    ['grown = random.randbytes(2_000_000); n += 1', 3 * VERY_LARGE_BYTES],
    ['del grown; n += 1', 300_000],
    ['os.remove("data"); n += 1', 300_000],
  ]
  await session.execute('import os')
  for (const [code, mostBytes] of steps) {
    store.takeWrites()
    await session.execute(code)
    const bytes = store.takeWrites().reduce((sum, write) => sum + write.bytes, 0)
    expect([code, bytes < mostBytes]).toEqual([code, true])
  }
  // One execution is interrupted and one loses its worker, so the next ones run in another worker.
  await rejectionOf(
    TimeoutError,
    session.execute('import time; n += 100; time.sleep(60)', { timeoutMs: 300 }),
  )
  await rejectionOf(InterpreterCrashedError, session.execute('n += 1000; os.abort()'))
  await session.execute('n += 1')
  await session.execute('n += 1')
  const expected = await state(session)
  expect(expected).toMatch(/^\(10[78], /)
  expect(await storedState(store, 'exact')).toBe(expected)
  const snapshot = await session.snapshotState()
  expect(Buffer.compare(Snapshot.fromBytes(snapshot.toBytes()).toBytes(), snapshot.toBytes())).toBe(0)
  await session.close()
  const again = await other.openSession('exact')
  expect(await state(again)).toBe(expected)
  // The fork starts from a snapshot whose blocks come from several captures.
  const fork = await other.createSession({ from: snapshot })
  expect(await state(fork)).toBe(expected)
  await fork.delete()
  await again.delete()
})

test('pending calls are stored as a delta, and can be resumed elsewhere', async () => {
  const approve = (_: unknown, { suspend }: { suspend(reason?: string): never }) => suspend('asks')
  const session = await manager.createSession({ id: 'waits', callbacks: { approve } })
  await session.execute(LARGE)
  await session.execute('n += 1')
  store.takeWrites()
  const suspended = await session.execute('n = (n, await approve(amount=5)); n')
  expect([suspended.status, store.takeWrites()]).toMatchObject(['suspended', [{ kind: 'delta' }]])
  const [{ id } = { id: '' }] = suspended.pending
  const entry = await store.get('waits')
  await using copy = await reader.createSession({
    from: Snapshot.fromBytes(entry?.bytes ?? new Uint8Array()),
    callbacks: { approve },
  })
  expect((await copy.resume({ results: { [id]: 'yes' } })).value).toEqual([1, 'yes'])
  expect((await session.resume({ results: { [id]: 'no' } })).value).toEqual([1, 'no'])
  await session.delete()
})

test('a session that was woken, opened or restored writes only deltas', async () => {
  const session = await manager.createSession({ id: 'loaded' })
  await session.execute(LARGE)
  await session.hibernate()
  await session.execute('n += 1')
  await session.close()
  const again = await other.openSession('loaded')
  await again.execute('n += 1')
  await again.execute('n += 1')
  await again.restoreState(await again.snapshotState())
  await again.execute('n += 1')
  expect(store.takeWrites().map(({ kind }) => kind)).toEqual([
    'whole',
    'delta',
    'delta',
    'delta',
    'delta',
    'delta',
  ])
  const expected = await state(again)
  expect(expected).toMatch(/^\(4, /)
  expect(await storedState(store, 'loaded')).toBe(expected)
  await again.delete()
})

test('chains are bounded, and start again with a whole snapshot', async () => {
  const session = await manager.createSession({ id: 'chain' })
  await session.execute(withData(VERY_LARGE_BYTES))
  for (let i = 0; i < 36; i++) await session.execute('n += 1')
  const kinds = store.takeWrites().map(({ kind }) => kind)
  expect(kinds.length).toBe(37)
  expect(kinds.filter((kind) => kind === 'whole').length).toBe(2)
  // After 32 deltas, or sooner if the deltas have as many bytes as the snapshot they start from.
  expect(kinds.lastIndexOf('whole')).toBeLessThanOrEqual(33)
  // Unreferenced blocks are not kept forever.
  expect(manager.stats().memory.snapshotBytes).toBeLessThan(2.5 * VERY_LARGE_BYTES)
  expect(await storedState(store, 'chain')).toBe(await state(session))
  await session.delete()
  expect(manager.stats().memory.snapshotBytes).toBe(0)
})

test('with a key, a chain is signed as a whole, and a changed byte in it is detected', async () => {
  const [store, snapshotKey] = [new CountingStore(), new Uint8Array(32).fill(1)]
  const manager = await managerWith(store, { snapshotKey })
  const session = await manager.createSession({ id: 'signed' })
  await session.execute(LARGE)
  for (let i = 0; i < 3; i++) await session.execute('n += 1')
  expect(store.takeWrites().map(({ kind }) => kind)).toEqual(['whole', 'delta', 'delta', 'delta'])
  const expected = await state(session)
  await session.close()
  const other = await managerWith(store, { snapshotKey })
  const again = await other.openSession('signed')
  expect(await state(again)).toBe(expected)
  await again.close()
  // An attacker with write access to the store changes one byte deep in the body; the slot that loads it detects that.
  const { bytes, generation, tenant, imageId } = (await store.get('signed')) as NonNullable<
    Awaited<ReturnType<typeof store.get>>
  >
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  await store.put('signed', bytes, { tenant, imageId, labels: {}, executionCount: 4 }, { generation })
  await expect(other.openSession('signed').then((opened) => opened.execute('n'))).rejects.toMatchObject({
    name: 'SnapshotError',
    reason: 'corrupt',
  })
})

describe('every write is whole', () => {
  test('to a store that does not support deltas', async () => {
    const inner = new CountingStore()
    const store: SnapshotStore = {
      get: (id) => inner.get(id),
      put: (...args) => inner.put(...args),
      delete: (...args) => inner.delete(...args),
      list: (options) => inner.list(options),
    }
    const manager = await managerWith(store)
    const session = await manager.createSession({ id: 'whole' })
    await session.execute(LARGE)
    for (let i = 0; i < 2; i++) await session.execute('n += 1')
    expect(inner.takeWrites().map(({ kind, bytes }) => [kind, bytes > LARGE_BYTES])).toEqual(
      Array(3).fill(['whole', true]),
    )
    expect(await storedState(store, 'whole')).toBe(await state(session))
  })

  test('for small sessions', async () => {
    const session = await manager.createSession({ id: 'small' })
    for (let i = 0; i < 3; i++) await session.execute(`n = ${i}`)
    expect(store.takeWrites().map(({ kind }) => kind)).toEqual(['whole', 'whole', 'whole'])
    await session.delete()
  })
})

describe('a delta that fails', () => {
  const unavailable = () => new StoreError('the line is cut')
  test.each<[string, (write: () => Promise<unknown>) => Promise<never>]>([
    [
      'and was not written',
      async () => {
        throw unavailable()
      },
    ],
    [
      'and was written',
      async (write) => {
        await write()
        throw unavailable()
      },
    ],
  ])('%s is followed by a whole snapshot', async (_, onDelta) => {
    const session = await manager.createSession({ id: 'fails' })
    await session.execute(LARGE)
    await session.execute('n += 1')
    store.takeWrites()
    store.onDelta = onDelta
    const error = await rejectionOf(NotStoredError, session.execute('n += 1; n'))
    expect((error.result as ExecuteResult).value).toBe(2)
    await session.execute('n += 1')
    await session.execute('n += 1')
    expect(store.takeWrites().map(({ kind }) => kind)).toEqual(['whole', 'delta'])
    const expected = await state(session)
    expect(expected).toMatch(/^\(4, /)
    expect(await storedState(store, 'fails')).toBe(expected)
    await session.delete()
  })
})
