// A store in this process's memory. Owns its entries, which are lost with the process.
import { copyOf } from '../shared/copy.js'
import { checkDelete, checkId, checkList, checkPut, checkPutDelta, compareIds } from './arguments.js'
import { type ChainFacts, copyDelta, hasRoom, newBytes, resolveChain } from './delta.js'
import { described } from './described.js'
import type {
  DeleteOptions,
  ListOptions,
  PutOptions,
  SnapshotDelta,
  SnapshotRecord,
  SnapshotStore,
  StoredPage,
  StoredSession,
  StoreEntry,
} from './store.js'

interface Entry {
  readonly whole: Uint8Array
  /** Deltas behind the whole snapshot, oldest first. */
  readonly deltas: readonly SnapshotDelta[]
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
    // A copy, so that a caller who changes it does not change the store.
    return entry && { ...describe(id, entry), bytes: await resolveChain(entry.whole, entry.deltas) }
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
    if (copy) return this.#set(id, entry, { whole: copy, deltas: [] }, record, options)
    return this.#set(id, entry, entry ?? { whole: new Uint8Array(), deltas: [] }, record, options)
  }

  async putDelta(
    id: string,
    givenDelta: SnapshotDelta,
    given: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | 'whole' | undefined> {
    const { record, delta: checked } = checkPutDelta(id, givenDelta, given, options)
    const delta = await copyDelta(checked)
    const entry = this.#entries.get(id)
    if ((entry?.generation ?? 0) !== options.generation) return undefined
    if (entry === undefined || sizeOf(entry) !== delta.baseBytes || !hasRoom(chainOf(entry), newBytes(delta)))
      return 'whole'
    return this.#set(id, entry, { whole: entry.whole, deltas: [...entry.deltas, delta] }, record, options)
  }

  #set(
    id: string,
    entry: Entry | undefined,
    { whole, deltas }: Pick<Entry, 'whole' | 'deltas'>,
    record: SnapshotRecord,
    { owner }: PutOptions,
  ): number {
    const nowMs = Date.now()
    const generation = (entry?.generation ?? this.#deletedGeneration) + 1
    this.#entries.set(id, {
      whole,
      deltas,
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
  const { whole: _, deltas: __, record, ...facts } = entry
  return described({ ...facts, id, record: structuredClone(record), sizeBytes: sizeOf(entry) }, Date.now())
}

function sizeOf({ whole, deltas }: Entry): number {
  return deltas.at(-1)?.sizeBytes ?? whole.length
}

function chainOf({ whole, deltas }: Entry): ChainFacts {
  const deltaBytes = deltas.reduce((sum, delta) => sum + newBytes(delta), 0)
  return { wholeBytes: whole.length, deltas: deltas.length, deltaBytes }
}
