// The object of a record, in JSON. Owns its format. Times are by the server's clock: an object was written at its LastModified.
import { described } from '../../store/described.js'
import { readRecord } from '../../store/record-text.js'
import type { SnapshotRecord, StoredSession } from '../../store/store.js'

/** HTTP dates are whole seconds. This makes sure that a lease never appears to expire too early. */
const ROUNDING_MS = 1000

export interface RecordObject {
  readonly version: 1
  readonly id: string
  readonly generation: number
  /** Identifies the write: a writer that reads its own nonce knows that its write happened. */
  readonly nonce: string
  /** Whether the entry was deleted. The object stays for a while, so that the next entry gets a higher generation. */
  readonly isDeleted: boolean
  readonly record: SnapshotRecord
  /** Undefined if this write created the entry. */
  readonly createdAtMs?: number | undefined
  readonly owner?: { readonly id: string; readonly leaseMs: number } | undefined
  /** Undefined if the snapshot is empty. */
  readonly snapshot?: { readonly nonce: string; readonly sizeBytes: number } | undefined
}

/** The object as the server returned it. */
export interface StoredRecord {
  readonly object: RecordObject
  readonly etag: string
  readonly modifiedAtMs: number
  /** When it was read, by the server's clock. */
  readonly readAtMs: number
}

export function decodeObject(text: string): RecordObject | undefined {
  try {
    const object = JSON.parse(text) as RecordObject
    return object.version === 1 && readRecord(object.record) ? object : undefined
  } catch {
    return undefined
  }
}

export function describeStored({ object, modifiedAtMs, readAtMs }: StoredRecord): StoredSession {
  const { id, generation, record, createdAtMs = modifiedAtMs, owner, snapshot } = object
  const facts = {
    id,
    generation,
    record: readRecord(record) as SnapshotRecord,
    createdAtMs,
    updatedAtMs: modifiedAtMs,
    sizeBytes: snapshot?.sizeBytes ?? 0,
    owner: owner && { id: owner.id, expiresAtMs: modifiedAtMs + owner.leaseMs + ROUNDING_MS },
  }
  return described(facts, readAtMs)
}
