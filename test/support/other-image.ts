// Stored sessions as an earlier version left them: of an image that no manager of the tests has.
import type { SessionManager, SnapshotStore } from 'brumate'
import { close as closeDocument, open as openDocument } from '../snapshot/support/rebuild.js'

export const OTHER_IMAGE = 'b'.repeat(64)

/** The snapshot, changed to name the other image. */
export function toOtherImage(document: Uint8Array): Uint8Array {
  const opened = openDocument(document)
  return closeDocument({ ...opened, head: { ...opened.head, imageId: OTHER_IMAGE } })
}

interface Old {
  readonly tenant?: string
  readonly labels?: Readonly<Record<string, string>>
  /** Python code that the session has run. Default: a plain value and a function. */
  readonly code?: string
  /** Change of the stored snapshot. Default: it names the other image. The record always does. */
  readonly change?: (document: Uint8Array) => Uint8Array
}

/** Stores a session of the other image. Returns the stored snapshot. */
export async function storeOld(
  manager: SessionManager,
  store: SnapshotStore,
  id: string,
  { tenant = 'acme', labels = {}, code = 'x = 41; f = lambda: 1', change = toOtherImage }: Old = {},
): Promise<Uint8Array> {
  const callbacks = { approve: (_: unknown, { suspend }: { suspend(): never }) => suspend() }
  const session = await manager.createSession({ id, tenant, labels, callbacks })
  if (code !== '') await session.execute(code)
  await session.close()
  const entry = await store.get(id)
  if (entry === undefined) throw new Error('it is not stored')
  const bytes = entry.bytes.length === 0 ? entry.bytes : new Uint8Array(change(entry.bytes))
  const record = { tenant, labels, executionCount: entry.executionCount, imageId: OTHER_IMAGE }
  await store.put(id, bytes, record, { generation: entry.generation })
  return bytes
}
