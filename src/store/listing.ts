// Reads the sessions of a store, page by page, and picks the matching ones. Owns the filters.
import { compareIds } from './arguments.js'
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

export interface ListFilter extends SessionFilter {
  /** Only sessions whose id comes after this one, such as the last id of an earlier page. */
  readonly after?: string
  /** Most sessions to list. Default: all. */
  readonly limit?: number
}

const MOST_PAGE = 1000

/**
 * Yields sessions in the order of their ids. Sessions that are created or deleted meanwhile may be missing.
 *
 * @throws StoreError
 */
export async function* listStored(
  ownership: Ownership,
  { tenant, prefix, labels = {}, after, limit = Number.POSITIVE_INFINITY }: ListFilter,
): AsyncGenerator<StoredSession, void, undefined> {
  const wanted = Object.entries(labels)
  let left = limit
  let size = limit
  let cursor: string | undefined
  do {
    const from = {
      limit: Math.min(MOST_PAGE, size),
      ...(prefix === undefined ? {} : { prefix }),
      ...(cursor ? { cursor } : after === undefined ? {} : { after }),
    }
    const page = await askStore(ownership, undefined, 'list', (store) => store.list(from))
    for (const session of page.sessions) {
      if (tenant !== undefined && session.tenant !== tenant) continue
      if (after !== undefined && compareIds(session.id, after) <= 0) continue
      const { outcomes, ...shown } = session
      if (!wanted.every(([name, value]) => shown.labels[name] === value)) continue
      yield shown
      if (--left === 0) return
    }
    // A filter may leave out most sessions, and a store may have ignored `after`.
    size *= 2
    cursor = page.cursor
  } while (cursor !== undefined)
}
