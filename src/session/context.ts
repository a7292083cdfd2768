// What a session needs of its manager. Owns the type only; the manager implements it.
import type { MemoryAccount } from '../memory/account.js'
import type { HotSnapshots } from '../memory/hot-snapshots.js'
import type { SnapshotLedger } from '../memory/snapshot-ledger.js'
import type { Image } from '../shared/image/image.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Slices } from '../shared/values/slices.js'
import type { Released } from '../slots/pool-options.js'
import type { Slot } from '../slots/slot.js'
import type { LeaseTimer } from '../store/lease-timer.js'
import type { Observer } from '../telemetry/observer.js'
import type { Evictable } from './idle-evictor.js'
import type { ExecutionUsage } from './usage.js'

export type Countable =
  | 'executions'
  | 'timeouts'
  | 'cancellations'
  | 'crashes'
  | 'checkpoints'
  | 'refusedCheckpoints'
  | 'hibernations'
  | 'thaws'
  | 'lateAnswers'
  | 'stores'
  | 'failedStores'

export interface StoredSessions {
  readonly durability: 'memory' | 'checkpoint'
  /** The store can outlive the manager, so that dormant sessions are written to it. */
  readonly whenDormant: boolean
  readonly leases: LeaseTimer
  readonly hot: HotSnapshots
  /** Removes a session that is closed. */
  forget(id: string): Promise<unknown>
}

/** What sessions need of their image. */
export type ContextImage = Pick<Image, 'id' | 'pyodideVersion' | 'pythonVersion' | 'packages' | 'cwd'>

export interface SessionContext {
  /** The image of every slot. */
  readonly image: ContextImage
  readonly snapshotKey: Uint8Array | undefined
  /** Decodes the messages of all sessions. */
  readonly slices: Slices
  /** Parent of the sessions' accounts of data in transit: values, arguments, answers. */
  readonly memory: MemoryAccount
  /** The manager's limit; null: none. */
  readonly maxMemoryBytes: number | null
  /** Counts every snapshot that a session holds. */
  readonly snapshots: SnapshotLedger
  /** For sessions that the store keeps. */
  readonly stored: StoredSessions
  readonly observer: Observer

  /** Waits for a slot if none is free. */
  acquire(tenant: string, signal?: AbortSignal): Promise<Slot>
  /** Longest wait for a slot, or for memory to wake in. */
  readonly acquireTimeoutMs: number
  /** As `ManagerMemory.waitToWake`. */
  waitToWake(snapshot: Snapshot, scale: number, untilMs: number, signal?: AbortSignal): Promise<void>
  /** A slot that is free right now. */
  tryAcquire(tenant: string): Slot | undefined
  /** Gives a slot back, which is renewed or ended. */
  release(slot: Slot, released: Released): void
  count(what: Countable): void
  /** Adds what an execution has used. */
  record(used: ExecutionUsage): void
  /** The session has no more calls, so it can be evicted. */
  onIdle(session: Evictable): void
  /** The session is closed. */
  onClosed(session: Evictable & { readonly id: string }): void
}
