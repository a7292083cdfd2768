// Stored sessions that a manager cannot have as they are: of another image, damaged, or of another key. Each is refused with what to do, and
// stays in the store. `salvage` brings plain values back.
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

test('a session of another image is refused by name, stays as it is, and can be salvaged', async () => {
  const document = await storeOld(manager, store, 'foreign')
  const { reason, message } = await rejectionOf(SnapshotError, manager.openSession('foreign'))
  expect(reason).toBe('incompatible')
  expect(message).toMatch(
    new RegExp(`made with image ${OTHER_IMAGE} .*this manager has [0-9a-f]{64}; give the manager`),
  )
  await rejectionOf(SnapshotError, manager.getOrCreate('foreign'))
  const entry = await store.get('foreign')
  expect([entry?.bytes, entry?.owner]).toEqual([document, undefined])
  const session = await manager.openSession('foreign', { salvage: true })
  expect([await session.get('x'), session.lostGlobals, session.tenant]).toEqual([41, ['f'], 'acme'])
  // Nothing is stored yet: if this process ended now, the old state would still be there.
  expect((await store.get('foreign'))?.bytes).toEqual(document)
  await session.close()
  const again = await manager.openSession('foreign')
  expect([await again.get('x'), again.lostGlobals]).toEqual([41, []])
  await again.delete()
})

test('a session whose salvaged state cannot be captured keeps its old state in the store', async () => {
  const code = 'import os; blob = os.urandom(200_000)'
  const document = await storeOld(manager, store, 'large', { code })
  const limits = { snapshotBytes: 65_536 }
  // Otherwise closing it would leave nothing at all.
  const { reason } = await rejectionOf(
    SnapshotError,
    manager.openSession('large', { salvage: true, limits }).then((session) => session.close()),
  )
  expect(reason).toBe('too-large')
  const entry = await store.get('large')
  expect([entry?.bytes, entry?.owner]).toEqual([document, undefined])
  await manager.delete('large')
})

test('createSession salvages a snapshot, too', async () => {
  const from = await storeOld(manager, store, 'source')
  await rejectionOf(SnapshotError, manager.createSession({ from }))
  await using session = await manager.createSession({ from, salvage: true })
  expect([await session.get('x'), session.lostGlobals]).toEqual([41, ['f']])
  await manager.delete('source')
})

test('a damaged session is refused and stays as it is', async () => {
  const change = (bytes: Uint8Array) => bytes.fill(0, bytes.length - 200, bytes.length - 100)
  const document = await storeOld(manager, store, 'damaged', { change })
  const { reason } = await rejectionOf(SnapshotError, manager.openSession('damaged', { salvage: true }))
  expect(reason).toBe('corrupt')
  expect((await store.get('damaged'))?.bytes).toEqual(document)
  expect(await manager.delete('damaged')).toBe(true)
})

test('with a snapshotKey, a session that was not signed with it for its tenant is refused', async () => {
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
