// Describes an entry for `get` and `list`, from the facts that a store keeps. Owns the dates, and the remaining time of an owner's lease.
import type { SnapshotRecord, StoredSession } from './store.js'

export interface EntryFacts {
  readonly id: string
  readonly record: SnapshotRecord
  readonly generation: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly sizeBytes: number
  readonly owner?: { readonly id: string; readonly expiresAtMs: number } | undefined
}

/** @param nowMs by the store's clock, like all times here */
export function described(facts: EntryFacts, nowMs: number): StoredSession {
  const { id, record, generation, createdAtMs, updatedAtMs, sizeBytes, owner } = facts
  return {
    ...record,
    id,
    generation,
    createdAt: new Date(createdAtMs),
    updatedAt: new Date(updatedAtMs),
    sizeBytes,
    ...(owner && {
      owner: {
        id: owner.id,
        expiresAt: new Date(owner.expiresAtMs),
        remainingMs: owner.expiresAtMs - nowMs,
      },
    }),
  }
}
