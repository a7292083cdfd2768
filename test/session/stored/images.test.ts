// Stored sessions that a manager cannot have as they are: of another image, damaged, or of another key. Each is refused with what to do, and
// stays in the store. `salvage` brings plain values back.
import { MemoryStore, type SessionManager, SnapshotError } from 'brumate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { close as closeDocument, open as openDocument } from '../../snapshot/support/rebuild.js'
import { openManager } from '../../support/manager.js'
import { rejectionOf } from '../../support/session-code.js'

const OTHER_IMAGE = 'b'.repeat(64)
const store = new MemoryStore()
let manager: SessionManager

beforeAll(async () => {
  manager = await openManager({ store, slots: 2 })
})
afterAll(() => manager.close())

/** A stored session whose snapshot is changed in the store. */
async function stored(id: string, change: (document: Uint8Array) => Uint8Array): Promise<Uint8Array> {
  const session = await manager.createSession({ id, tenant: 'acme' })
  await session.execute('x = 41; f = lambda: 1')
  await session.close()
  const entry = await store.get(id)
  if (entry === undefined) throw new Error('it is not stored')
  const { bytes, generation, tenant, labels, executionCount } = entry
  const changed = new Uint8Array(change(bytes))
  await store.put(id, changed, { tenant, labels, executionCount, imageId: OTHER_IMAGE }, { generation })
  return changed
}

function toOtherImage(document: Uint8Array): Uint8Array {
  const opened = openDocument(document)
  return closeDocument({ ...opened, head: { ...opened.head, imageId: OTHER_IMAGE } })
}

test('a session of another image is refused by name, stays as it is, and can be salvaged', async () => {
  const document = await stored('foreign', toOtherImage)
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

test('createSession salvages a snapshot, too', async () => {
  const from = await stored('source', toOtherImage)
  await rejectionOf(SnapshotError, manager.createSession({ from }))
  await using session = await manager.createSession({ from, salvage: true })
  expect([await session.get('x'), session.lostGlobals]).toEqual([41, ['f']])
  await manager.delete('source')
})

test('a damaged session is refused and stays as it is', async () => {
  const document = await stored('damaged', (bytes) => bytes.fill(0, bytes.length - 200, bytes.length - 100))
  const { reason } = await rejectionOf(SnapshotError, manager.openSession('damaged', { salvage: true }))
  expect(reason).toBe('corrupt')
  expect((await store.get('damaged'))?.bytes).toEqual(document)
  expect(await manager.delete('damaged')).toBe(true)
})

test('with a snapshotKey, a session that was not signed with it for its tenant is refused', async () => {
  const signing = await openManager({ store, slots: 1, snapshotKey: new Uint8Array(32).fill(7) })
  await stored('unsigned', (bytes) => bytes)
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
