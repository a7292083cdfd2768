// What a session needs from its manager. Owns the type only; the manager implements it.
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
  /** Whether dormant sessions are written to the store: only if the store can outlive the manager. */
  readonly whenDormant: boolean
  readonly leases: LeaseTimer
  readonly hot: HotSnapshots
  /** Removes a closed session from the store. */
  forget(id: string): Promise<unknown>
}

/** What sessions need to know about their image. */
export type ContextImage = Pick<Image, 'id' | 'pyodideVersion' | 'pythonVersion' | 'packages' | 'cwd'>

export interface SessionContext {
  /** The image of every slot. */
  readonly image: ContextImage
  readonly snapshotKey: Uint8Array | undefined
  /** Decodes the messages of all sessions. */
  readonly slices: Slices
  /** Parent of the sessions' accounts of data in transit: values, arguments, answers. */
  readonly memory: MemoryAccount
  /** The manager's memory limit; null: no limit. */
  readonly maxMemoryBytes: number | null
  /** Counts every snapshot that a session holds. */
  readonly snapshots: SnapshotLedger
  /** For sessions that the store keeps. */
  readonly stored: StoredSessions
  readonly observer: Observer

  /** Waits for a slot if none is free. */
  acquire(tenant: string, signal?: AbortSignal): Promise<Slot>
  /** Longest wait for a slot, or for memory to wake the session. */
  readonly acquireTimeoutMs: number
  /** See `ManagerMemory.waitToWake`. */
  waitToWake(snapshot: Snapshot, scale: number, untilMs: number, signal?: AbortSignal): Promise<void>
  /** Returns a slot that is free right now, if there is one. */
  tryAcquire(tenant: string): Slot | undefined
  /** Releases a slot, which is then renewed or ended. */
  release(slot: Slot, released: Released): void
  count(what: Countable): void
  /** Adds what an execution has used. */
  record(used: ExecutionUsage): void
  /** Call when the session has no more calls, so that it can be evicted. */
  onIdle(session: Evictable): void
  /** Call when the session is closed. */
  onClosed(session: Evictable & { readonly id: string }): void
}
