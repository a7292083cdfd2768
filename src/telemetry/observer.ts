// Receives what the library reports: operations with their durations, and events. Owns the histograms of `manager.stats()` and the
// listeners of `manager.on`; forwards operations to the manager's telemetry, if there is any.
import { EventListeners } from './event-listeners.js'
import type { ManagerEvents } from './events.js'
import { failureOf, outcomeOf } from './failure.js'
import { type Distribution, Histogram } from './histogram.js'
import type { Telemetry, TelemetryFacts, TelemetryOperation } from './telemetry.js'
import { Timing } from './timing.js'

export class Observer {
  readonly #telemetry: Telemetry | undefined
  readonly #histograms: Readonly<Record<TelemetryOperation, Histogram>> = {
    acquire: new Histogram(),
    boot: new Histogram(),
    thaw: new Histogram(),
    execute: new Histogram(),
    callback: new Histogram(),
    checkpoint: new Histogram(),
    store: new Histogram(),
  }
  readonly listeners = new EventListeners()

  constructor(telemetry?: Telemetry) {
    this.#telemetry = telemetry
  }

  /** Durations in milliseconds of operations that have ended, including failed ones. */
  distributions(): Readonly<Record<TelemetryOperation, Distribution>> {
    const { acquire, boot, thaw, execute, callback, checkpoint, store } = this.#histograms
    return {
      acquire: acquire.read(),
      boot: boot.read(),
      thaw: thaw.read(),
      execute: execute.read(),
      callback: callback.read(),
      checkpoint: checkpoint.read(),
      store: store.read(),
    }
  }

  /** @param make creates the event; called only if there is a listener */
  emit<Name extends keyof ManagerEvents>(name: Name, make: () => ManagerEvents[Name]): void {
    this.listeners.emit(name, make)
  }

  /** Starts an operation, which the caller must end. `parent` is a context; default: the active one. */
  start(operation: TelemetryOperation, facts: TelemetryFacts, parent?: unknown): Timing {
    const telemetry = this.#telemetry
    const span = telemetry?.startSpan(operation, facts, parent ?? telemetry.active())
    const traced = telemetry && span && { telemetry, span }
    return new Timing(operation, facts, this.#histograms[operation], traced)
  }

  /**
   * Measures an operation that lasts until `run` settles.
   *
   * @param describe returns facts about the operation from its result
   */
  async measure<T>(
    operation: TelemetryOperation,
    facts: TelemetryFacts,
    run: () => Promise<T>,
    describe?: (result: T) => TelemetryFacts,
  ): Promise<T> {
    const timing = this.start(operation, facts)
    try {
      const result = await timing.within(run)
      timing.end(describe?.(result))
      return result
    } catch (error) {
      timing.fail(error)
      throw error
    }
  }

  /** Traces a call made by a session's user: a span, but no histogram. Operations that `run` starts, now or later, are its child spans. */
  trace<T>(
    operation: TelemetryOperation,
    facts: TelemetryFacts,
    run: () => Promise<T>,
    describe: (result: T) => TelemetryFacts,
  ): Promise<T> {
    const telemetry = this.#telemetry
    if (telemetry === undefined) return run()
    const span = telemetry.startSpan(operation, facts, telemetry.active())
    return telemetry.within(span.context, run).then(
      (result) => {
        span.end(describe(result), undefined)
        return result
      },
      (error: unknown) => {
        span.end({ failure: failureOf(error), outcome: outcomeOf(error) }, error)
        throw error
      },
    )
  }

  /** Whether operations become spans. */
  get isTracing(): boolean {
    return this.#telemetry !== undefined
  }

  /** Records a duration in the histogram of `manager.stats()` only. */
  time(operation: TelemetryOperation, durationMs: number): void {
    this.#histograms[operation].record(durationMs)
  }

  /** Records an operation that has ended and has no span of its own. */
  record(operation: TelemetryOperation, durationMs: number, facts: TelemetryFacts): void {
    this.#histograms[operation].record(durationMs)
    this.#telemetry?.record(operation, durationMs, facts, this.#telemetry.active())
  }

  /** The active context, to pass to `within` later. */
  get context(): unknown {
    return this.#telemetry?.active()
  }

  /** Runs a function in a context from `context`; undefined: in none. */
  within<T>(context: unknown, run: () => T): T {
    const telemetry = this.#telemetry
    return telemetry ? telemetry.within(context ?? telemetry.root, run) : run()
  }

  /** Returns a function that calls `run` in the context that is active now. */
  bind<T>(run: () => T): () => T {
    const telemetry = this.#telemetry
    if (telemetry === undefined) return run
    const context = telemetry.active()
    return () => telemetry.within(context, run)
  }

  /** Runs background work, whose spans must not belong to a call that happens to be active. */
  detached<T>(run: () => T): T {
    return this.within(undefined, run)
  }
}
