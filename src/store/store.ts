// The interface of a store of sessions: snapshots by session id, each with a record and a generation. Owns the interface and the types of
// its entries. Users may write their own stores; `storeConformance` of `brumate/stores/conformance` tests them.

/** The manager that has a session attached. Until its lease expires, others need `takeOver` to take the session. */
export interface SessionOwner {
  /** Id of the owning manager, globally unique. */
  readonly id: string
  /** When the lease expires unless it is renewed, by the store's clock. */
  readonly expiresAt: Date
  /** Milliseconds from the reading of the entry until `expiresAt`, by the store's clock. 0 or less once the lease has expired. */
  readonly remainingMs: number
}

/** What a store knows about a session without decoding its snapshot. */
export interface SnapshotRecord {
  readonly tenant: string
  /** The image that the snapshot is a difference to. */
  readonly imageId: string
  readonly labels: Readonly<Record<string, string>>
  readonly executionCount: number
  /**
   * The outcomes of the session's last calls with an `idempotencyKey`: text that stores keep unchanged, at most about 128 KiB. If a store
   * leaves it out, repeated calls run again.
   */
  readonly outcomes?: string | undefined
}

/** A session as `list` returns it. Dates are by the store's clock. */
export interface StoredSession extends SnapshotRecord {
  readonly id: string
  /**
   * Increases by one with every write. The store chooses an entry's first generation, at least 1, and later entries with the same id never
   * repeat a generation. So a writer that knows a deleted entry cannot write to the entry that replaced it.
   */
  readonly generation: number
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Length of the snapshot. */
  readonly sizeBytes: number
  readonly owner?: SessionOwner
}

export interface StoreEntry extends StoredSession {
  /** The snapshot. It belongs to the caller: changing it does not change the store. */
  readonly bytes: Uint8Array
}

export interface PutOptions {
  /** The generation that the entry must have for the write to happen; 0 if there must be no entry. */
  readonly generation: number
  /**
   * Makes the writer the owner for `leaseMs` milliseconds from now, by the store's clock. Without this option, the entry has no owner
   * afterwards. A store does not enforce leases: it only reports the owner, and the generation decides who may write.
   */
  readonly owner?: { readonly id: string; readonly leaseMs: number } | undefined
}

/** Bytes of the stored snapshot, from `start` up to but excluding `end`. */
export interface DeltaRange {
  readonly start: number
  readonly end: number
}

/** A snapshot as the difference to the stored one. */
export interface SnapshotDelta {
  /** Length of the stored snapshot. */
  readonly baseBytes: number
  /** Length of the new snapshot. */
  readonly sizeBytes: number
  /** The parts of the new snapshot, in order: new bytes, and ranges of the stored snapshot. */
  readonly parts: readonly (Uint8Array | DeltaRange)[]
}

export interface DeleteOptions {
  /** The generation that the entry must have to be deleted. */
  readonly generation: number
}

export interface ListOptions {
  /** Only sessions whose id begins with this text. */
  readonly prefix?: string | undefined
  /** The `cursor` of an earlier page: only entries after that page. */
  readonly cursor?: string | undefined
  /**
   * Where a first page begins: after this id, whether or not there is such an entry. Optional to implement: a store that ignores it costs
   * its callers time, because they skip the entries before.
   */
  readonly after?: string | undefined
  /** Most entries of the page, from 1 to 1,000. Default 100. */
  readonly limit?: number | undefined
}

export interface StoredPage {
  /** Sorted by the UTF-8 bytes of their ids. There may be fewer than `limit`, or none, even if more pages follow. */
  readonly sessions: readonly StoredSession[]
  /** Pass it to get the next page, which may have no entries. Absent on the last page. */
  readonly cursor?: string
}

/**
 * Where sessions are stored. Every write is a compare-and-set on the entry's generation, so if two writers have read the same generation,
 * only one succeeds. An acknowledged write survives whatever the store promises to survive, and no reader sees a partial write.
 *
 * An id is any text of 1 to 256 UTF-8 bytes without lone surrogates. If a write fails with a `StoreError`, it may still have happened; call
 * `get` to find out. The caller must not change `bytes` before `put` has settled.
 */
export interface SnapshotStore {
  /** @throws StoreError if the store cannot be reached, or the entry is damaged */
  get(id: string): Promise<StoreEntry | undefined>
  /**
   * Writes an entry. `bytes: null` keeps the stored snapshot and writes only the record and the owner, at a cost that does not depend on
   * the snapshot's size; a new entry then has an empty snapshot. The caller does not change `bytes` until the promise settles, but may
   * afterwards, so a store must not keep a reference to them.
   *
   * @returns the entry's new generation, or `undefined` if its generation is not `options.generation`: nothing was written
   * @throws StoreError
   */
  put(
    id: string,
    bytes: Uint8Array | null,
    record: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | undefined>
  /**
   * Optional. Like `put` with the snapshot that the delta makes of the stored one, at a cost that depends on the new bytes. Afterwards,
   * `get` still returns whole snapshots, and `sizeBytes` is their length. Without this method, every snapshot is written whole.
   *
   * A store that keeps deltas limits their number and their bytes. At the limit, it asks for a whole snapshot, which replaces the deltas.
   *
   * @returns like `put`; `'whole'` if nothing was written, because the store asks for a whole snapshot with `put`, or because the stored
   * snapshot is not `baseBytes` long
   * @throws StoreError
   */
  putDelta?(
    id: string,
    delta: SnapshotDelta,
    record: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | 'whole' | undefined>
  /**
   * @returns whether this call deleted the entry: `false` if there is none, or if its generation is not `options.generation`
   * @throws StoreError
   */
  delete(id: string, options: DeleteOptions): Promise<boolean>
  /**
   * Lists entries without reading snapshots. Entries that exist throughout the listing are listed once; those that are created or deleted
   * meanwhile may be listed.
   *
   * @throws StoreError
   */
  list(options?: ListOptions): Promise<StoredPage>
  /** Releases the store's own connections and timers. Clients that were passed in stay open. May be called more than once. */
  close?(): Promise<void>
}
