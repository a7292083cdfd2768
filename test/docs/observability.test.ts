// docs/observability.md lists all metrics, attributes and events, and its alerts use no others.
import { readFileSync } from 'node:fs'
import type { Meter, MeterProvider, MetricOptions } from '@opentelemetry/api'
import { openTelemetry } from 'brumate/opentelemetry'
import { expect, test } from 'vitest'
import { spanAttributes } from '../../src/opentelemetry/attributes.js'
import type { TelemetryFacts, TelemetryFigures } from '../../src/telemetry/telemetry.js'

const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8')
const api = readFileSync(new URL('../../docs/api.d.txt', import.meta.url), 'utf8')

const KINDS: Readonly<Record<string, string>> = {
  createHistogram: 'histogram',
  createObservableCounter: 'counter',
  createObservableUpDownCounter: 'up-down counter',
}

/** All metrics that a manager creates, as `name kind unit`. */
function metricsOfManager(): string[] {
  const made: string[] = []
  const meter = new Proxy({} as Meter, {
    get: (_, method: string) => (name: string, options?: MetricOptions) => {
      if (KINDS[method]) made.push(`${name} ${KINDS[method]} ${options?.unit}`)
      return {}
    },
  })
  const meterProvider: MeterProvider = { getMeter: () => meter }
  openTelemetry({ meterProvider }).observe(() => ({}) as TelemetryFigures)
  return made.sort()
}

const metrics = metricsOfManager()

test('the table of metrics lists every metric with its kind and unit', () => {
  const [, table = ''] = page.split('### Metrics')
  const rows = [...table.matchAll(/^\| (`brumate\..*?) \| (.*?), `(.*?)` \|/gm)]
  const named = rows.flatMap(([, names = '', kind, unit]) =>
    [...names.matchAll(/`(.*?)`/g)].map(([, name]) => `${name} ${kind} ${unit}`),
  )
  expect(named.sort()).toEqual(metrics)
})

test('the table of attributes lists every attribute', () => {
  const facts: Required<TelemetryFacts> = {
    ...{
      sessionId: 's',
      tenant: 't',
      imageId: 'i',
      slotId: 1,
      outcome: 'o',
      failure: 'f',
      executionCount: 1,
    },
    ...{ ranMs: 1, callbackInvocations: 1, isResumed: true, callback: 'c', bytes: 1, storeOperation: 'read' },
  }
  const [, spans = ''] = page.split('### Spans')
  const [table = ''] = spans.split('### Metrics')
  const named = [...table.matchAll(/`((?:brumate|error)\.[\w.]+)`/g)].map(([, name]) => name)
  for (const name of Object.keys(spanAttributes(facts))) expect(named).toContain(name)
})

test('the alerts use only existing metrics', () => {
  const [, rules = ''] = page.split('```yaml')
  const used = [...rules.matchAll(/\bbrumate_\w+/g)].map(([name]) => name)
  const known = metrics.flatMap((metric) => {
    const name = metric.split(' ')[0]?.replaceAll('.', '_') ?? ''
    if (metric.includes(' histogram ')) return [`${name}_bucket`, `${name}_count`, `${name}_sum`]
    return metric.includes(' up-down ') ? name : `${name}_total`
  })
  expect(used.length).toBeGreaterThan(8)
  expect(used.filter((name) => !known.includes(name))).toEqual([])
})

test('the table of events lists every type', () => {
  const types = [...api.matchAll(/^export type \w+Event = .*?^\}\);$/gms)].flatMap(([declaration]) =>
    [...declaration.matchAll(/readonly type: (.*);/g)].flatMap(([, union = '']) => union.match(/\w+/g) ?? []),
  )
  expect(types.length).toBeGreaterThan(12)
  const [, events = ''] = page.split('## Events')
  const [table = ''] = events.split('## OpenTelemetry')
  expect(types.filter((type) => !table.includes(`\`${type}\``))).toEqual([])
})
