// What a store of sessions is: snapshots by session id, each with a record and a generation. Owns the interface and the types of its
// entries. Stores of users' own implement it; `describeStore` in `brumate/stores/conformance` checks that they do it right.

/** Who has a session attached, and until when nobody else may take it without saying so. */
export interface SessionOwner {
  /** The owning manager, unique in the world. */
  readonly id: string
  /** When the ownership expires if it is not renewed, by the store's clock. */
  readonly expiresAt: Date
  /** Milliseconds until then, by the store's clock, when the entry was read; 0 or less: expired. */
  readonly remainingMs: number
}

/** What a store knows of a session without decoding its snapshot. */
export interface SnapshotRecord {
  readonly tenant: string
  /** The image that the snapshot is a difference to. */
  readonly imageId: string
  readonly labels: Readonly<Record<string, string>>
  readonly executionCount: number
}

/** What `list` says of a session. Dates are of the store's clock. */
export interface StoredSession extends SnapshotRecord {
  readonly id: string
  /** Goes up with every write, by one. */
  readonly generation: number
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Bytes of the snapshot. */
  readonly sizeBytes: number
  readonly owner?: SessionOwner
}

export interface StoreEntry extends StoredSession {
  /** The reader's: the store does not change them afterwards. */
  readonly bytes: Uint8Array
}

export interface PutOptions {
  /** The generation that the entry must have, for the write to happen; 0: there must be no entry. */
  readonly generation: number
  /** Makes the writer the owner for `leaseMs` milliseconds from now, by the store's clock. Without it, the entry has no owner. */
  readonly owner?: { readonly id: string; readonly leaseMs: number }
}

export interface ListOptions {
  /** Ids that begin with it. */
  readonly prefix?: string
  /** From an earlier page: entries after that page. */
  readonly cursor?: string
  /** Longest page; default 100, at most 1,000. */
  readonly limit?: number
}

export interface StoredPage {
  /** In the order of their ids' UTF-8 bytes. */
  readonly sessions: readonly StoredSession[]
  /** For the next page; absent on the last. */
  readonly cursor?: string
}

/**
 * Where sessions rest. Every write is a compare-and-set on the entry's generation, so that of two writers that read the same generation one
 * succeeds. A write that was acknowledged survives whatever the store promises to survive; a write that failed half-way is not seen.
 */
export interface SnapshotStore {
  /** @throws StoreError when the store cannot be reached, or the entry is damaged */
  get(id: string): Promise<StoreEntry | undefined>
  /**
   * Writes an entry. `bytes: null` keeps the snapshot that is there, and writes the record and the owner alone. Bytes do not change until the
   * promise settles, and may then.
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
   * @returns whether the entry is gone: `false` if its generation is not `options.generation`
   * @throws StoreError
   */
  delete(id: string, options: { readonly generation: number }): Promise<boolean>
  /** @throws StoreError */
  list(options?: ListOptions): Promise<StoredPage>
  /** Releases connections and timers of the store's own. Clients that were passed in stay open. */
  close?(): Promise<void>
}
