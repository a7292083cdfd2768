// The statistics of a manager. Owns the type only; the manager and its observer count.
import type { MemoryStats } from '../memory/manager-memory.js'
import type { PoolStats } from '../slots/pool-options.js'
import type { Distribution } from '../telemetry/histogram.js'

/** Result of `manager.stats()`. */
export interface ManagerStats {
  readonly slots: PoolStats
  /** Number of sessions that have an interpreter. */
  readonly attached: number
  /** Number of open sessions without an interpreter. Their next call wakes them. */
  readonly dormant: number
  /** Number of callers waiting for a slot. */
  readonly queued: number
  /** Totals since the manager was created. */
  readonly counters: {
    readonly sessions: number
    readonly executions: number
    readonly timeouts: number
    readonly cancellations: number
    readonly crashes: number
    /** Automatic checkpoints that were taken. */
    readonly checkpoints: number
    /** Automatic checkpoints that could not be taken (`limits.snapshotBytes`, or no memory left). */
    readonly refusedCheckpoints: number
    /** Times that a session was hibernated. */
    readonly hibernations: number
    /** Times that a snapshot was restored into a slot. */
    readonly thaws: number
    /** Writes of sessions to the store. */
    readonly stores: number
    /** Writes that failed when no caller was waiting for them. They are retried. */
    readonly failedStores: number
    /** Results of host calls that arrived too late to be used. */
    readonly lateAnswers: number
    /** Slots that were booted in a new thread. */
    readonly boots: number
    /** Slots that were renewed for another session. */
    readonly renewals: number
  }
  readonly memory: MemoryStats
  /** The first three are totals of all executions, including those of closed sessions; the last two are what open sessions have now. */
  readonly usage: {
    readonly executionMs: number
    readonly outputBytes: number
    readonly callbackInvocations: number
    readonly memoryBytes: number
    readonly fileBytes: number
  }
  /** Durations in milliseconds of operations that have ended, including failed ones. The memory of a histogram does not grow. */
  readonly histograms: {
    /** Waiting for a slot. */
    readonly acquire: Distribution
    /** Booting a slot in a new thread, until its interpreter is ready. */
    readonly boot: Distribution
    /** Loading a snapshot into a slot. */
    readonly thaw: Distribution
    /** Running an execution in its slot. */
    readonly execute: Distribution
    /** Running a host function that Python called, until its promise settled. */
    readonly callback: Distribution
    /** Taking a snapshot of a session between executions. */
    readonly checkpoint: Distribution
    /** Reads, writes, lists and deletes of the store. */
    readonly store: Distribution
  }
}
