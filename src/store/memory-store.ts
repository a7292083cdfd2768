// A store in this process's memory. Owns its entries; they end with the process.
import { copyOf } from '../shared/copy.js'
import type {
  ListOptions,
  PutOptions,
  SnapshotRecord,
  SnapshotStore,
  StoredPage,
  StoredSession,
  StoreEntry,
} from './store.js'

interface Entry {
  readonly bytes: Uint8Array
  readonly record: SnapshotRecord
  readonly generation: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly owner: { readonly id: string; readonly expiresAtMs: number } | undefined
}

const DEFAULT_PAGE = 100
const LONGEST_PAGE = 1000

/** Keeps sessions in memory, for as long as the store is referenced. The default. */
export class MemoryStore implements SnapshotStore {
  readonly #entries = new Map<string, Entry>()

  async get(id: string): Promise<StoreEntry | undefined> {
    const entry = this.#entries.get(id)
    // A copy: what a caller does to it must not change what is stored.
    return entry && { ...describe(id, entry), bytes: await copyOf(entry.bytes) }
  }

  async put(
    id: string,
    bytes: Uint8Array | null,
    record: SnapshotRecord,
    { generation, owner }: PutOptions,
  ): Promise<number | undefined> {
    const copy = bytes && (await copyOf(bytes))
    const entry = this.#entries.get(id)
    if ((entry?.generation ?? 0) !== generation) return undefined
    const nowMs = Date.now()
    this.#entries.set(id, {
      bytes: copy ?? entry?.bytes ?? new Uint8Array(),
      record: structuredClone(record),
      generation: generation + 1,
      createdAtMs: entry?.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
      owner: owner && { id: owner.id, expiresAtMs: nowMs + owner.leaseMs },
    })
    return generation + 1
  }

  async delete(id: string, { generation }: { readonly generation: number }): Promise<boolean> {
    if (this.#entries.get(id)?.generation !== generation) return false
    return this.#entries.delete(id)
  }

  async list({ prefix = '', cursor, limit = DEFAULT_PAGE }: ListOptions = {}): Promise<StoredPage> {
    const size = Math.min(limit, LONGEST_PAGE)
    const ids = [...this.#entries.keys()]
      .filter((id) => id.startsWith(prefix) && (cursor === undefined || compare(id, cursor) > 0))
      .sort(compare)
    const page = ids.slice(0, size)
    const sessions = page.flatMap((id) => {
      const entry = this.#entries.get(id)
      return entry ? [describe(id, entry)] : []
    })
    const last = page.at(-1)
    return ids.length > size && last !== undefined ? { sessions, cursor: last } : { sessions }
  }
}

function describe(id: string, entry: Entry): StoredSession {
  const { record, generation, createdAtMs, updatedAtMs, owner } = entry
  return {
    ...structuredClone(record),
    id,
    generation,
    createdAt: new Date(createdAtMs),
    updatedAt: new Date(updatedAtMs),
    sizeBytes: entry.bytes.length,
    ...(owner && {
      owner: {
        id: owner.id,
        expiresAt: new Date(owner.expiresAtMs),
        remainingMs: owner.expiresAtMs - Date.now(),
      },
    }),
  }
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
