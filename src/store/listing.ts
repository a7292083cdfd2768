// Reads the sessions of a store, page by page, and picks the matching ones. Owns the filters.
import { askStore } from './owned-entry.js'
import type { Ownership } from './ownership.js'
import type { StoredSession } from './store.js'

export interface SessionFilter {
  /** Only sessions of this tenant. */
  readonly tenant?: string
  /** Only sessions whose id begins with this text. */
  readonly prefix?: string
  /** Only sessions that have all of these labels, with these values. */
  readonly labels?: Readonly<Record<string, string>>
}

const PAGE = 1000

/**
 * Yields sessions in the order of their ids. Sessions that are created or deleted meanwhile may be missing.
 *
 * @throws StoreError
 */
export async function* listStored(
  ownership: Ownership,
  { tenant, prefix, labels = {} }: SessionFilter,
): AsyncGenerator<StoredSession, void, undefined> {
  const wanted = Object.entries(labels)
  let cursor: string | undefined
  do {
    const from = { limit: PAGE, ...(prefix === undefined ? {} : { prefix }), ...(cursor && { cursor }) }
    const page = await askStore(ownership, undefined, 'list', (store) => store.list(from))
    for (const session of page.sessions) {
      if (tenant !== undefined && session.tenant !== tenant) continue
      const { outcomes, ...shown } = session
      if (wanted.every(([name, value]) => shown.labels[name] === value)) yield shown
    }
    cursor = page.cursor
  } while (cursor !== undefined)
}
