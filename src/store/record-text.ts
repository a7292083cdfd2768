// A session's record as JSON, for stores that keep text. Owns reading and writing it; the stores decide where it is kept.
import type { SnapshotRecord } from './store.js'

export function writeRecord({ tenant, imageId, labels, executionCount, outcomes }: SnapshotRecord): string {
  return JSON.stringify({ tenant, imageId, labels, executionCount, outcomes })
}

/** @returns undefined if the value is not a record */
export function readRecord(value: unknown): SnapshotRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { tenant, imageId, labels, executionCount, outcomes } = value as Partial<
    Record<keyof SnapshotRecord, unknown>
  >
  const isRecord =
    typeof tenant === 'string' &&
    typeof imageId === 'string' &&
    typeof executionCount === 'number' &&
    isTexts(labels) &&
    (outcomes === undefined || typeof outcomes === 'string')
  return isRecord
    ? { tenant, imageId, labels, executionCount, ...(outcomes === undefined ? {} : { outcomes }) }
    : undefined
}

function isTexts(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string')
  )
}
