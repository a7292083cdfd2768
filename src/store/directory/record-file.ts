// The file of a record: a line with the SHA-256 of the rest, then JSON. Owns its format. A record names the files of the snapshot.
import { createHash } from 'node:crypto'
import type { ChainFacts } from '../delta.js'
import { described } from '../described.js'
import { readRecord } from '../record-text.js'
import type { SnapshotRecord, StoredSession } from '../store.js'

export interface SnapshotFile {
  readonly name: string
  readonly sizeBytes: number
  readonly sha256: string
}

export interface DeltaFile extends SnapshotFile {
  /** Length of the snapshot that the chain gives up to this delta. */
  readonly snapshotBytes: number
}

export interface EntryRecord {
  readonly id: string
  readonly generation: number
  /** Whether this generation deleted the entry. Its files should then be removed. */
  readonly isDeleted: boolean
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly record: SnapshotRecord
  readonly owner?: { readonly id: string; readonly expiresAtMs: number } | undefined
  /** Undefined if the snapshot is empty. */
  readonly snapshot?: SnapshotFile | undefined
  /** The changes since that snapshot, oldest first. */
  readonly deltas?: readonly DeltaFile[] | undefined
}

/** All files that a record names. */
export function filesOf({ snapshot, deltas = [] }: EntryRecord): readonly SnapshotFile[] {
  return snapshot ? [snapshot, ...deltas] : []
}

export function chainOf({ snapshot, deltas = [] }: EntryRecord): ChainFacts {
  const deltaBytes = deltas.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return { wholeBytes: snapshot?.sizeBytes ?? 0, deltas: deltas.length, deltaBytes }
}

/** Length of the current snapshot, deltas included. */
export function snapshotBytes({ snapshot, deltas = [] }: EntryRecord): number {
  return deltas.at(-1)?.snapshotBytes ?? snapshot?.sizeBytes ?? 0
}

export function encodeRecord(record: EntryRecord): Buffer {
  // Version 2, so that a reader without support for deltas does not mistake the older snapshot for the current one.
  const version = record.deltas?.length ? 2 : 1
  const text = JSON.stringify({ version, ...record })
  return Buffer.from(`${hashOf(text)}\n${text}\n`)
}

/** @returns undefined if the text is damaged, or was written by another version */
export function decodeRecord(bytes: Buffer): EntryRecord | undefined {
  const text = bytes.toString('utf8')
  const end = text.indexOf('\n')
  const json = text.slice(end + 1, -1)
  if (!text.endsWith('\n') || text.slice(0, end) !== hashOf(json)) return undefined
  const value = JSON.parse(json) as { readonly version: number } & EntryRecord
  return (value.version === 1 || value.version === 2) && readRecord(value.record) ? value : undefined
}

export function describeRecord(entry: EntryRecord): StoredSession {
  const record = readRecord(entry.record) as SnapshotRecord
  return described({ ...entry, record, sizeBytes: snapshotBytes(entry) }, Date.now())
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
