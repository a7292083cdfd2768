// The metrics that are read at collection time: the sums over all managers that share one `openTelemetry()`. Owns the table of these
// metrics, and the counters of closed managers, because a sum that falls would look like a restart.
import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import type { TelemetryFigures } from '../telemetry/telemetry.js'

/** Metric, unit and description of each counter, by its name in `manager.stats().counters`. */
const COUNTERS: Readonly<Record<string, readonly [metric: string, unit: string, description: string]>> = {
  sessions: ['brumate.session.opened', '{session}', 'Sessions that were created or opened.'],
  hibernations: ['brumate.session.hibernated', '{session}', 'Sessions that gave up their slot.'],
  thaws: ['brumate.session.thawed', '{session}', 'Snapshots that were loaded into a slot.'],
  executions: ['brumate.execution.started', '{execution}', 'Executions.'],
  timeouts: ['brumate.execution.timeouts', '{execution}', 'Calls that ran past their time limit.'],
  cancellations: [
    'brumate.execution.cancellations',
    '{execution}',
    'Calls that were aborted or interrupted.',
  ],
  crashes: ['brumate.slot.crashes', '{slot}', 'Slots that were lost while a session had them.'],
  boots: ['brumate.slot.boots', '{slot}', 'Slots that were started.'],
  renewals: ['brumate.slot.renewals', '{slot}', 'Slots that were renewed for another session.'],
  checkpoints: ['brumate.checkpoint.taken', '{checkpoint}', 'Automatic checkpoints.'],
  refusedCheckpoints: [
    'brumate.checkpoint.refused',
    '{checkpoint}',
    'Automatic checkpoints that could not be taken.',
  ],
  stores: ['brumate.store.writes', '{session}', 'Sessions that were written to the store.'],
  failedStores: ['brumate.store.failures', '{session}', 'Writes that failed with no caller to be told.'],
  lateAnswers: [
    'brumate.callback.late',
    '{call}',
    'Results of host functions that came too late to be used.',
  ],
}

/** Reads a metric's values from a manager's figures. */
type Read = (figures: TelemetryFigures) => readonly (readonly [value: number, attributes?: Attributes])[]

const GAUGES: readonly (readonly [metric: string, unit: string, description: string, read: Read])[] = [
  [
    'brumate.slot.count',
    '{slot}',
    'Slots by state.',
    ({ slots }) =>
      (['booting', 'ready', 'leased', 'renewing', 'parked'] as const).map((state) => [
        slots[state],
        { 'brumate.slot.state': state },
      ]),
  ],
  ['brumate.slot.limit', '{slot}', 'Most slots.', ({ slots }) => [[slots.max]]],
  [
    'brumate.session.count',
    '{session}',
    'Open sessions by state.',
    ({ attached, dormant }) => [
      [attached, { 'brumate.session.state': 'attached' }],
      [dormant, { 'brumate.session.state': 'dormant' }],
    ],
  ],
  ['brumate.queue.length', '{call}', 'Callers that wait for a slot.', ({ queued }) => [[queued]]],
  [
    'brumate.memory.usage',
    'By',
    'Memory in the account of the manager, by what takes it.',
    ({ memory }) => [
      [memory.imageBytes, { 'brumate.memory.kind': 'image' }],
      [memory.slotBytes, { 'brumate.memory.kind': 'slot' }],
      [memory.snapshotBytes, { 'brumate.memory.kind': 'snapshot' }],
      [memory.valueBytes, { 'brumate.memory.kind': 'value' }],
    ],
  ],
  [
    'brumate.memory.limit',
    'By',
    'maxMemoryBytes, if there is a limit.',
    ({ memory: { maxBytes } }) => (maxBytes === null ? [] : [[maxBytes]]),
  ],
]

export class ObservedFigures {
  readonly #managers = new Set<() => TelemetryFigures>()
  readonly #attributes: Attributes
  readonly #counters: readonly (readonly [name: string, counter: Observable])[]
  readonly #gauges: readonly (readonly [read: Read, gauge: Observable])[]
  /** Sums of the counters of closed managers. */
  readonly #past = new Map<string, number>()

  /** @param attributes added to every observation */
  constructor(meter: Meter, attributes: Attributes) {
    this.#attributes = attributes
    this.#counters = Object.entries(COUNTERS).map(([name, [metric, unit, description]]) => [
      name,
      meter.createObservableCounter(metric, { unit, description }),
    ])
    this.#gauges = GAUGES.map(([metric, unit, description, read]) => [
      read,
      meter.createObservableUpDownCounter(metric, { unit, description }),
    ])
    const all = [...this.#counters, ...this.#gauges].map(([, observable]) => observable)
    meter.addBatchObservableCallback((result) => this.#observe(result), all)
  }

  /** Adds a manager. Call the returned function when the manager is closed. */
  add(read: () => TelemetryFigures): () => void {
    this.#managers.add(read)
    return () => {
      if (!this.#managers.delete(read)) return
      const { counters } = read()
      for (const [name] of this.#counters) this.#past.set(name, this.#pastOf(name) + (counters[name] ?? 0))
    }
  }

  #observe(result: BatchObservableResult): void {
    const all = [...this.#managers].map((read) => read())
    for (const [name, counter] of this.#counters) {
      const now = all.reduce((sum, { counters }) => sum + (counters[name] ?? 0), 0)
      result.observe(counter, this.#pastOf(name) + now, this.#attributes)
    }
    for (const [read, gauge] of this.#gauges)
      for (const [value, attributes] of added(all.map(read)))
        result.observe(gauge, value, { ...this.#attributes, ...attributes })
  }

  #pastOf(name: string): number {
    return this.#past.get(name) ?? 0
  }
}

/** Adds up the values at the same position of each manager. */
function added(each: readonly ReturnType<Read>[]): ReturnType<Read> {
  const longest = each.reduce((most, one) => (one.length > most.length ? one : most), each[0] ?? [])
  return longest.map(([, attributes], i) => [
    each.reduce((sum, one) => sum + (one[i]?.[0] ?? 0), 0),
    ...(attributes ? ([attributes] as const) : ([] as const)),
  ])
}
