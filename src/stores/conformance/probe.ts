// The tools of a conformance case: a store, ids that no other case uses, and helpers for common calls. Owns no cases.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { SnapshotRecord, SnapshotStore, StoredSession, StoreEntry } from '../../store/store.js'

/** Lease that expires during a case. */
export const SHORT_LEASE_MS = 300
/** Lease that never expires during a case. */
export const LONG_LEASE_MS = 600_000
/** Longest wait for a short lease to expire. Some stores' clocks count whole seconds. */
const PATIENCE_MS = 20_000

export class Probe {
  readonly #made = new Set<string>()

  constructor(
    readonly store: SnapshotStore,
    /** Prefix of every id of this case. */
    readonly namespace: string,
  ) {}

  /** An id that belongs to this case and ends with `name`. */
  id(name: string): string {
    const id = `${this.namespace}${name}`
    this.#made.add(id)
    return id
  }

  /** Creates an entry and returns its first generation. */
  async create(name: string, bytes: Uint8Array | null = bytesOf(name), record = recordOf()): Promise<number> {
    const generation = await this.store.put(this.id(name), bytes, record, { generation: 0 })
    assert.ok(generation, `put of a new entry returned ${generation}, expected its first generation`)
    return generation
  }

  async read(name: string): Promise<StoreEntry> {
    const entry = await this.store.get(this.id(name))
    assert.ok(entry, `get of ${JSON.stringify(name)} returned nothing`)
    return entry
  }

  /** All entries of this case, page by page. */
  async listAll(limit: number, prefix = this.namespace): Promise<StoredSession[]> {
    const found: StoredSession[] = []
    let cursor: string | undefined
    do {
      const page = await this.store.list({ prefix, limit, ...(cursor !== undefined && { cursor }) })
      assert.ok(
        page.sessions.length <= limit,
        `a page of at most ${limit} has ${page.sessions.length} entries`,
      )
      assert.notEqual(page.cursor ?? '', cursor, 'two pages in a row have the same cursor')
      found.push(...page.sessions)
      cursor = page.cursor
    } while (cursor !== undefined)
    return found
  }

  async untilExpired(name: string): Promise<StoreEntry> {
    const deadlineMs = performance.now() + PATIENCE_MS
    for (;;) {
      const entry = await this.read(name)
      if (entry.owner && entry.owner.remainingMs <= 0) return entry
      assert.ok(performance.now() < deadlineMs, `a lease of ${SHORT_LEASE_MS} ms has not expired`)
      await delay(20)
    }
  }

  /** Deletes the entries that the case made and that still exist. */
  async clear(): Promise<void> {
    for (const id of this.#made) {
      const entry = await this.store.get(id)
      if (entry) await this.store.delete(id, { generation: entry.generation })
    }
  }
}

export interface Check<Args extends Probe[] = [Probe]> {
  readonly name: string
  readonly check: (...probes: Args) => Promise<void>
}

export function recordOf(executionCount = 0): SnapshotRecord {
  return { tenant: 'tenant', imageId: 'image', labels: {}, executionCount }
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Fails with a short message, because a diff of megabytes does not help. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.ok(actual instanceof Uint8Array, 'bytes are not a Uint8Array')
  assert.equal(actual.length, expected.length, 'length of the bytes')
  assert.ok(
    Buffer.compare(actual, expected) === 0,
    `bytes of length ${expected.length} are not what was stored`,
  )
}
