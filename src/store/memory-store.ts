// A store in this process's memory. Owns its entries; they end with the process.
import { copyOf } from '../shared/copy.js'
import { checkDelete, checkId, checkList, checkPut, compareIds } from './arguments.js'
import { described } from './described.js'
import type {
  DeleteOptions,
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

/** Keeps sessions in memory, for as long as the store is referenced. The default. */
export class MemoryStore implements SnapshotStore {
  readonly #entries = new Map<string, Entry>()
  /** Highest generation of any entry that was deleted: new entries start above it. */
  #deletedGeneration = 0

  async get(id: string): Promise<StoreEntry | undefined> {
    checkId(id)
    const entry = this.#entries.get(id)
    // A copy: what a caller does to it must not change what is stored.
    return entry && { ...describe(id, entry), bytes: await copyOf(entry.bytes) }
  }

  async put(
    id: string,
    bytes: Uint8Array | null,
    given: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | undefined> {
    const record = checkPut(id, bytes, given, options)
    const copy = bytes && (await copyOf(bytes))
    const entry = this.#entries.get(id)
    if ((entry?.generation ?? 0) !== options.generation) return undefined
    const { owner } = options
    const nowMs = Date.now()
    const generation = (entry?.generation ?? this.#deletedGeneration) + 1
    this.#entries.set(id, {
      bytes: copy ?? entry?.bytes ?? new Uint8Array(),
      record,
      generation,
      createdAtMs: entry?.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
      owner: owner && { id: owner.id, expiresAtMs: nowMs + owner.leaseMs },
    })
    return generation
  }

  async delete(id: string, options: DeleteOptions): Promise<boolean> {
    checkDelete(id, options)
    const { generation } = options
    if (this.#entries.get(id)?.generation !== generation) return false
    this.#deletedGeneration = Math.max(this.#deletedGeneration, generation)
    return this.#entries.delete(id)
  }

  async list(options?: ListOptions): Promise<StoredPage> {
    const { prefix, cursor, limit } = checkList(options)
    const ids = [...this.#entries.keys()]
      .filter((id) => id.startsWith(prefix) && (cursor === undefined || compareIds(id, cursor) > 0))
      .sort(compareIds)
    const page = ids.slice(0, limit)
    const sessions = page.flatMap((id) => {
      const entry = this.#entries.get(id)
      return entry ? [describe(id, entry)] : []
    })
    const last = page.at(-1)
    return ids.length > limit && last !== undefined ? { sessions, cursor: last } : { sessions }
  }
}

function describe(id: string, entry: Entry): StoredSession {
  const { bytes, record, ...facts } = entry
  return described({ ...facts, id, record: structuredClone(record), sizeBytes: bytes.length }, Date.now())
}
