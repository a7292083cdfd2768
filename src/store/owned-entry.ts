// One session's entry in a store, for the manager that owns the session. Owns its generation, its lease, and the order of its
// writes: a manager that has lost the entry never writes it again (D1). session/persistence.ts decides what to write, and when.
import { SessionMovedError, StoreError } from '../shared/errors.js'
import { messageOf } from '../shared/thrown.js'
import type { Observer } from '../telemetry/observer.js'
import type { SnapshotDelta, SnapshotRecord, SnapshotStore, StoredSession, StoreEntry } from './store.js'

/** The manager that owns entries: what they all share. */
export interface Owner {
  readonly store: SnapshotStore
  /** Globally unique. */
  readonly id: string
  readonly leaseMs: number
  readonly observer: Observer
}

/** A snapshot to write. */
export interface Storable {
  /** Identifies this snapshot when a later one is written as the difference to it; undefined if none will be. */
  readonly layout: object | undefined
  /**
   * The difference to the stored snapshot; undefined if it is not much smaller than a whole one.
   *
   * @param stored layout of the stored snapshot
   */
  delta(stored: object): Promise<SnapshotDelta | undefined>
  whole(): Promise<Uint8Array>
}

/** `snapshot: null` keeps the stored snapshot. */
export interface EntryContent {
  readonly snapshot: Storable | null
  readonly record: SnapshotRecord
}

type Holding =
  | {
      readonly kind: 'held'
      readonly generation: number
      /** When the lease ends, by `performance.now()`. By the store's clock it may start later, and so it ends no earlier there. */
      readonly untilMs: number
    }
  /** Released or deleted. */
  | { readonly kind: 'released' }
  | { readonly kind: 'moved'; readonly error: SessionMovedError }

/** Time limit of an operation, unless the lease is longer. */
const LONGEST_OPERATION_MS = 60_000
/** Tries of one write. Earlier writes of this manager that seemed to fail can still arrive, each of them once. */
const MOST_TRIES = 5

export class OwnedEntry {
  readonly id: string
  readonly #owner: Owner
  #holding: Holding
  /** Layout of the stored snapshot; undefined if it is not certain which one is stored. */
  #stored: object | undefined
  /** The last operation. Never rejects. */
  #last: Promise<unknown> = Promise.resolve()
  /** Called once, when it turns out that another manager has the entry. */
  onMoved: (error: SessionMovedError) => void = () => {}

  /** @param writtenMs start of the write that made this manager the owner, by `performance.now()` */
  constructor(owner: Owner, id: string, generation: number, writtenMs: number) {
    this.#owner = owner
    this.id = id
    this.#holding = { kind: 'held', generation, untilMs: writtenMs + owner.leaseMs }
  }

  /** The lease has ended by the local clock. Another manager may have the session by now. */
  get isExpired(): boolean {
    return this.#holding.kind !== 'held' || performance.now() >= this.#holding.untilMs
  }

  /** At most two thirds of the lease are left. */
  get isDue(): boolean {
    const { kind } = this.#holding
    return kind === 'held' && performance.now() >= this.#holding.untilMs - (2 * this.#owner.leaseMs) / 3
  }

  /**
   * Renews the lease if it has ended.
   *
   * @param isVerified whether `read` has just found that the entry is still this manager's
   * @throws SessionMovedError, StoreError
   */
  async requireLease(record: () => SnapshotRecord, isVerified = false): Promise<void> {
    if (!this.isExpired) return
    await this.#next(async () => {
      if (this.isExpired) await this.#write({ snapshot: null, record: record() }, { isVerified })
    })
  }

  /**
   * Asks the store whether the entry is still this manager's.
   *
   * @throws SessionMovedError, StoreError
   */
  confirm(): Promise<void> {
    return this.#next(() => this.#verify())
  }

  /**
   * Writes the entry and renews its lease.
   *
   * @param content called when all earlier operations have finished
   * @throws SessionMovedError, StoreError, what `content` throws
   */
  write(content: () => Promise<EntryContent>): Promise<void> {
    return this.#next(async () => this.#write(await content()))
  }

  /**
   * Writes the entry for the last time, and gives up the lease. Any manager may open the session afterwards.
   *
   * @throws SessionMovedError, StoreError, what `content` throws
   */
  release(content: () => Promise<EntryContent>): Promise<void> {
    return this.#next(async () => {
      const written = await content()
      // If the lease has ended, there is nothing to give up.
      if (written.snapshot !== null || !this.isExpired) await this.#write(written, { isLast: true })
      this.#holding = { kind: 'released' }
    })
  }

  /**
   * Reads the stored snapshot.
   *
   * @param take called with the entry; returns the layout of its snapshot
   * @throws SessionMovedError, StoreError, what `take` throws
   */
  read(take: (entry: StoreEntry) => object | undefined): Promise<void> {
    return this.#next(async () => {
      const entry = await this.#ask('read', (store) => store.get(this.id))
      this.#stored = take(this.#requireOwn(entry))
    })
  }

  /** @param layout of the snapshot that was stored when the entry was created or taken */
  knowsStored(layout: object | undefined): void {
    this.#stored = layout
  }

  /**
   * Removes the entry.
   *
   * @throws SessionMovedError, StoreError
   */
  delete(): Promise<void> {
    return this.#next(async () => {
      if (this.isExpired) await this.#verify()
      await this.#retry((generation) =>
        this.#ask('delete', async (store) => (await store.delete(this.id, { generation })) || undefined),
      )
      this.#holding = { kind: 'released' }
    })
  }

  /** Runs operations one after another: each needs the generation that the previous one has produced. */
  #next<T>(operation: () => Promise<T>): Promise<T> {
    const next = this.#last.then(operation)
    this.#last = next.catch(() => {})
    return next
  }

  #held(): Extract<Holding, { kind: 'held' }> {
    const holding = this.#holding
    if (holding.kind === 'moved') throw holding.error
    if (holding.kind === 'released')
      throw new StoreError(`the session ${this.id} was released or deleted through this handle`, {
        sessionId: this.id,
      })
    return holding
  }

  async #write(
    { snapshot, record }: EntryContent,
    { isLast = false, isVerified = false }: { readonly isLast?: boolean; readonly isVerified?: boolean } = {},
  ): Promise<void> {
    const { id: ownerId, leaseMs } = this.#owner
    const owner = isLast ? {} : { owner: { id: ownerId, leaseMs } }
    // In the meantime, another manager may have taken the session, deleted it, and created it again.
    if (this.isExpired && !isVerified) await this.#verify()
    let startedMs = 0
    const generation = await this.#retry(async (current) => {
      const stored = this.#stored
      // A write that seems to fail may still happen.
      if (snapshot) this.#stored = undefined
      const options = { generation: current, ...owner }
      const delta = stored && this.#owner.store.putDelta && (await snapshot?.delta(stored))
      startedMs = performance.now()
      const written =
        delta &&
        (await this.#ask('write', async (store) => store.putDelta?.(this.id, delta, record, options)))
      if (delta && written !== 'whole') return written
      const bytes = snapshot && (await snapshot.whole())
      startedMs = performance.now()
      return this.#ask('write', (store) => store.put(this.id, bytes, record, options))
    })
    if (snapshot) this.#stored = snapshot.layout
    this.#holding = { kind: 'held', generation, untilMs: startedMs + leaseMs }
  }

  /** For when the stored snapshot is no longer in memory, so that a later one cannot be written as the difference to it. */
  forgetLayout(): void {
    this.#stored = undefined
  }

  /**
   * Runs a write that depends on the generation. If the store has another generation, either the entry is lost, or an earlier write of this
   * manager seemed to fail but happened. In the latter case, the write is retried.
   */
  async #retry<T>(write: (generation: number) => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const done = await write(this.#held().generation)
      if (done !== undefined) return done
      await this.#verify()
    }
    throw this.#lose()
  }

  /** Checks that the entry is still this manager's, and adopts its current generation. */
  async #verify(): Promise<void> {
    this.#requireOwn(await findStored(this.#owner, this.id))
  }

  /**
   * If an entry names this manager as its owner, this manager wrote it last, so this object did. Its generation can be newer than the one
   * held here: the reply to a write may have been lost.
   */
  #requireOwn<Entry extends StoredSession>(entry: Entry | undefined): Entry {
    const held = this.#held()
    if (entry?.owner?.id !== this.#owner.id) throw this.#lose()
    this.#holding = { ...held, generation: entry.generation }
    return entry
  }

  #lose(): SessionMovedError {
    const error = new SessionMovedError(this.id)
    this.#holding = { kind: 'moved', error }
    this.onMoved(error)
    return error
  }

  #ask<T>(what: StoreOperation, operation: (store: SnapshotStore) => Promise<T>): Promise<T> {
    return askStore(this.#owner, this.id, what, operation)
  }
}

type StoreOperation = 'read' | 'write' | 'delete' | 'list'

/**
 * Runs an operation of the store, with a time limit.
 *
 * @param id undefined if the operation is not about a particular session
 * @throws StoreError for any error of the store
 */
export async function askStore<T>(
  { store, leaseMs, observer }: Pick<Owner, 'store' | 'leaseMs' | 'observer'>,
  id: string | undefined,
  what: StoreOperation,
  operation: (store: SnapshotStore) => Promise<T>,
): Promise<T> {
  const longestMs = Math.max(LONGEST_OPERATION_MS, leaseMs)
  const whose = id === undefined ? 'its sessions' : `the session ${id}`
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const message = `the store took longer than ${longestMs} ms to ${what} ${whose}; check that it can be reached and is not overloaded`
    timer = setTimeout(() => reject(new StoreError(message, { sessionId: id })), longestMs)
  })
  try {
    // The user's own store may throw instead of rejecting.
    const ask = async () => operation(store)
    return await observer.measure('store', { sessionId: id, storeOperation: what }, () =>
      Promise.race([ask(), late]),
    )
  } catch (cause) {
    if (cause instanceof StoreError) throw cause
    const message = `the store could not ${what} ${whose}: ${messageOf(cause, 'it failed')}`
    throw new StoreError(message, { sessionId: id, cause })
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Finds a stored session, without its snapshot.
 *
 * @throws StoreError
 */
export async function findStored(
  owner: Pick<Owner, 'store' | 'leaseMs' | 'observer'>,
  id: string,
): Promise<StoredSession | undefined> {
  // The entry is the first one with its id as the prefix, but empty pages may precede it.
  for (let cursor: string | undefined; ; ) {
    const from = cursor === undefined ? {} : { cursor }
    const page = await askStore(owner, id, 'read', (store) => store.list({ prefix: id, limit: 1, ...from }))
    const [first] = page.sessions
    cursor = page.cursor
    if (first === undefined && cursor !== undefined) continue
    return first?.id === id ? first : undefined
  }
}
