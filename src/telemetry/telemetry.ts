// What the library reports to a tracing and metrics system, and the interface of one. Owns the types only: brumate/opentelemetry implements
// it, and observer.ts calls it.

/** Each is a span and a histogram of durations. */
export type TelemetryOperation =
  /** A session waits for a slot. */
  | 'acquire'
  /** A slot starts: its thread, and its interpreter. */
  | 'boot'
  /** A snapshot is loaded into a slot. */
  | 'thaw'
  /** A call of `execute` or `resume`. The histogram has the part in which the code runs in its slot. */
  | 'execute'
  /** The host function of a host call runs. */
  | 'callback'
  /** A snapshot is taken of an idle session. */
  | 'checkpoint'
  /** The store reads, writes, lists or deletes. */
  | 'store'

/** What is known of an operation. Never code, output or values. */
export interface TelemetryFacts {
  readonly sessionId?: string | undefined
  readonly tenant?: string | undefined
  readonly imageId?: string | undefined
  readonly slotId?: number | undefined
  /** `execute`: `completed`, `suspended`, or what is left of the session if it failed. `callback`: also `suspended`. */
  readonly outcome?: string | undefined
  /** Set if the operation failed: an error's `code`, or the name of its class. */
  readonly failure?: string | undefined
  /** `execute`: which one of the session's it was. */
  readonly executionCount?: number | undefined
  /** `execute`: how long the code ran in its slot. */
  readonly ranMs?: number | undefined
  /** `execute`: host calls that the code made. */
  readonly callbackInvocations?: number | undefined
  /** `execute`: the call was `resume`. */
  readonly isResumed?: boolean | undefined
  /** `callback`: the name that Python called. */
  readonly callback?: string | undefined
  /** `thaw`, `checkpoint`: size of the snapshot. */
  readonly bytes?: number | undefined
  /** `store`: what it was asked to do. */
  readonly storeOperation?: 'read' | 'write' | 'delete' | 'list' | undefined
}

/** Figures that are read when metrics are collected: the part of `manager.stats()` that has a metric. */
export interface TelemetryFigures {
  readonly slots: Readonly<Record<'max' | 'booting' | 'ready' | 'leased' | 'renewing' | 'parked', number>>
  readonly attached: number
  readonly dormant: number
  readonly queued: number
  readonly counters: Readonly<Record<string, number>>
  readonly memory: Readonly<
    Record<'usedBytes' | 'imageBytes' | 'slotBytes' | 'snapshotBytes' | 'valueBytes', number>
  > & { readonly maxBytes: number | null }
}

/** A span under way. */
export interface TelemetrySpan {
  /** A context in which this span is the active one. */
  readonly context: unknown
  /** @param error what the operation failed with */
  end(facts: TelemetryFacts, error: unknown): void
}

/** Made by `openTelemetry()` of `brumate/opentelemetry`. None of its methods may throw. A context is whatever the system makes of it. */
export interface Telemetry {
  /** The context without a span. */
  readonly root: unknown
  /** The context of the running code. */
  active(): unknown
  /** Runs `run`, and what it starts, in the context. */
  within<T>(context: unknown, run: () => T): T
  /** Starts a span below that of the context. */
  startSpan(operation: TelemetryOperation, facts: TelemetryFacts, parent: unknown): TelemetrySpan
  /** An operation has ended. */
  record(operation: TelemetryOperation, durationMs: number, facts: TelemetryFacts, context: unknown): void
  /** A manager has begun. Call the result when it has ended. */
  observe(read: () => TelemetryFigures): () => void
}

/** The methods that a `Telemetry` must have. */
export const TELEMETRY_METHODS = ['active', 'within', 'startSpan', 'record', 'observe'] as const
