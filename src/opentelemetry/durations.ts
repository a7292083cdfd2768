// The histograms of durations, in seconds, which is OpenTelemetry's unit. Owns their names and buckets.
import type { Attributes, Context, Histogram, Meter } from '@opentelemetry/api'
import type { TelemetryOperation } from '../telemetry/telemetry.js'

/**
 * In seconds. A call takes at least a tenth of a millisecond, restoring a snapshot one millisecond, booting a slot a hundred, and an
 * execution may run for half a minute.
 */
const BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

const DESCRIPTIONS: Readonly<Record<TelemetryOperation, string>> = {
  acquire: 'Waits for a slot.',
  boot: 'Slots booted in a new thread, until their interpreter is ready.',
  thaw: 'Snapshots loaded into a slot.',
  execute: 'Executions, in their slot.',
  callback: 'Host functions that Python called.',
  checkpoint: 'Snapshots taken of sessions between executions.',
  store: 'Operations of the store.',
}

const MS_PER_S = 1000

export class Durations {
  readonly #histograms: ReadonlyMap<string, Histogram>

  constructor(meter: Meter) {
    this.#histograms = new Map(
      Object.entries(DESCRIPTIONS).map(([operation, description]) => [
        operation,
        meter.createHistogram(`brumate.${operation}.duration`, {
          unit: 's',
          description,
          advice: { explicitBucketBoundaries: BUCKETS },
        }),
      ]),
    )
  }

  record(operation: TelemetryOperation, durationMs: number, attributes: Attributes, context: Context): void {
    this.#histograms.get(operation)?.record(durationMs / MS_PER_S, attributes, context)
  }
}
