// What a manager says of itself: the figures' names. Owns no figure; the manager and its observer count them.
import type { MemoryStats } from '../memory/manager-memory.js'
import type { PoolStats } from '../slots/pool-options.js'
import type { Distribution } from '../telemetry/histogram.js'

export interface ManagerStats {
  readonly slots: PoolStats
  /** Sessions with an interpreter. */
  readonly attached: number
  /** Sessions without one; their next call gets it. */
  readonly dormant: number
  /** Callers waiting for a slot. */
  readonly queued: number
  readonly counters: {
    readonly sessions: number
    readonly executions: number
    readonly timeouts: number
    readonly cancellations: number
    readonly crashes: number
    /** Automatic checkpoints, and those that could not be taken (`limits.snapshotBytes`, or no memory left). */
    readonly checkpoints: number
    readonly refusedCheckpoints: number
    /** Hibernated sessions, and snapshots restored into a slot. */
    readonly hibernations: number
    readonly thaws: number
    /** Sessions written to the store, and writes that failed with no caller to be told. They are tried again. */
    readonly stores: number
    readonly failedStores: number
    /** Results of host calls that came too late to be used. */
    readonly lateAnswers: number
    /** Slots booted in a new thread, and slots renewed for another session. */
    readonly boots: number
    readonly renewals: number
  }
  readonly memory: MemoryStats
  /** Sums over all executions, of closed sessions too, and what open sessions have now. */
  readonly usage: {
    readonly executionMs: number
    readonly outputBytes: number
    readonly callbackInvocations: number
    readonly memoryBytes: number
    readonly fileBytes: number
  }
  /** Durations of what has ended, failed or not, in milliseconds. Their memory is fixed. */
  readonly histograms: {
    /** Waits for a slot. */
    readonly acquire: Distribution
    /** Slots booted in a new thread, until their interpreter is ready. */
    readonly boot: Distribution
    /** Snapshots loaded into a slot. */
    readonly thaw: Distribution
    /** Executions, in their slot. */
    readonly execute: Distribution
    /** Host functions that Python called, until their promise settled. */
    readonly callback: Distribution
    /** Snapshots taken of sessions between executions. */
    readonly checkpoint: Distribution
    /** Reads, writes, listings and deletions of the store. */
    readonly store: Distribution
  }
}
