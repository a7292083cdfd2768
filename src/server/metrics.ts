// `/metrics`: counters of the server and its manager, in the text format of Prometheus
// (https://prometheus.io/docs/instrumenting/exposition_formats). Owns the metrics' names, and counting requests.
import type { SessionManager } from '../manager.js'
import type { Distribution } from '../telemetry/histogram.js'

interface Counted {
  count: number
  seconds: number
}

export class Metrics {
  readonly #manager: SessionManager
  /** Requests, by their labels. There are few routes, methods and statuses, so the map stays small. */
  readonly #requests = new Map<string, Counted>()

  constructor(manager: SessionManager) {
    this.#manager = manager
  }

  /** @param route as OpenAPI writes it, so that the ids of sessions do not make a metric each */
  count(method: string, route: string, status: number, ms: number): void {
    const key = `method="${method}",route="${route}",status="${status}"`
    const counted = this.#requests.get(key) ?? { count: 0, seconds: 0 }
    this.#requests.set(key, counted)
    counted.count++
    counted.seconds += ms / 1000
  }

  text(): string {
    const { slots, attached, dormant, queued, counters, memory, usage, histograms } = this.#manager.stats()
    const requests = [...this.#requests]
    const { max, booting, ready, leased, renewing, parked } = slots
    const states = Object.entries({ booting, ready, leased, renewing, parked })
    return [
      ...series(
        'http_requests_total',
        'counter',
        'Requests that have been answered',
        requests.map(([labels, { count }]) => [labels, count]),
      ),
      ...series(
        'http_request_seconds_total',
        'counter',
        'Their time until the response began',
        requests.map(([labels, { seconds }]) => [labels, seconds]),
      ),
      ...series(
        'slots',
        'gauge',
        'Interpreters by state',
        states.map(([state, count]) => [`state="${state}"`, count]),
      ),
      ...series('slots_max', 'gauge', 'Most interpreters', [['', max]]),
      ...series('sessions', 'gauge', 'Open sessions', [
        ['state="attached"', attached],
        ['state="dormant"', dormant],
      ]),
      ...series('queued', 'gauge', 'Callers waiting for an interpreter', [['', queued]]),
      ...Object.entries(counters).flatMap(([name, count]) =>
        series(`${snake(name)}_total`, 'counter', 'As `manager.stats().counters`', [['', count]]),
      ),
      ...series('memory_bytes', 'gauge', 'What the sessions make this process hold', [
        ['kind="image"', memory.imageBytes],
        ['kind="slot"', memory.slotBytes],
        ['kind="snapshot"', memory.snapshotBytes],
        ['kind="value"', memory.valueBytes],
      ]),
      ...series('execution_seconds_total', 'counter', 'Time of executions in their interpreter', [
        ['', usage.executionMs / 1000],
      ]),
      ...series('process_resident_bytes', 'gauge', 'Resident memory of the process', [
        ['', process.memoryUsage.rss()],
      ]),
      ...Object.entries(histograms).flatMap(([name, distribution]) =>
        histogram(`${snake(name)}_seconds`, distribution),
      ),
      '',
    ].join('\n')
  }
}

function series(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  values: readonly (readonly [labels: string, value: number])[],
): string[] {
  const full = `brumate_${name}`
  const lines = values.map(([labels, value]) => `${full}${labels === '' ? '' : `{${labels}}`} ${value}`)
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines]
}

function histogram(name: string, { count, sumMs, buckets }: Distribution): string[] {
  const full = `brumate_${name}`
  let below = 0
  const lines = buckets.map(({ upToMs, count: more }) => {
    below += more
    return `${full}_bucket{le="${upToMs / 1000}"} ${below}`
  })
  return [
    ...[`# HELP ${full} As \`manager.stats().histograms\``, `# TYPE ${full} histogram`, ...lines],
    ...[`${full}_bucket{le="+Inf"} ${count}`, `${full}_sum ${sumMs / 1000}`, `${full}_count ${count}`],
  ]
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
