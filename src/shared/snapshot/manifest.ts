// A snapshot's description of itself, readable without an interpreter. Owns the manifest's types, and parses the kernel's part of
// it, which is as untrusted as everything that comes from the guest.
import type { Value } from '../values/value.js'
import { MAX_COST } from './cost.js'
import { count, fields } from './fields.js'
import { type Mode, MsgpackError, Reader } from './msgpack.js'
import { newMemo } from './shapes.js'

/** One global variable of a snapshot. */
export interface GlobalEntry {
  readonly name: string
  /** Name of the value's class. */
  readonly type: string
  /** Shortened. For types that are not Python's own it names only the class, because calling their `__repr__` would run their code. */
  readonly repr: string
  /** Size of the object itself, without the objects it refers to. */
  readonly sizeBytes: number
}

/** A host call that is waiting for its answer. */
export interface PendingCall {
  readonly id: string
  readonly name: string
  readonly args: Readonly<Record<string, Value>>
  /** The reason that the callback gave for suspending. */
  readonly reason?: string
}

export interface FileEntry {
  readonly path: string
  readonly sizeBytes: number
}

export interface SnapshotManifest {
  readonly formatVersion: number
  /** The image that the snapshot is a difference to. Only sessions with the same image can restore it. */
  readonly imageId: string
  readonly pyodideVersion: string
  readonly pythonVersion: string
  readonly createdAt: Date
  /** Number of executions of the session, when the snapshot was taken. */
  readonly executionCount: number
  /** The global variables, as far as their descriptions fit into 1 MiB. */
  readonly globals: readonly GlobalEntry[]
  /** The session's private files that differ from the image's; at most 1,000. */
  readonly files: readonly FileEntry[]
  readonly pending: readonly PendingCall[]
}

/** The kernel never describes more. */
const MAX_PENDING = 1000

/** The kernel's description of a session's globals and host calls. */
export interface Description extends Pick<SnapshotManifest, 'globals' | 'pending'> {
  /** Whether an execution is in the middle of an await. */
  readonly awaiting: boolean
}

/**
 * Reads the kernel's description. In mode `check` the result has ids, but no names or arguments.
 *
 * @throws MsgpackError
 */
export function readDescription(bytes: Uint8Array, mode: Mode = 'read'): Description {
  const reader = new Reader(bytes, MAX_COST, mode)
  let awaiting = false
  let globals: readonly GlobalEntry[] | undefined
  let pending: readonly PendingCall[] | undefined
  reader.fields(newMemo(), (key) => {
    if (key === 'globals') globals = readGlobalEntries(reader)
    else if (key === 'pending') pending = readPending(reader)
    else if (key === 'awaiting') awaiting = reader.value() === true
    else return false
    return true
  })
  reader.end()
  if (globals === undefined || pending === undefined)
    throw new MsgpackError('a description without its parts')
  return { awaiting, globals, pending }
}

function readGlobalEntries(reader: Reader): GlobalEntry[] {
  const memo = newMemo()
  let name: string | undefined
  let type: string | undefined
  let repr: string | undefined
  let sizeBytes: number | undefined
  const readField = (key: string) => {
    if (key === 'name') name = reader.text()
    else if (key === 'type') type = reader.text()
    else if (key === 'repr') repr = reader.text()
    else if (key === 'sizeBytes') sizeBytes = count(reader.value())
    else return false
    return true
  }
  return reader.list(() => {
    name = type = repr = sizeBytes = undefined
    reader.fields(memo, readField)
    if (name === undefined || type === undefined || repr === undefined || sizeBytes === undefined)
      throw new MsgpackError('a global without its parts')
    return { name, type, repr, sizeBytes }
  })
}

function readPending(reader: Reader): PendingCall[] {
  const ids = new Set<string>()
  const memo = newMemo()
  return reader.list(() => {
    let id: string | undefined
    let name: string | undefined
    let args: Record<string, Value> | undefined
    reader.fields(memo, (key) => {
      if (key === 'id') id = String(count(reader.value()))
      else if (key === 'name') name = reader.text()
      else if (key === 'args') {
        const value = reader.value()
        // Null: the arguments were too large to describe outside the memory.
        args = value === null ? {} : fields(value)
      } else return false
      return true
    })
    if (id === undefined || name === undefined || args === undefined)
      throw new MsgpackError('a host call without its parts')
    if (ids.size === MAX_PENDING) throw new MsgpackError('too many host calls')
    // Answers name their call by its id.
    if (ids.has(id)) throw new MsgpackError('two host calls with one id')
    ids.add(id)
    return { id, name, args }
  })
}
