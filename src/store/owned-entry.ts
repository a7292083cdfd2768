// One session's entry in a store, as the manager that has the session writes it. Owns its generation, its lease, and the order of its
// writes: whoever lost the entry never writes it again (D1). What is written, and when, is session/persistence.ts's.
import { SessionMovedError, StoreError } from '../shared/errors.js'
import { messageOf } from '../shared/thrown.js'
import type { Observer } from '../telemetry/observer.js'
import type { SnapshotDelta, SnapshotRecord, SnapshotStore, StoredSession, StoreEntry } from './store.js'

/** What the entries of one manager share. */
export interface Owner {
  readonly store: SnapshotStore
  /** Unique in the world. */
  readonly id: string
  readonly leaseMs: number
  readonly observer: Observer
}

/** A snapshot to be written. */
export interface Storable {
  /** Names it, for a later snapshot that is written as the difference to it; undefined: none will be. */
  readonly layout: object | undefined
  /**
   * The difference to the one that is stored; undefined if that is not much smaller.
   *
   * @param stored its layout
   */
  delta(stored: object): Promise<SnapshotDelta | undefined>
  whole(): Promise<Uint8Array>
}

/** `snapshot: null` keeps the one that is stored. */
export interface EntryContent {
  readonly snapshot: Storable | null
  readonly record: SnapshotRecord
}

type Holding =
  | {
      readonly kind: 'held'
      readonly generation: number
      /** When the lease ends by this process's clock, `performance.now()`: the store's may start later, and so ends later. */
      readonly untilMs: number
    }
  /** Given up or deleted. */
  | { readonly kind: 'released' }
  | { readonly kind: 'moved'; readonly error: SessionMovedError }

/** A store that does not answer for this long has failed. */
const LONGEST_OPERATION_MS = 60_000
/** Writes of this manager that seemed to fail can come late, each of them once. */
const MOST_TRIES = 5

export class OwnedEntry {
  readonly id: string
  readonly #owner: Owner
  #holding: Holding
  /** Layout of the snapshot that the store has for certain. */
  #stored: object | undefined
  /** The last operation. Never rejects. */
  #last: Promise<unknown> = Promise.resolve()
  /** Called once, when another manager has the entry. */
  onMoved: (error: SessionMovedError) => void = () => {}

  /** @param writtenMs when the write that made this manager the owner began, by `performance.now()` */
  constructor(owner: Owner, id: string, generation: number, writtenMs: number) {
    this.#owner = owner
    this.id = id
    this.#holding = { kind: 'held', generation, untilMs: writtenMs + owner.leaseMs }
  }

  /** The lease has ended by the local clock. Another manager may have the session by now. */
  get isExpired(): boolean {
    return this.#holding.kind !== 'held' || performance.now() >= this.#holding.untilMs
  }

  /** Less than two thirds of the lease are left. */
  get isDue(): boolean {
    const { kind } = this.#holding
    return kind === 'held' && performance.now() >= this.#holding.untilMs - (2 * this.#owner.leaseMs) / 3
  }

  /**
   * Renews the lease if it has ended.
   *
   * @param isVerified `read` has just found the entry as it was
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
   * @param content is called when the writes before it have happened
   * @throws SessionMovedError, StoreError, what `content` throws
   */
  write(content: () => Promise<EntryContent>): Promise<void> {
    return this.#next(async () => this.#write(await content()))
  }

  /**
   * The last write: anybody may open the session afterwards.
   *
   * @throws SessionMovedError, StoreError, what `content` throws
   */
  release(content: () => Promise<EntryContent>): Promise<void> {
    return this.#next(async () => {
      const written = await content()
      // There is nothing to give up where the lease has ended.
      if (written.snapshot !== null || !this.isExpired) await this.#write(written, { isLast: true })
      this.#holding = { kind: 'released' }
    })
  }

  /**
   * The stored snapshot.
   *
   * @param take is called with it, and returns its layout
   * @throws SessionMovedError, StoreError, what `take` throws
   */
  read(take: (entry: StoreEntry) => object | undefined): Promise<void> {
    return this.#next(async () => {
      const entry = await this.#ask('read', (store) => store.get(this.id))
      this.#stored = take(this.#requireOwn(entry))
    })
  }

  /** @param layout of the snapshot that the store had when the entry was made or taken */
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

  /** One operation after the other: each needs the generation that the one before has made. */
  #next<T>(operation: () => Promise<T>): Promise<T> {
    const next = this.#last.then(operation)
    this.#last = next.catch(() => {})
    return next
  }

  #held(): Extract<Holding, { kind: 'held' }> {
    const holding = this.#holding
    if (holding.kind === 'moved') throw holding.error
    if (holding.kind === 'released')
      throw new StoreError(`the session ${this.id} has been given up`, { sessionId: this.id })
    return holding
  }

  async #write(
    { snapshot, record }: EntryContent,
    { isLast = false, isVerified = false }: { readonly isLast?: boolean; readonly isVerified?: boolean } = {},
  ): Promise<void> {
    const { id: ownerId, leaseMs } = this.#owner
    const owner = isLast ? {} : { owner: { id: ownerId, leaseMs } }
    // Another manager may have had the session meanwhile, deleted it, and made it again.
    if (this.isExpired && !isVerified) await this.#verify()
    let startedMs = 0
    const generation = await this.#retry(async (current) => {
      const stored = this.#stored
      // A write that fails may still happen.
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

  /** The stored snapshot is not in memory any more: a later one has nothing in common with it that could be told. */
  forgetLayout(): void {
    this.#stored = undefined
  }

  /**
   * A write that depends on the generation. One that finds another generation has either lost the entry, or follows a write of this manager
   * that seemed to fail and did not; then it is tried again.
   */
  async #retry<T>(write: (generation: number) => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const done = await write(this.#held().generation)
      if (done !== undefined) return done
      await this.#verify()
    }
    throw this.#lose()
  }

  /** Looks whether the entry is still this manager's, and takes the generation that it has. */
  async #verify(): Promise<void> {
    this.#requireOwn(await findStored(this.#owner, this.id))
  }

  /**
   * What has this manager's name was written by it last, so by this object. The generation alone does not say so: a session that was
   * deleted and made again elsewhere can have the same.
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
 * What the store answers in time.
 *
 * @param id undefined: it is asked about no session in particular
 * @throws StoreError whatever the store throws
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
    const message = `the store did not ${what} ${whose} within ${longestMs} ms`
    timer = setTimeout(() => reject(new StoreError(message, { sessionId: id })), longestMs)
  })
  try {
    // Stores of users' own may throw instead of rejecting.
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
 * What is known of a stored session, without its snapshot.
 *
 * @throws StoreError
 */
export async function findStored(
  owner: Pick<Owner, 'store' | 'leaseMs' | 'observer'>,
  id: string,
): Promise<StoredSession | undefined> {
  // The entry comes first of those with this prefix. Pages before it may be empty.
  for (let cursor: string | undefined; ; ) {
    const from = cursor === undefined ? {} : { cursor }
    const page = await askStore(owner, id, 'read', (store) => store.list({ prefix: id, limit: 1, ...from }))
    const [first] = page.sessions
    cursor = page.cursor
    if (first === undefined && cursor !== undefined) continue
    return first?.id === id ? first : undefined
  }
}
