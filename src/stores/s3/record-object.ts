// The object of a record: JSON. Owns its format. Times are those of the server: an object was written at its LastModified.
import { described } from '../../store/described.js'
import { readRecord } from '../../store/record-text.js'
import type { SnapshotRecord, StoredSession } from '../../store/store.js'

/** Dates of HTTP are whole seconds. A lease is never seen to expire too early. */
const ROUNDING_MS = 1000

export interface RecordObject {
  readonly version: 1
  readonly id: string
  readonly generation: number
  /** Of the write: whoever sees it knows that the write happened. */
  readonly nonce: string
  /** The entry was deleted. The object stays for a while, so that the next entry's generation is higher. */
  readonly isDeleted: boolean
  readonly record: SnapshotRecord
  /** Undefined: this write made the entry. */
  readonly createdAtMs?: number | undefined
  readonly owner?: { readonly id: string; readonly leaseMs: number } | undefined
  /** Undefined: the snapshot is empty. */
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
