// Keeps one session in the manager's store (D1 to D3): decides what is written, and when, and reads it back when the session wakes. Owns
// what has been stored. The entry with its lease is store/owned-entry.ts's, snapshots are taken by captures.ts.
import { InvalidOptionError, SessionMovedError, SnapshotError, StoreError } from '../shared/errors.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import { trustOf } from '../shared/snapshot/signature.js'
import { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Renewable } from '../store/lease-timer.js'
import type { OwnedEntry } from '../store/owned-entry.js'
import type { SnapshotRecord } from '../store/store.js'
import type { Captures } from './captures.js'
import type { Checkpoint } from './checkpoint.js'
import type { SessionContext } from './context.js'
import { KeptOutcomes } from './kept-outcomes.js'
import { closedUnstored, notStored } from './not-stored-error.js'
import { observeStore } from './observed.js'
import type { ResolvedSessionOptions } from './options.js'
import type { ExecuteResult } from './outcome.js'
import { layoutOf, StorableSnapshot } from './storable.js'

/** What a session that the store keeps begins with. */
export interface KeptSession {
  readonly entry: OwnedEntry
  /** As it is stored. */
  readonly record: SnapshotRecord
  /** The store has the state that the session begins with. */
  readonly isStored: boolean
}

/** What became of a call, once it has settled. */
export interface CallEnd {
  /** Its code has run, all of it or a part. */
  hasRun(): boolean
  /** It was rejected with this because the session closes. */
  isCutShort(reason: unknown): boolean
}

/** Of a call that settles without running. */
const NOT_RUN: CallEnd = { hasRun: () => false, isCutShort: () => false }

export interface PersistenceParts {
  readonly context: SessionContext
  readonly options: ResolvedSessionOptions
  readonly checkpoint: Checkpoint
  readonly captures: Captures
  readonly hostCalls: {
    readonly executionCount: number
    readonly awaiting: boolean
    readonly pending: readonly PendingCall[]
  }
  /** An attached session has a slot, which may be lost. */
  readonly placement: {
    readonly state: 'attached' | 'dormant' | 'closed'
    /** Wakes a session without calls, only to be captured once more. */
    readonly attachToEnd: (signal: AbortSignal) => Promise<void>
  }
}

/** Longest wait for a slot of a session that is closed, only to describe its globals. */
const DESCRIBING_MS = 5_000

export class Persistence implements Renewable {
  readonly #parts: PersistenceParts
  readonly #entry: OwnedEntry
  /** As it is stored. */
  #record: SnapshotRecord
  /** The session has a slot or is about to get one. Otherwise, what the store has may be dropped from memory, and the lease may end. */
  #isAwake = true
  readonly #outcomes: KeptOutcomes
  /** The session was closed in the middle of a call that is to run once: what that left is not stored. */
  #isDiscarded = false

  constructor({ entry, record, isStored }: KeptSession, parts: PersistenceParts) {
    this.#parts = parts
    this.#entry = entry
    this.#record = record
    this.#outcomes = new KeptOutcomes(entry.id, record.outcomes, parts.context.memory)
    if (isStored) parts.checkpoint.beginStore().markDone()
    const { snapshot } = parts.checkpoint
    if (isStored && snapshot) entry.knowsStored(layoutOf(snapshot))
    parts.context.stored.leases.add(this)
  }

  /** Called once, when another manager has the session. */
  set onMoved(onMoved: (error: SessionMovedError) => void) {
    this.#entry.onMoved = onMoved
  }

  get #isAttached(): boolean {
    return this.#parts.placement.state === 'attached'
  }

  get #isClean(): boolean {
    const { checkpoint, hostCalls } = this.#parts
    return (
      !checkpoint.hasChanged &&
      checkpoint.isStored &&
      this.#record.executionCount === hostCalls.executionCount &&
      this.#record.outcomes === this.#outcomes.text
    )
  }

  /**
   * The lease must hold before a call runs in the slot that the session has. A session without one does this when it wakes.
   *
   * @throws SessionMovedError, StoreError
   */
  async requireLease(): Promise<void> {
    if (this.#isAttached) await this.#entry.requireLease(() => this.#record)
  }

  /**
   * The session has been given a slot, and is to be loaded: it must still be this manager's.
   *
   * @param how `replace`: its snapshot is not needed any more
   * @throws SessionMovedError, StoreError, SnapshotError
   */
  async wake(how: 'load' | 'replace'): Promise<void> {
    const { checkpoint, context } = this.#parts
    this.#isAwake = true
    context.stored.hot.remove(this)
    context.stored.leases.add(this)
    const isRead = how === 'load' && checkpoint.isDropped
    if (isRead) await this.load()
    await this.#entry.requireLease(() => this.#record, isRead)
  }

  /**
   * Whether the session is still this manager's. While the lease holds, the store is only asked with `always`.
   *
   * @throws StoreError
   */
  async isOwned(always: boolean): Promise<boolean> {
    if (!always && !this.#entry.isExpired) return true
    try {
      await this.#entry.confirm()
      return true
    } catch (error) {
      if (error instanceof SessionMovedError) return false
      throw error
    }
  }

  /**
   * Reads the snapshot again if only the store has it.
   *
   * @throws SessionMovedError, StoreError, SnapshotError
   */
  async load(): Promise<void> {
    const { checkpoint, context, options } = this.#parts
    if (!checkpoint.isDropped) return
    await this.#entry.read(({ bytes }) => {
      const snapshot = Snapshot.adopt(bytes, trustOf(context.snapshotKey, options.tenant))
      checkpoint.refill(snapshot)
      return layoutOf(snapshot)
    })
  }

  /**
   * Runs a call, unless one with the same key has run; then settles as that one did.
   *
   * @throws InvalidOptionError, NotStoredError, SessionMovedError, StoreError
   */
  async once<T>(key: string, run: () => Promise<T>, ended: CallEnd): Promise<T> {
    if (this.#parts.context.stored.durability !== 'checkpoint') {
      const message = "idempotencyKey: the manager needs `durability: 'checkpoint'`"
      throw new InvalidOptionError('idempotencyKey', 'a durable session', undefined, message)
    }
    await this.requireLease()
    const found = this.#outcomes.find(key)
    if (found === undefined) return this.acknowledge(run(), ended, key)
    const { settled, isOver } = found
    if (settled.status === 'rejected') return this.acknowledge(Promise.reject(settled.reason), NOT_RUN)
    const result = settled.value as ExecuteResult
    return this.acknowledge(Promise.resolve((isOver ? result : this.#withPending(result)) as T), NOT_RUN)
  }

  /** Of an execution that still waits: what it waits for now. */
  #withPending(result: ExecuteResult): ExecuteResult {
    const { awaiting, executionCount, pending } = this.#parts.hostCalls
    const waits = result.status === 'suspended' && awaiting && result.executionCount === executionCount
    return waits ? { ...result, pending } : result
  }

  /** The session has another state, in which the executions that were suspended do not wait. */
  markReplaced(): void {
    this.#outcomes.endSuspended()
  }

  /**
   * Settles a call as it did, once the store has what it left, if `durability` says so. What a call was rejected with does not tell whether
   * it has run: listeners may throw anything.
   *
   * @param ended asked when the call has settled
   * @param key the outcome is kept under it if the call has run
   * @throws NotStoredError, SessionMovedError
   */
  async acknowledge<T>(call: Promise<T>, ended: CallEnd, key?: string): Promise<T> {
    const [settled] = await Promise.allSettled([call])
    const hasRun = ended.hasRun()
    const isRejected = settled.status === 'rejected'
    if (isRejected && !hasRun && settled.reason instanceof StoreError) throw settled.reason
    const kept = hasRun ? key : undefined
    if (kept !== undefined && isRejected && ended.isCutShort(settled.reason)) {
      this.#isDiscarded = true
      throw settled.reason
    }
    try {
      await this.#acknowledge(kept === undefined ? undefined : () => this.#outcomes.add(kept, settled))
    } catch (cause) {
      // What the store says, and a session that cannot be captured. A lost worker or session says itself what is left.
      if (!(cause instanceof StoreError || cause instanceof SnapshotError)) throw cause
      const given = settled.status === 'fulfilled' ? { result: settled.value } : { error: settled.reason }
      throw notStored(this.#entry.id, given, cause)
    }
    if (settled.status === 'rejected') throw settled.reason
    return settled.value
  }

  async #acknowledge(keep: (() => void) | undefined): Promise<void> {
    const { context, hostCalls } = this.#parts
    if (context.stored.durability === 'memory') return this.requireLease()
    if (this.#isClean && !keep) return
    await this.#capture()
    // Not sooner: a state that could not be captured may still be lost, and the call must then run again.
    keep?.()
    await this.#write(hostCalls.executionCount)
  }

  /**
   * The session has no slot any more. Resolves when the store has all of it. Its snapshot stays in memory until then (D3), and is written
   * again when the lease is renewed.
   *
   * @throws SessionMovedError, StoreError
   */
  async sleep(): Promise<void> {
    const { context, hostCalls } = this.#parts
    this.rest()
    if (!context.stored.whenDormant || this.#isClean) return
    await this.#write(hostCalls.executionCount)
    this.#rest()
  }

  /** The session is to have no slot, or did not get one. */
  rest(): void {
    this.#isAwake = false
    this.#rest()
  }

  /** If the store has all of a dormant session, its lease may end, and its memory be used for something else. */
  #rest(): void {
    const { context, checkpoint } = this.#parts
    if (this.#isAwake || (context.stored.whenDormant && !checkpoint.isStored)) return
    context.stored.leases.delete(this)
    if (!context.stored.whenDormant) return
    const { snapshot } = checkpoint
    if (snapshot) context.stored.hot.add(this, context.snapshots.costToHold(snapshot))
  }

  /** A snapshot is to be taken before the session gives its slot back. */
  get needsCapture(): boolean {
    return this.#parts.context.stored.whenDormant && this.#parts.checkpoint.needsCapture
  }

  dropSnapshot(): void {
    if (this.#isAwake) return
    this.#parts.checkpoint.drop()
    this.#entry.forgetLayout()
  }

  get isDue(): boolean {
    return this.#entry.isDue || (this.#hasUnstored && this.#parts.context.stored.whenDormant)
  }

  /** A snapshot that was to be stored, and was not. */
  get #hasUnstored(): boolean {
    return !this.#isAwake && !this.#parts.checkpoint.isStored
  }

  /** The next call meets what is wrong, because it needs the lease. */
  async renew(): Promise<void> {
    const { checkpoint } = this.#parts
    try {
      if (this.#hasUnstored) await this.#write(checkpoint.snapshot?.parts.head.executionCount ?? 0)
      else await this.#entry.write(async () => ({ snapshot: null, record: this.#record }))
      this.#rest()
    } catch {
      this.#parts.context.count('failedStores')
    }
  }

  /**
   * Stores what is new, and gives the entry up. Nothing runs.
   *
   * @throws NotStoredError, SessionMovedError
   */
  async finish(): Promise<void> {
    // If the lease cannot be given up, it ends by itself.
    if (this.#isDiscarded) return this.abandon().catch(() => {})
    const { checkpoint, hostCalls, options } = this.#parts
    let failure: unknown
    try {
      await this.#capture(true)
    } catch (error) {
      // The last checkpoint may not be stored, either.
      failure = error
    }
    await this.#describe()
    try {
      const isClean = this.#isClean
      await this.#write(hostCalls.executionCount, 'release').catch((error: unknown) => {
        // All is stored already: the lease ends by itself, or another manager has the session.
        if (!isClean) throw error
      })
    } catch (error) {
      failure ??= error
    }
    if (failure === undefined) return
    if (failure instanceof SessionMovedError) throw failure
    throw closedUnstored(options.id, checkpoint.snapshot, failure)
  }

  /**
   * Gives the entry up as it is stored.
   *
   * @throws SessionMovedError, StoreError
   */
  abandon(): Promise<void> {
    return this.#entry.release(async () => ({ snapshot: null, record: this.#record }))
  }

  /**
   * Removes the session from the store.
   *
   * @throws SessionMovedError, StoreError
   */
  delete(): Promise<void> {
    return this.#entry.delete()
  }

  /** The session is closed. */
  close(): void {
    const { leases, hot } = this.#parts.context.stored
    leases.delete(this)
    hot.remove(this)
    this.#outcomes.close()
  }

  /** A session that has lost its slot has nothing new. */
  async #capture(isLast = false): Promise<void> {
    const { checkpoint, captures } = this.#parts
    if (this.#isAttached && checkpoint.needsCapture) await captures.capture('quick', isLast)
  }

  /**
   * What the store has after the last write should describe the globals, or salvage could not bring them back. A session whose last
   * checkpoint does not, and that has lost its slot since, wakes once more for that.
   */
  async #describe(): Promise<void> {
    const { checkpoint, captures, placement } = this.#parts
    if (placement.state !== 'dormant' || checkpoint.isDescribed) return
    try {
      await placement.attachToEnd(AbortSignal.timeout(DESCRIBING_MS))
      await captures.capture('quick', true)
    } catch {
      // The state is stored nevertheless, and says of itself that it is not described.
    }
  }

  /** Writes the checkpoint, unless the store has it, and the record with this count. */
  async #write(executionCount: number, how?: 'release'): Promise<void> {
    const { checkpoint, context, options } = this.#parts
    const { text: outcomes } = this.#outcomes
    // Not a spread: V8 may give each object that one makes a hidden class of its own.
    const record = {
      tenant: this.#record.tenant,
      imageId: context.image.id,
      labels: options.labels,
      executionCount,
      outcomes,
    }
    const storing = checkpoint.beginStore()
    let copiedBytes = 0
    const content = async () => {
      const onCopy = (bytes: number) => {
        copiedBytes += bytes
        context.memory.take(bytes)
      }
      return { snapshot: storing.isDone() ? null : new StorableSnapshot(storing.snapshot, onCopy), record }
    }
    try {
      const write = () => (how ? this.#entry.release(content) : this.#entry.write(content))
      await observeStore(context, options, write, () => copiedBytes || undefined)
    } finally {
      context.memory.release(copiedBytes)
    }
    this.#record = record
    storing.markDone()
    context.count('stores')
  }
}
