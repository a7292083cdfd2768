// manager.salvageStore: which sessions are salvaged, which losses are reported, and that a failure leaves the old state.
import { type SalvageProgress, type SessionManager, Snapshot, type SnapshotRecord, StoreError } from 'brumate'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openManager } from '../../support/manager.js'
import { OTHER_IMAGE, storeOld, toOtherImage } from '../../support/other-image.js'
import { ScriptedStore } from '../../support/scripted-store.js'
import { rejection } from '../../support/session-code.js'

const store = new ScriptedStore()
let manager: SessionManager
let other: SessionManager

beforeAll(async () => {
  const options = { store, slots: 2, limits: { snapshotBytes: 65_536 } }
  ;[manager, other] = await Promise.all([openManager(options), openManager({ store, slots: 2 })])
})
afterAll(async () => {
  await Promise.all([manager.close(), other.close()])
})
beforeEach(async () => {
  for await (const { id } of manager.list()) await manager.delete(id)
})

const SUSPENDED = `
x = 41
def f(): pass
open('notes.txt', 'w').write('text')
await approve(amount=5)`

const UNSTOPPABLE = `
while True:
    try:
        while True: pass
    except BaseException: pass`

test('sessions of other images get the new one, the report names each loss, and a second run finds nothing', async () => {
  await storeOld(other, store, 'old-1', { labels: { plan: 'pro' } })
  await storeOld(other, store, 'old-2', { code: SUSPENDED })
  await storeOld(other, store, 'old-3', { code: 'x = 41' })
  await storeOld(other, store, 'old-4', { code: '' })
  const current = await other.createSession({ id: 'current' })
  await current.execute('f = lambda: 5')
  await current.close()
  const before = await store.get('current')

  const dry = await manager.salvageStore({ dryRun: true })
  expect((await store.get('old-1'))?.imageId).toBe(OTHER_IMAGE)
  const progress: SalvageProgress[] = []
  const result = await manager.salvageStore({ onProgress: (one) => progress.push(one) })
  expect(dry).toEqual(result)
  const nothing = { globals: [], files: [], pendingCalls: [] }
  const [session, path] = [{ tenant: 'acme', fromImage: OTHER_IMAGE }, expect.stringMatching(/\/notes.txt$/)]
  expect(result).toEqual({
    salvaged: [
      { id: 'old-1', ...session, lost: { ...nothing, globals: ['f'] } },
      { id: 'old-2', ...session, lost: { globals: ['f'], files: [path], pendingCalls: ['approve'] } },
      { id: 'old-3', ...session, lost: nothing },
      { id: 'old-4', ...session, lost: nothing },
    ],
    skipped: [],
    failed: [],
    current: 1,
  })
  expect(progress.at(-1)).toEqual({ seen: 5, salvaged: 4, skipped: 0, failed: 0 })
  expect(await store.get('current')).toEqual(before)

  const opened = await other.openSession('old-1')
  expect([await opened.get('x'), opened.labels, opened.tenant]).toEqual([41, { plan: 'pro' }, 'acme'])
  await opened.close()
  const again = await manager.salvageStore()
  expect([again.salvaged, again.current]).toEqual([[], 5])
})

test('a session that a manager owns is skipped and reported, unless it is taken over', async () => {
  await storeOld(other, store, 'busy')
  await storeOld(other, store, 'mine')
  const busy = await other.openSession('busy', { salvage: true })
  const mine = await manager.openSession('mine', { salvage: true })
  for (const dryRun of [true, false]) {
    const { salvaged, skipped } = await manager.salvageStore({ dryRun })
    expect(salvaged).toEqual([])
    expect(skipped).toEqual([
      { id: 'busy', tenant: 'acme', ownerId: expect.any(String), expiresAt: expect.any(Date) },
      { id: 'mine', tenant: 'acme', ownerId: undefined, expiresAt: undefined },
    ])
  }
  expect((await store.get('busy'))?.imageId).toBe(OTHER_IMAGE)
  const { salvaged, skipped } = await manager.salvageStore({ takeOver: true })
  expect([salvaged.map(({ id }) => id), skipped.map(({ id }) => id)]).toEqual([['busy'], ['mine']])
  await busy.close().catch(() => {})
  await mine.close()
})

test('filters select sessions by tenant, prefix, label and image', async () => {
  await storeOld(other, store, 'a-1', { tenant: 'acme' })
  await storeOld(other, store, 'a-2', { tenant: 'globex', labels: { plan: 'pro' } })
  await storeOld(other, store, 'b-1', { tenant: 'globex' })
  const chosen = async (options: Parameters<SessionManager['salvageStore']>[0]) =>
    (await manager.salvageStore({ dryRun: true, ...options })).salvaged.map(({ id }) => id)
  expect(await chosen({ tenant: 'globex' })).toEqual(['a-2', 'b-1'])
  expect(await chosen({ prefix: 'a-' })).toEqual(['a-1', 'a-2'])
  expect(await chosen({ labels: { plan: 'pro' } })).toEqual(['a-2'])
  expect(await chosen({ fromImages: ['c'.repeat(64)] })).toEqual([])
  expect(await chosen({ fromImages: [OTHER_IMAGE], prefix: 'b' })).toEqual(['b-1'])
})

test('a session that fails keeps its old state, the others are salvaged, and a later run can salvage it', async () => {
  const code = 'import os; blob = os.urandom(200_000)'
  const large = await storeOld(other, store, 'large', { code })
  await storeOld(other, store, 'small')
  const damage = (bytes: Uint8Array) => bytes.fill(0, bytes.length - 200, bytes.length - 100)
  const damaged = await storeOld(other, store, 'damaged', { change: damage })
  const { salvaged, failed } = await manager.salvageStore()
  expect(salvaged.map(({ id }) => id)).toEqual(['small'])
  expect(failed).toMatchObject([
    { id: 'damaged', tenant: 'acme', error: { reason: 'corrupt' } },
    { id: 'large', tenant: 'acme', error: { reason: 'too-large' } },
  ])
  for (const [id, bytes] of [['large', large] as const, ['damaged', damaged] as const]) {
    const entry = await store.get(id)
    const same = entry !== undefined && Buffer.compare(entry.bytes, bytes) === 0
    expect([same, entry?.imageId, entry?.owner]).toEqual([true, OTHER_IMAGE, undefined])
  }
  expect((await other.salvageStore({ prefix: 'large' })).salvaged).toMatchObject([{ id: 'large' }])
  const session = await other.openSession('large')
  expect(await session.get('blob')).toHaveLength(200_000)
  await session.close()
})

test.each(['fail', 'fail-late'] as const)('nothing is lost if the last write has fault %s', async (fault) => {
  const old = await storeOld(other, store, 'unlucky')
  // The first write takes the lease, the second stores the session.
  store.script('put', undefined, fault)
  const { failed } = await manager.salvageStore()
  expect(failed).toMatchObject([{ id: 'unlucky', error: { code: 'STORE' } }])
  const entry = await store.get('unlucky')
  if (fault === 'fail') expect(entry?.bytes).toEqual(old)
  const { salvaged, current } = await manager.salvageStore()
  expect([salvaged.length, current]).toEqual(fault === 'fail' ? [1, 0] : [0, 1])
  const session = await other.openSession('unlucky')
  expect(await session.get('x')).toBe(41)
  await session.close()
})

test('the report contains the error that ended it early, and what was done until then', async () => {
  for (let i = 0; i < 5; i++) await storeOld(other, store, `s-${i}`)
  store.script('list', 'fail')
  expect(await manager.salvageStore()).toMatchObject({
    salvaged: [],
    stopped: { error: expect.any(StoreError) },
  })
  const controller = new AbortController()
  const aborted = await manager.salvageStore({
    concurrency: 1,
    signal: controller.signal,
    onProgress: ({ seen }) => seen === 2 && controller.abort(new Error('enough')),
  })
  expect(aborted.salvaged.map(({ id }) => id)).toEqual(['s-0', 's-1'])
  expect(aborted.stopped?.error).toMatchObject({ message: 'enough' })
  const mistake = new Error('a mistake of the caller')
  const thrown = await manager.salvageStore({
    concurrency: 2,
    onProgress: ({ seen }) => {
      // The first two sessions have been salvaged by the run before.
      if (seen === 3) throw mistake
    },
  })
  expect(thrown.stopped).toEqual({ error: mistake })
  const rest = await manager.salvageStore()
  expect(rest.stopped).toBeUndefined()
  expect(thrown.salvaged.length).toBeGreaterThan(0)
  expect(thrown.salvaged.length + rest.salvaged.length).toBe(3)
})

test('a session that lost its worker is stored with its values, and is not salvaged if it could not wake for that', async () => {
  const lose = async (id: string) => {
    const session = await other.createSession({ id, checkpoint: 'auto', limits: { interruptGraceMs: 50 } })
    await session.execute('x = 41')
    // Immediately, because a later checkpoint would list the globals.
    const lost = await rejection(session.execute(UNSTOPPABLE, { timeoutMs: 50 }))
    expect(lost).toMatchObject({ outcome: 'restored' })
    return session
  }
  const toOther = async (id: string) => {
    const entry = await store.get(id)
    if (entry === undefined) throw new Error('it is not stored')
    const { generation, owner: _, bytes, ...record } = entry
    await store.put(id, toOtherImage(bytes), { ...record, imageId: OTHER_IMAGE }, { generation })
  }
  const woken = await lose('woken')
  await woken.close()
  const asleep = await lose('asleep')
  await asleep.hibernate()
  const undescribed = Snapshot.fromBytes((await store.get('asleep'))?.bytes as Uint8Array)
  expect(undescribed.globals()).toEqual({})
  await asleep.close()
  for (const id of ['woken', 'asleep'])
    expect(Snapshot.fromBytes((await store.get(id))?.bytes as Uint8Array).globals()).toEqual({ x: 41 })

  const entry = await store.get('asleep')
  await store.put('asleep', undescribed.toBytes(), entry as SnapshotRecord, {
    generation: entry?.generation as number,
  })
  for (const id of ['woken', 'asleep']) await toOther(id)
  for (const dryRun of [true, false]) {
    const { salvaged, failed } = await manager.salvageStore({ dryRun })
    expect(salvaged.map(({ id }) => id)).toEqual(['woken'])
    expect(failed).toMatchObject([{ id: 'asleep', error: { code: 'SNAPSHOT', reason: 'incompatible' } }])
  }
  const refused = manager.openSession('asleep', { salvage: true })
  expect(await rejection(refused)).toMatchObject({
    message: expect.stringContaining('does not list the globals'),
  })
  expect((await store.get('asleep'))?.imageId).toBe(OTHER_IMAGE)
})

test('a caller that opens a session while it is being salvaged waits, and then owns it', async () => {
  for (let i = 0; i < 4; i++) await storeOld(other, store, `s-${i}`)
  const wanted = ['s-0', 's-1', 's-2', 's-3']
  const asked: Promise<unknown>[] = []
  const salvaging = manager.salvageStore()
  const stop = manager.on('session', ({ sessionId }) => {
    if (asked.length === wanted.length || !wanted.includes(sessionId)) return
    asked.push(
      manager.getOrCreate(sessionId).then(async (session) => {
        expect(manager.get(sessionId)).toBe(session)
        const { value } = await session.execute('x')
        await session.close()
        return value
      }),
    )
    wanted.splice(wanted.indexOf(sessionId), 1, '')
  })
  const { salvaged, failed } = await salvaging
  stop()
  expect([salvaged.length, failed]).toEqual([4, []])
  expect(asked.length).toBe(4)
  expect(await Promise.all(asked)).toEqual([41, 41, 41, 41])
})

test.each([
  [{ concurrency: 0 }, 'concurrency: expected an integer from 1 to 1024, got 0 (number)'],
  [{ fromImages: [] }, 'fromImages: expected an array of 1 to 100 ids of images'],
  [{ dryrun: true }, 'did you mean `dryRun`?'],
])('options %j are rejected', async (options, message) => {
  expect(await rejection(manager.salvageStore(options as object))).toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining(message),
  })
})
