// Keeps one session in the manager's store (D1 to D3): decides what to write and when, and reads it back when the session wakes. Owns
// the record of what has been stored. store/owned-entry.ts owns the entry and its lease, captures.ts takes snapshots.
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
import { KeptOutcomes, type KeyedCall } from './kept-outcomes.js'
import { closedUnstored, notStored } from './not-stored-error.js'
import { observeStore } from './observed.js'
import type { ResolvedSessionOptions } from './options.js'
import type { ExecuteResult } from './outcome.js'
import { layoutOf, StorableSnapshot } from './storable.js'

/** What a session that the store keeps starts with. */
export interface KeptSession {
  readonly entry: OwnedEntry
  /** The record as it is stored. */
  readonly record: SnapshotRecord
  /** The store has the state that the session starts with. */
  readonly isStored: boolean
}

/** How a call ended. Ask it once the call has settled. */
export interface CallEnd {
  /** Whether the call's code has run, at least in part. */
  hasRun(): boolean
  /** Whether `reason` is the error of a call that was interrupted because the session closes. */
  isCutShort(reason: unknown): boolean
}

/** For a call that settles without running. */
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
    /** Wakes a session that has no calls left, for a last capture. */
    readonly attachToEnd: (signal: AbortSignal) => Promise<void>
  }
}

/** Longest wait for a slot when a session that is being closed wakes only to describe its globals. */
const DESCRIBING_MS = 5_000

export class Persistence implements Renewable {
  readonly #parts: PersistenceParts
  readonly #entry: OwnedEntry
  /** The record as it is stored. */
  #record: SnapshotRecord
  /** The session has a slot or is about to get one. Otherwise a stored snapshot may be dropped from memory, and the lease may expire. */
  #isAwake = true
  readonly #outcomes: KeptOutcomes
  /** The session was closed during a call with an idempotency key. Do not store that call's effects, so that it can be repeated. */
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

  /** Sets the listener that is called once, when another manager has taken the session. */
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
   * Requires the lease before a call runs in the session's slot. A session without a slot does this when it wakes.
   *
   * @throws SessionMovedError, StoreError
   */
  async requireLease(): Promise<void> {
    if (this.#isAttached) await this.#entry.requireLease(() => this.#record)
  }

  /**
   * Call when the session got a slot and is about to be loaded. Checks that this manager still owns it.
   *
   * @param how `replace`: its old snapshot is no longer needed
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
   * Returns whether this manager still owns the session. While the lease holds, asks the store only if `always` is true.
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
   * Reads the snapshot back if only the store has it.
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
   * Runs a call, unless one with the same key has run; in that case settles as that one did.
   *
   * @throws InvalidOptionError, NotStoredError, SessionMovedError, StoreError
   */
  async once<T>(call: KeyedCall, run: () => Promise<T>, ended: CallEnd): Promise<T> {
    if (this.#parts.context.stored.durability !== 'checkpoint') {
      const message = "idempotencyKey: the manager needs `durability: 'checkpoint'`"
      throw new InvalidOptionError('idempotencyKey', 'a durable session', undefined, message)
    }
    await this.requireLease()
    const found = this.#outcomes.find(call)
    if (found === undefined) return this.acknowledge(run(), ended, call)
    const { settled, isOver } = found
    if (settled.status === 'rejected') return this.acknowledge(Promise.reject(settled.reason), NOT_RUN)
    const result = settled.value as ExecuteResult
    return this.acknowledge(Promise.resolve((isOver ? result : this.#withPending(result)) as T), NOT_RUN)
  }

  /** If the result's execution is still suspended, adds the calls that it is waiting for now. */
  #withPending(result: ExecuteResult): ExecuteResult {
    const { awaiting, executionCount, pending } = this.#parts.hostCalls
    const waits = result.status === 'suspended' && awaiting && result.executionCount === executionCount
    return waits ? { ...result, pending } : result
  }

  /** Call when the session's state was replaced: executions that were suspended no longer wait. */
  markReplaced(): void {
    this.#outcomes.endSuspended()
  }

  /**
   * Settles as the call did, after the store has its effects, if `durability` demands that. The error of a rejected call does not tell
   * whether it has run, because listeners may throw anything; `ended` does.
   *
   * @param ended asked when the call has settled
   * @param keyed the call with its idempotency key, under which to keep the outcome if the call has run
   * @throws NotStoredError, SessionMovedError
   */
  async acknowledge<T>(call: Promise<T>, ended: CallEnd, keyed?: KeyedCall): Promise<T> {
    const [settled] = await Promise.allSettled([call])
    const hasRun = ended.hasRun()
    const isRejected = settled.status === 'rejected'
    if (isRejected && !hasRun && settled.reason instanceof StoreError) throw settled.reason
    const kept = hasRun ? keyed : undefined
    if (kept !== undefined && isRejected && ended.isCutShort(settled.reason)) {
      this.#isDiscarded = true
      throw settled.reason
    }
    try {
      await this.#acknowledge(kept === undefined ? undefined : () => this.#outcomes.add(kept, settled))
    } catch (cause) {
      // Wrap failures of the store and of the capture. Errors for a lost worker or session already say what is left.
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
    // Only now: if the capture had failed, the state could still be lost, and the call would have to run again.
    keep?.()
    await this.#write(hostCalls.executionCount)
  }

  /**
   * Call when the session no longer has a slot. Resolves when the store has all of it. Until then the snapshot stays in memory (D3), and a
   * failed write is retried when the lease is renewed.
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

  /** Call when the session gives up its slot, or did not get one. */
  rest(): void {
    this.#isAwake = false
    this.#rest()
  }

  /** Lets the lease of a dormant session expire, and its snapshot be dropped from memory, once the store has all of it. */
  #rest(): void {
    const { context, checkpoint } = this.#parts
    if (this.#isAwake || (context.stored.whenDormant && !checkpoint.isStored)) return
    context.stored.leases.delete(this)
    if (!context.stored.whenDormant) return
    const { snapshot } = checkpoint
    if (snapshot) context.stored.hot.add(this, context.snapshots.costToHold(snapshot))
  }

  /** Whether a snapshot must be taken before the session releases its slot. */
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

  /** Whether a dormant session's snapshot has not been stored yet. */
  get #hasUnstored(): boolean {
    return !this.#isAwake && !this.#parts.checkpoint.isStored
  }

  /** Renews the lease. Does not report failures: the next call needs the lease, and so gets the error. */
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
   * Stores all changes, and releases the entry. Call when nothing is running.
   *
   * @throws NotStoredError, SessionMovedError
   */
  async finish(): Promise<void> {
    // If the lease cannot be released, it expires by itself.
    if (this.#isDiscarded) return this.abandon().catch(() => {})
    const { checkpoint, hostCalls, options } = this.#parts
    let failure: unknown
    try {
      await this.#capture(true)
    } catch (error) {
      // Continue: the last checkpoint may not be stored yet, either.
      failure = error
    }
    await this.#describe()
    try {
      const isClean = this.#isClean
      await this.#write(hostCalls.executionCount, 'release').catch((error: unknown) => {
        // If everything is already stored, ignore the error: the lease expires by itself, or another manager has the session.
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
   * Releases the entry and leaves it as it is stored.
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

  /** Call when the session is closed. */
  close(): void {
    const { leases, hot } = this.#parts.context.stored
    leases.delete(this)
    hot.remove(this)
    this.#outcomes.close()
  }

  /** Captures changes. A session that has lost its slot has none. */
  async #capture(isLast = false): Promise<void> {
    const { checkpoint, captures } = this.#parts
    if (this.#isAttached && checkpoint.needsCapture) await captures.capture('quick', isLast)
  }

  /**
   * Makes sure that the last stored snapshot describes the globals; otherwise salvage could not restore them. If the last checkpoint does
   * not, and the session has lost its slot since, wakes the session once more.
   */
  async #describe(): Promise<void> {
    const { checkpoint, captures, placement } = this.#parts
    if (placement.state !== 'dormant' || checkpoint.isDescribed) return
    try {
      await placement.attachToEnd(AbortSignal.timeout(DESCRIBING_MS))
      await captures.capture('quick', true)
    } catch {
      // The state is stored nevertheless, marked as not described.
    }
  }

  /** Writes the checkpoint, unless the store already has it, and the record with this execution count. */
  async #write(executionCount: number, how?: 'release'): Promise<void> {
    const { checkpoint, context, options } = this.#parts
    const { text: outcomes } = this.#outcomes
    // Not a spread: V8 may give each object created by one a hidden class of its own.
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
