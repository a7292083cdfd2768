// One manager's use of a store as a whole: it creates, takes and finds entries. Owns the manager's identity in the store. owned-entry.ts
// owns a session's own entry.
import { randomUUID } from 'node:crypto'
import { SessionOwnedError } from '../shared/errors.js'
import { Observer } from '../telemetry/observer.js'
import { askStore, findStored, OwnedEntry, type Owner } from './owned-entry.js'
import type { SnapshotRecord, SnapshotStore, StoredSession, StoreEntry } from './store.js'

/** The stored bytes of a session without a snapshot, which starts with a fresh interpreter. */
export const NO_SNAPSHOT = new Uint8Array(0)

export interface Taken<T> {
  readonly entry: OwnedEntry
  /** The record as stored. */
  readonly record: SnapshotRecord
  readonly accepted: T
}

export class Ownership implements Owner {
  readonly store: SnapshotStore
  readonly id = randomUUID()
  readonly leaseMs: number
  readonly observer: Observer

  constructor(store: SnapshotStore, leaseMs: number, observer = new Observer()) {
    this.store = store
    this.leaseMs = leaseMs
    this.observer = observer
  }

  /**
   * Creates an entry. Returns undefined if there already is one.
   *
   * @throws StoreError
   */
  async create(id: string, bytes: Uint8Array, record: SnapshotRecord): Promise<OwnedEntry | undefined> {
    return this.#put(id, bytes, record, 0)
  }

  /**
   * Takes a stored session. Returns undefined if there is none.
   *
   * @param accept called first; it throws if this manager cannot use the session, and then nothing is changed
   * @throws SessionOwnedError, StoreError, what `accept` throws
   */
  async take<T>(
    id: string,
    takeOver: boolean,
    accept: (stored: StoreEntry) => T,
  ): Promise<Taken<T> | undefined> {
    for (;;) {
      const stored = await this.read(id)
      if (stored === undefined) return undefined
      this.requireFree(stored, takeOver)
      const accepted = accept(stored)
      const { tenant, imageId, labels, executionCount, outcomes, generation } = stored
      const record = { tenant, imageId, labels, executionCount, outcomes }
      const entry = await this.#put(id, null, record, generation)
      // Otherwise another manager was faster: check again who owns the session.
      if (entry) return { entry, record, accepted }
    }
  }

  /**
   * Finds a stored session, without its snapshot.
   *
   * @throws StoreError
   */
  find(id: string): Promise<StoredSession | undefined> {
    return findStored(this, id)
  }

  /**
   * Reads a stored session with its snapshot, whoever owns it.
   *
   * @throws StoreError
   */
  read(id: string): Promise<StoreEntry | undefined> {
    return askStore(this, id, 'read', (store) => store.get(id))
  }

  /**
   * Deletes a session that no other manager owns. Returns false if there is none.
   *
   * @throws SessionOwnedError, StoreError
   */
  async delete(id: string): Promise<boolean> {
    for (;;) {
      const stored = await this.find(id)
      if (stored === undefined) return false
      this.requireFree(stored, false)
      const { generation, tenant } = stored
      if (await askStore(this, id, 'delete', (store) => store.delete(id, { generation }))) {
        this.observer.emit('session', () => ({ type: 'deleted', sessionId: id, tenant }))
        return true
      }
    }
  }

  /** @throws SessionOwnedError if another manager owns it and `takeOver` is false */
  requireFree({ id, owner }: StoredSession, takeOver: boolean): void {
    if (takeOver || owner === undefined || owner.id === this.id || owner.remainingMs <= 0) return
    throw new SessionOwnedError(id, owner.id, owner.expiresAt)
  }

  async #put(
    id: string,
    bytes: Uint8Array | null,
    record: SnapshotRecord,
    generation: number,
  ): Promise<OwnedEntry | undefined> {
    const writtenMs = performance.now()
    const owner = { id: this.id, leaseMs: this.leaseMs }
    const written = await askStore(this, id, 'write', (store) =>
      store.put(id, bytes, record, { generation, owner }),
    )
    return written === undefined ? undefined : new OwnedEntry(this, id, written, writtenMs)
  }
}
