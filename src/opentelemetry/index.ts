// `brumate/opentelemetry`: spans and metrics with the caller's own @opentelemetry/api. Owns how operations become spans; attributes.ts owns
// the names of attributes, durations.ts and figures.ts own the metrics.
import {
  type Attributes,
  type Context,
  context,
  type Meter,
  type MeterProvider,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import type {
  Telemetry,
  TelemetryFacts,
  TelemetryFigures,
  TelemetryOperation,
  TelemetrySpan,
} from '../telemetry/telemetry.js'
import { metricAttributes, spanAttributes } from './attributes.js'
import { Durations } from './durations.js'
import { ObservedFigures } from './figures.js'

export interface OpenTelemetryOptions {
  /** Default: the global provider. */
  readonly tracerProvider?: TracerProvider
  /** Default: the global provider at the time of `SessionManager.create`. */
  readonly meterProvider?: MeterProvider
  /** Added to every span and metric, such as a name that distinguishes the managers of a process. Default: none. */
  readonly attributes?: Attributes
  /**
   * Adds an exception event with message and stack to the spans of failed operations. A Python error's message and traceback can contain
   * text from the user's code. Default false: spans and metrics have only the error's `code`.
   */
  readonly recordExceptions?: boolean
}

const SCOPE = 'brumate'

interface Metrics {
  readonly durations: Durations
  readonly figures: ObservedFigures
}

/**
 * Makes the value for the option `telemetry` of `SessionManager.create`. Call it after the OpenTelemetry SDK has been started. If several
 * managers share the result, their figures are added up.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  return new OpenTelemetry(options)
}

class OpenTelemetry implements Telemetry {
  readonly root = ROOT_CONTEXT
  readonly #tracer: Tracer
  readonly #options: OpenTelemetryOptions
  readonly #attributes: Attributes
  #metrics: Metrics | undefined

  constructor(options: OpenTelemetryOptions) {
    const { tracerProvider = trace.getTracerProvider(), attributes = {} } = options
    this.#tracer = tracerProvider.getTracer(SCOPE)
    this.#options = options
    this.#attributes = { ...attributes }
  }

  active(): Context {
    return context.active()
  }

  within<T>(active: Context, run: () => T): T {
    return context.with(active, run)
  }

  startSpan(operation: TelemetryOperation, facts: TelemetryFacts, parent: Context): TelemetrySpan {
    // A store may be another system.
    const kind = operation === 'store' ? SpanKind.CLIENT : SpanKind.INTERNAL
    const attributes = { ...this.#attributes, ...spanAttributes(facts) }
    const span = this.#tracer.startSpan(`brumate.${operation}`, { kind, attributes }, parent)
    return {
      context: trace.setSpan(parent, span),
      end: (more, error) => this.#end(span, more, error),
    }
  }

  record(operation: TelemetryOperation, durationMs: number, facts: TelemetryFacts, active: Context): void {
    const attributes = { ...this.#attributes, ...metricAttributes(facts) }
    this.#instruments().durations.record(operation, durationMs, attributes, active)
  }

  observe(read: () => TelemetryFigures): () => void {
    return this.#instruments().figures.add(read)
  }

  #end(span: Span, facts: TelemetryFacts, error: unknown): void {
    span.setAttributes(spanAttributes(facts))
    if (facts.failure !== undefined) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: facts.failure })
      if (this.#options.recordExceptions && error instanceof Error) span.recordException(error)
    }
    span.end()
  }

  /** Created only when a manager needs them: a meter that is requested before the SDK has started never has an effect. */
  #instruments(): Metrics {
    if (this.#metrics) return this.#metrics
    const { meterProvider = metrics.getMeterProvider() } = this.#options
    const meter: Meter = meterProvider.getMeter(SCOPE)
    this.#metrics = { durations: new Durations(meter), figures: new ObservedFigures(meter, this.#attributes) }
    return this.#metrics
  }
}
