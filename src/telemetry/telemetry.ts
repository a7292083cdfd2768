// The interface of a tracing and metrics system, and what the library reports to it. Owns the types only: brumate/opentelemetry implements
// the interface, and observer.ts calls it.

/** The kinds of operations. Each has spans and a histogram of durations. */
export type TelemetryOperation =
  /** A session waits for a slot. */
  | 'acquire'
  /** A slot boots: its thread, and its interpreter. */
  | 'boot'
  /** A snapshot is loaded into a slot. */
  | 'thaw'
  /** A call of `execute` or `resume`. The histogram has only the time in which the code runs in its slot. */
  | 'execute'
  /** The host function of a host call runs. */
  | 'callback'
  /** A snapshot of an idle session is taken. */
  | 'checkpoint'
  /** The store reads, writes, lists or deletes. */
  | 'store'

/** Facts about an operation. Never contains code, output or values. */
export interface TelemetryFacts {
  readonly sessionId?: string | undefined
  readonly tenant?: string | undefined
  readonly imageId?: string | undefined
  readonly slotId?: number | undefined
  /** `execute`: `completed`, `suspended`, or after a failure the state that the session has. `callback`: also `suspended`. */
  readonly outcome?: string | undefined
  /** Set if the operation failed: an error's `code`, or the name of its class. */
  readonly failure?: string | undefined
  /** `execute`: the execution's number in its session. */
  readonly executionCount?: number | undefined
  /** `execute`: how long the code ran in its slot. */
  readonly ranMs?: number | undefined
  /** `execute`: number of host calls that the code made. */
  readonly callbackInvocations?: number | undefined
  /** `execute`: the call was `resume`. */
  readonly isResumed?: boolean | undefined
  /** `callback`: the name that Python called. */
  readonly callback?: string | undefined
  /** `thaw`, `checkpoint`: size of the snapshot. */
  readonly bytes?: number | undefined
  /** `store`: the requested operation. */
  readonly storeOperation?: 'read' | 'write' | 'delete' | 'list' | undefined
}

/** The part of `manager.stats()` that is exported as metrics. It is read each time metrics are collected. */
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

/** A span that has not ended. */
export interface TelemetrySpan {
  /** A context in which this span is the active one. */
  readonly context: unknown
  /** @param error what the operation failed with */
  end(facts: TelemetryFacts, error: unknown): void
}

/** Implemented by `openTelemetry()` of `brumate/opentelemetry`. No method may throw. Contexts are opaque to the library. */
export interface Telemetry {
  /** The context without a span. */
  readonly root: unknown
  /** The context of the running code. */
  active(): unknown
  /** Runs `run`, and everything that it starts, in the context. */
  within<T>(context: unknown, run: () => T): T
  /** Starts a span as a child of the span of the `parent` context. */
  startSpan(operation: TelemetryOperation, facts: TelemetryFacts, parent: unknown): TelemetrySpan
  /** Records the duration of an operation that has ended. */
  record(operation: TelemetryOperation, durationMs: number, facts: TelemetryFacts, context: unknown): void
  /** Starts to collect the metrics of a manager with `read`. The returned function stops that; it is called when the manager closes. */
  observe(read: () => TelemetryFigures): () => void
}

/** The methods that a `Telemetry` must have. */
export const TELEMETRY_METHODS = ['active', 'within', 'startSpan', 'record', 'observe'] as const
