// What a manager says of itself: the figures' names and their histograms. Owns no figure; the manager counts them.
import type { createHistogram } from 'node:perf_hooks'
import type { MemoryStats } from '../memory/manager-memory.js'
import type { PoolStats } from '../slots/pool-options.js'

/** Durations in milliseconds. */
export interface Distribution {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

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
  readonly histograms: {
    /** Waits for a slot. */
    readonly acquire: Distribution
    /** Executions, in their slot. */
    readonly execute: Distribution
  }
}

export type RecordableHistogram = ReturnType<typeof createHistogram>

export function record(histogram: RecordableHistogram, durationMs: number): void {
  histogram.record(Math.max(1, Math.round(durationMs * 1000)))
}

export function distribution(histogram: RecordableHistogram): Distribution {
  const { count } = histogram
  if (count === 0) return { count, meanMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 }
  return {
    count,
    meanMs: histogram.mean / 1000,
    p50Ms: histogram.percentile(50) / 1000,
    p99Ms: histogram.percentile(99) / 1000,
    maxMs: histogram.max / 1000,
  }
}
