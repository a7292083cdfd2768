// What a snapshot says of itself, readable without an interpreter. Owns the manifest's shape, and reading the kernel's part of
// it, which is as hostile as anything of the guest's.
import type { Value } from '../values/value.js'
import { MAX_COST } from './cost.js'
import { count, field, fields, list, text } from './fields.js'
import { decode, MsgpackError } from './msgpack.js'

/** One global variable of a snapshot. */
export interface GlobalEntry {
  readonly name: string
  /** Name of the value's class. */
  readonly type: string
  /** Short; of objects that are not Python's own only their class, since their `__repr__` would be code. */
  readonly repr: string
  /** Of the object itself, without what it refers to. */
  readonly sizeBytes: number
}

/** A host call that waits for its answer. */
export interface PendingCall {
  readonly id: string
  readonly name: string
  readonly args: Readonly<Record<string, Value>>
  /** What the callback gave as the reason for suspending. */
  readonly reason?: string
}

export interface FileEntry {
  readonly path: string
  readonly sizeBytes: number
}

export interface SnapshotManifest {
  readonly formatVersion: number
  /** The image that the snapshot is a difference to; only sessions of the same image can take it. */
  readonly imageId: string
  readonly pyodideVersion: string
  readonly pythonVersion: string
  readonly createdAt: Date
  /** Of the session it was taken from. */
  readonly executionCount: number
  /** By name, up to a mebibyte of them. */
  readonly globals: readonly GlobalEntry[]
  /** Private files that differ from the image's, up to a thousand. */
  readonly files: readonly FileEntry[]
  readonly pending: readonly PendingCall[]
}

/** What the kernel tells of a session's globals and host calls. */
export interface Description extends Pick<SnapshotManifest, 'globals' | 'pending'> {
  /** An execution is in the middle of an await. */
  readonly awaiting: boolean
}

/** @throws MsgpackError */
export function readDescription(bytes: Uint8Array): Description {
  const description = fields(decode(bytes, MAX_COST))
  return {
    awaiting: field(description, 'awaiting') === true,
    globals: list(field(description, 'globals')).map(readGlobal),
    pending: readPending(list(field(description, 'pending'))),
  }
}

function readGlobal(entry: Value): GlobalEntry {
  const global = fields(entry)
  return {
    name: text(field(global, 'name')),
    type: text(field(global, 'type')),
    repr: text(field(global, 'repr')),
    sizeBytes: count(field(global, 'sizeBytes')),
  }
}

function readPending(entries: readonly Value[]): PendingCall[] {
  const ids = new Set<string>()
  return entries.map((entry) => {
    const call = fields(entry)
    const id = String(count(field(call, 'id')))
    // An answer says which call it is for by this.
    if (ids.has(id)) throw new MsgpackError('two host calls with one id')
    ids.add(id)
    const args = field(call, 'args')
    // Null: too large to travel beside the memory.
    return { id, name: text(field(call, 'name')), args: args === null ? {} : fields(args) }
  })
}
