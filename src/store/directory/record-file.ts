// The file of a record: a line with the SHA-256 of the rest, then JSON. Owns its format. A record says which file has the snapshot.
import { createHash } from 'node:crypto'
import { described } from '../described.js'
import { readRecord } from '../record-text.js'
import type { SnapshotRecord, StoredSession } from '../store.js'

export interface SnapshotFile {
  readonly name: string
  readonly sizeBytes: number
  readonly sha256: string
}

export interface EntryRecord {
  readonly id: string
  readonly generation: number
  /** The entry was deleted with this generation, and its files are to be removed. */
  readonly isDeleted: boolean
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly record: SnapshotRecord
  readonly owner?: { readonly id: string; readonly expiresAtMs: number } | undefined
  /** Undefined: the snapshot is empty. */
  readonly snapshot?: SnapshotFile | undefined
}

export function encodeRecord(record: EntryRecord): Buffer {
  const text = JSON.stringify({ version: 1, ...record })
  return Buffer.from(`${hashOf(text)}\n${text}\n`)
}

/** @returns undefined for a text that is damaged, or that another version wrote */
export function decodeRecord(bytes: Buffer): EntryRecord | undefined {
  const text = bytes.toString('utf8')
  const end = text.indexOf('\n')
  const json = text.slice(end + 1, -1)
  if (!text.endsWith('\n') || text.slice(0, end) !== hashOf(json)) return undefined
  const value = JSON.parse(json) as { readonly version: number } & EntryRecord
  return value.version === 1 && readRecord(value.record) ? value : undefined
}

export function describeRecord({ record, snapshot, ...facts }: EntryRecord): StoredSession {
  const own = readRecord(record) as SnapshotRecord
  return described({ ...facts, record: own, sizeBytes: snapshot?.sizeBytes ?? 0 }, Date.now())
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
