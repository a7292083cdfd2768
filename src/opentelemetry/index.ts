// `brumate/opentelemetry`: spans and metrics by @opentelemetry/api, which is the caller's own. Owns how operations become spans; names of
// attributes are attributes.ts's, metrics durations.ts's and figures.ts's.
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
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider
  /** Default: the one that is global when `SessionManager.create` is called. */
  readonly meterProvider?: MeterProvider
  /** For every span and metric, such as a name that tells managers of one process apart. Default none. */
  readonly attributes?: Attributes
  /**
   * Attach an exception event with its message and stack to the spans of what failed. A Python error's message and traceback have texts of the
   * user's code. Default false: spans and metrics have the error's `code` only.
   */
  readonly recordExceptions?: boolean
}

const SCOPE = 'brumate'

interface Metrics {
  readonly durations: Durations
  readonly figures: ObservedFigures
}

/**
 * For the option `telemetry` of `SessionManager.create`. Call it after the OpenTelemetry SDK has been started. Several managers may share
 * what it returns: their figures are then added up.
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
    // A store is another system, or may be.
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

  /** Not sooner than a manager is made: a meter that is asked for before the SDK has started stays without effect. */
  #instruments(): Metrics {
    if (this.#metrics) return this.#metrics
    const { meterProvider = metrics.getMeterProvider() } = this.#options
    const meter: Meter = meterProvider.getMeter(SCOPE)
    this.#metrics = { durations: new Durations(meter), figures: new ObservedFigures(meter, this.#attributes) }
    return this.#metrics
  }
}
