// What a store of sessions is: snapshots by session id, each with a record and a generation. Owns the interface and the types of its
// entries. Users may write stores of their own; `storeConformance` of `brumate/stores/conformance` tests them.

/** Who has a session attached, and until when nobody else may take it without saying so. */
export interface SessionOwner {
  /** The owning manager, unique in the world. */
  readonly id: string
  /** When the ownership expires if it is not renewed, by the store's clock. */
  readonly expiresAt: Date
  /** Milliseconds until then, by the store's clock, when the entry was read. Once the lease has expired, 0 or less. */
  readonly remainingMs: number
}

/** What a store knows of a session without decoding its snapshot. */
export interface SnapshotRecord {
  readonly tenant: string
  /** The image that the snapshot is a difference to. */
  readonly imageId: string
  readonly labels: Readonly<Record<string, string>>
  readonly executionCount: number
  /**
   * What the session's last calls with an `idempotencyKey` came to: text that stores keep as it is, of about 128 KiB at most. A store that
   * leaves it out makes repeated calls run again.
   */
  readonly outcomes?: string | undefined
}

/** What `list` says of a session. Dates are of the store's clock. */
export interface StoredSession extends SnapshotRecord {
  readonly id: string
  /**
   * Goes up by one with every write. The store chooses an entry's first generation, from 1 on, and no later entry of the same id repeats a
   * generation: whoever knew an entry that was deleted cannot write to the one that took its place.
   */
  readonly generation: number
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Bytes of the snapshot. */
  readonly sizeBytes: number
  readonly owner?: SessionOwner
}

export interface StoreEntry extends StoredSession {
  /** The caller's own: changing them does not change the store. */
  readonly bytes: Uint8Array
}

export interface PutOptions {
  /** The generation that the entry must have, for the write to happen; 0: there must be no entry. */
  readonly generation: number
  /**
   * Makes the writer the owner for `leaseMs` milliseconds from now, by the store's clock. Without it, the entry has no owner. A store
   * enforces no lease: it only reports the owner, and the generation decides who may write.
   */
  readonly owner?: { readonly id: string; readonly leaseMs: number } | undefined
}

/** Bytes of the stored snapshot from `start` on and before `end`. */
export interface DeltaRange {
  readonly start: number
  readonly end: number
}

/** A snapshot by what is new in it. */
export interface SnapshotDelta {
  /** Length of the stored snapshot that it is a difference to. */
  readonly baseBytes: number
  /** Length of the snapshot that it makes. */
  readonly sizeBytes: number
  /** What that consists of, in this order: new bytes, and ranges of the stored snapshot. */
  readonly parts: readonly (Uint8Array | DeltaRange)[]
}

export interface DeleteOptions {
  /** The generation that the entry must have, for it to be deleted. */
  readonly generation: number
}

export interface ListOptions {
  /** Ids that begin with it. */
  readonly prefix?: string | undefined
  /** From an earlier page: entries after that page. */
  readonly cursor?: string | undefined
  /** Longest page, from 1 to 1,000. Default 100. */
  readonly limit?: number | undefined
}

export interface StoredPage {
  /** In the order of their ids' UTF-8 bytes. May be fewer than `limit`, or none, although more pages follow. */
  readonly sessions: readonly StoredSession[]
  /** For the next page, which may have no entries. Absent on the last. */
  readonly cursor?: string
}

/**
 * Where sessions rest. Every write is a compare-and-set on the entry's generation, so that of two writers that read the same generation one
 * succeeds. A write that was acknowledged survives whatever the store promises to survive; no reader sees half a write.
 *
 * An id is any text of 1 to 256 UTF-8 bytes without lone surrogates. If a write fails with a `StoreError`, it may still have happened: `get`
 * tells. The caller must not change `bytes` before `put` has settled.
 */
export interface SnapshotStore {
  /** @throws StoreError when the store cannot be reached, or the entry is damaged */
  get(id: string): Promise<StoreEntry | undefined>
  /**
   * Writes an entry. `bytes: null` keeps the snapshot that is there, and writes the record and the owner alone, which costs the same
   * whatever the snapshot's size; a new entry then has an empty snapshot. Bytes do not change until the promise
   * settles, and may then.
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
   * Optional. As `put` with the bytes that the delta makes of the stored snapshot, at a cost that depends on what is new. `get` returns whole
   * snapshots, also after that, and `sizeBytes` is their length. Without this method, every snapshot is put whole.
   *
   * A store that keeps deltas bounds their number and their bytes, and then asks for a whole snapshot, in whose place it keeps no deltas.
   *
   * @returns as `put`; `'whole'` if nothing was written because the store wants the whole snapshot with `put`, or has none of `baseBytes`
   * @throws StoreError
   */
  putDelta?(
    id: string,
    delta: SnapshotDelta,
    record: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | 'whole' | undefined>
  /**
   * @returns whether this call deleted the entry: `false` if there is none, or its generation is not `options.generation`
   * @throws StoreError
   */
  delete(id: string, options: DeleteOptions): Promise<boolean>
  /**
   * Entries that exist throughout are listed once; those written or deleted meanwhile may be. Reads no snapshots.
   *
   * @throws StoreError
   */
  list(options?: ListOptions): Promise<StoredPage>
  /** Releases connections and timers of the store's own. Clients that were passed in stay open. May be called more than once. */
  close?(): Promise<void>
}
