// The names of attributes. Spans get all known facts, metrics only those with few distinct values. Owns the table.
import type { Attributes } from '@opentelemetry/api'
import type { TelemetryFacts } from '../telemetry/telemetry.js'

const NAMES = {
  sessionId: 'brumate.session.id',
  tenant: 'brumate.tenant',
  imageId: 'brumate.image.id',
  slotId: 'brumate.slot.id',
  outcome: 'brumate.outcome',
  failure: 'error.type',
  executionCount: 'brumate.execution.number',
  ranMs: 'brumate.execution.duration',
  callbackInvocations: 'brumate.execution.callbacks',
  isResumed: 'brumate.execution.resumed',
  callback: 'brumate.callback.name',
  bytes: 'brumate.snapshot.size',
  storeOperation: 'brumate.store.operation',
} as const satisfies Record<keyof TelemetryFacts, string>

/** Facts that metrics get. Each distinct value makes another time series. */
const ON_METRICS = ['outcome', 'failure', 'callback', 'storeOperation'] as const

const MS_PER_S = 1000

export function spanAttributes(facts: TelemetryFacts): Attributes {
  const attributes: Attributes = {}
  for (const [fact, name] of Object.entries(NAMES) as [keyof TelemetryFacts, string][]) {
    const value = facts[fact]
    if (value !== undefined) attributes[name] = value
  }
  if (facts.ranMs !== undefined) attributes[NAMES.ranMs] = facts.ranMs / MS_PER_S
  return attributes
}

export function metricAttributes(facts: TelemetryFacts): Attributes {
  const attributes: Attributes = {}
  for (const fact of ON_METRICS) {
    const value = facts[fact]
    if (value !== undefined) attributes[NAMES[fact]] = value
  }
  return attributes
}
