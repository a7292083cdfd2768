// The timing of one operation, from its start until it ends, once. Owns its clock, and its span if the manager has telemetry.
import { failureOf } from './failure.js'
import type { Histogram } from './histogram.js'
import type { Telemetry, TelemetryFacts, TelemetryOperation, TelemetrySpan } from './telemetry.js'

interface Traced {
  readonly telemetry: Telemetry
  readonly span: TelemetrySpan
}

export class Timing {
  readonly #operation: TelemetryOperation
  readonly #facts: TelemetryFacts
  readonly #histogram: Histogram
  readonly #traced: Traced | undefined
  readonly #startedMs = performance.now()

  constructor(
    operation: TelemetryOperation,
    facts: TelemetryFacts,
    histogram: Histogram,
    traced: Traced | undefined,
  ) {
    this.#operation = operation
    this.#facts = facts
    this.#histogram = histogram
    this.#traced = traced
  }

  /** Runs the operation, or a part of it. Spans that it starts are children of this operation's span. */
  within<T>(run: () => T): T {
    const traced = this.#traced
    return traced ? traced.telemetry.within(traced.span.context, run) : run()
  }

  /** @returns how long it took, in milliseconds */
  end(more: TelemetryFacts = {}): number {
    return this.#end(more, undefined)
  }

  /** Ends a cancelled operation without recording its duration, which would not be representative. */
  drop(): void {
    this.#traced?.span.end({ outcome: 'cancelled' }, undefined)
  }

  /** Ends an operation that failed. @returns how long it took, in milliseconds */
  fail(error: unknown, more: TelemetryFacts = {}): number {
    return this.#end(this.#traced ? { failure: failureOf(error), ...more } : more, error)
  }

  #end(more: TelemetryFacts, error: unknown): number {
    const durationMs = performance.now() - this.#startedMs
    this.#histogram.record(durationMs)
    if (this.#traced) {
      const { telemetry, span } = this.#traced
      telemetry.record(this.#operation, durationMs, { ...this.#facts, ...more }, span.context)
      span.end(more, error)
    }
    return durationMs
  }
}
