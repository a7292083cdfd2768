// Stored sessions that a manager cannot open as they are: of another image, damaged, or signed with another key. Each is rejected with
// advice, and stays in the store. `salvage` recovers plain values.
import { MemoryStore, type SessionManager, SnapshotError } from 'brumate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openManager } from '../../support/manager.js'
import { OTHER_IMAGE, storeOld } from '../../support/other-image.js'
import { rejectionOf } from '../../support/session-code.js'

const store = new MemoryStore()
let manager: SessionManager

beforeAll(async () => {
  manager = await openManager({ store, slots: 2 })
})
afterAll(() => manager.close())

test('a session of another image is rejected with both image ids, stays unchanged, and can be salvaged', async () => {
  const document = await storeOld(manager, store, 'foreign')
  const { reason, message } = await rejectionOf(SnapshotError, manager.openSession('foreign'))
  expect(reason).toBe('incompatible')
  expect(message).toMatch(
    new RegExp(`made with image ${OTHER_IMAGE} .*this manager has [0-9a-f]{64}; give the manager`),
  )
  await rejectionOf(SnapshotError, manager.getOrCreate('foreign'))
  const entry = await store.get('foreign')
  expect([entry?.bytes && Buffer.compare(entry.bytes, document), entry?.owner]).toEqual([0, undefined])
  const session = await manager.openSession('foreign', { salvage: true })
  expect([await session.get('x'), session.lostGlobals, session.tenant]).toEqual([41, ['f'], 'acme'])
  // Nothing is stored yet: if this process ended now, the store would still have the old state.
  expect((await store.get('foreign'))?.bytes).toEqual(document)
  await session.close()
  const again = await manager.openSession('foreign')
  expect([await again.get('x'), again.lostGlobals]).toEqual([41, []])
  await again.delete()
})

test('a session whose salvaged state cannot be captured keeps its old stored state', async () => {
  const code = 'import os; blob = os.urandom(200_000)'
  const document = await storeOld(manager, store, 'large', { code })
  const limits = { snapshotBytes: 65_536 }
  // If the old state did not stay in the store, closing the session would lose it entirely.
  const { reason } = await rejectionOf(
    SnapshotError,
    manager.openSession('large', { salvage: true, limits }).then((session) => session.close()),
  )
  expect(reason).toBe('too-large')
  const entry = await store.get('large')
  expect([entry?.bytes && Buffer.compare(entry.bytes, document), entry?.owner]).toEqual([0, undefined])
  await manager.delete('large')
})

test('createSession can salvage a snapshot', async () => {
  const from = await storeOld(manager, store, 'source')
  await rejectionOf(SnapshotError, manager.createSession({ from }))
  await using session = await manager.createSession({ from, salvage: true })
  expect([await session.get('x'), session.lostGlobals]).toEqual([41, ['f']])
  await manager.delete('source')
})

test('a damaged session is rejected and stays unchanged', async () => {
  const change = (bytes: Uint8Array) => bytes.fill(0, bytes.length - 200, bytes.length - 100)
  const document = await storeOld(manager, store, 'damaged', { change })
  const { reason } = await rejectionOf(SnapshotError, manager.openSession('damaged', { salvage: true }))
  expect(reason).toBe('corrupt')
  expect((await store.get('damaged'))?.bytes).toEqual(document)
  expect(await manager.delete('damaged')).toBe(true)
})

test('with a snapshotKey, a session that is not signed for its tenant with that key is rejected', async () => {
  const signing = await openManager({ store, slots: 1, snapshotKey: new Uint8Array(32).fill(7) })
  await storeOld(manager, store, 'unsigned', { change: (bytes) => bytes })
  const { reason } = await rejectionOf(SnapshotError, signing.openSession('unsigned', { salvage: true }))
  expect(reason).toBe('untrusted')
  const signed = await signing.createSession({ id: 'signed', tenant: 'acme' })
  await signed.execute('x = 1')
  await signed.close()
  expect(await (await signing.openSession('signed')).get('x')).toBe(1)
  await signing.close()
  const entry = await store.get('signed')
  if (entry) {
    const { bytes, generation, imageId, labels, executionCount } = entry
    await store.put('signed', bytes, { tenant: 'globex', imageId, labels, executionCount }, { generation })
  }
  const other = await openManager({ store, slots: 1, snapshotKey: new Uint8Array(32).fill(7) })
  expect(await rejectionOf(SnapshotError, other.openSession('signed'))).toMatchObject({ reason: 'untrusted' })
  await other.close()
})
