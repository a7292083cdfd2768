// One node of a session's private files, as plain data with ids instead of references, so that a snapshot is a simple walk over
// them (I1). Owns the shapes, the size that each kind reports, and the clock for their time stamps.
import type { Contents } from './contents.js'
import type { DeviceName, FileTime, NodeId, NodeKind } from './node-store.js'

/** Fields that nodes of every kind have. */
export interface CommonFields {
  readonly id: NodeId
  mode: number
  /** The node's directory, and its name there. There are no hard links, so it has one of each. */
  parent: NodeId
  name: string
  /** Whether it is in the tree, not only held. */
  linked: boolean
  /** How many descriptors and working directories keep it alive. */
  holds: number
  accessed: FileTime
  modified: FileTime
  changed: FileTime
}

export interface FileNode extends CommonFields {
  readonly kind: 'file'
  readonly contents: Contents
  /** Bytes that it counts against the quota: 0 as long as its contents are the image's, then its size. */
  chargedBytes: number
}

export interface DirectoryNode extends CommonFields {
  readonly kind: 'directory'
  readonly entries: Map<string, Entry>
  nextCookie: number
}

export interface Entry {
  readonly node: NodeId
  readonly kind: NodeKind
  readonly cookie: number
}

export interface SymlinkNode extends CommonFields {
  readonly kind: 'symlink'
  readonly target: string
}

export interface DeviceNode extends CommonFields {
  readonly kind: 'device'
  readonly device: DeviceName
}

export interface PipeNode extends CommonFields {
  readonly kind: 'pipe'
  /** Unread bytes are `buffer[start, end)`. */
  buffer: Uint8Array
  start: number
  end: number
  /** How many ends of each kind are open. */
  readers: number
  writers: number
}

export type Inode = FileNode | DirectoryNode | SymlinkNode | DeviceNode | PipeNode

// All nodes of a kind are made here, so that they have one V8 shape, whether they come from the image, the session or a snapshot.
// Every operation on files reads nodes, and code that sees more than four shapes becomes several times slower.

export function makeFile(fields: CommonFields, contents: Contents): FileNode {
  return { ...inOrder(fields), kind: 'file', contents, chargedBytes: 0 }
}

export function makeDirectory(
  fields: CommonFields,
  entries: Map<string, Entry>,
  nextCookie: number,
): DirectoryNode {
  return { ...inOrder(fields), kind: 'directory', entries, nextCookie }
}

export function makeSymlink(fields: CommonFields, target: string): SymlinkNode {
  return { ...inOrder(fields), kind: 'symlink', target }
}

export function makeDevice(fields: CommonFields, device: DeviceName): DeviceNode {
  return { ...inOrder(fields), kind: 'device', device }
}

/** Makes an empty pipe. */
export function makePipe(fields: CommonFields): PipeNode {
  return { ...inOrder(fields), kind: 'pipe', buffer: NO_BYTES, start: 0, end: 0, readers: 0, writers: 0 }
}

const NO_BYTES = new Uint8Array(0)

/** The shape of an object depends on the order in which its properties were added. */
function inOrder(fields: CommonFields): CommonFields {
  const { id, mode, parent, name, linked, holds, accessed, modified, changed } = fields
  return { id, mode, parent, name, linked, holds, accessed, modified, changed }
}

/** st_size of a directory, as on most file systems. */
const DIRECTORY_BYTES = 4096

export function sizeOf(inode: Inode): number {
  switch (inode.kind) {
    case 'file':
      return inode.contents.size
    case 'directory':
      return DIRECTORY_BYTES
    case 'symlink':
      return inode.target.length
    default:
      return 0
  }
}

/** Nanoseconds per millisecond. */
const NANOSECONDS = 1_000_000

/** Real time for time stamps of files. Never the same twice in a row, so that every change of a directory changes its time. */
export class FileClock {
  /** The last time read from the machine. */
  #milliseconds = 0
  /** The last time returned. */
  #seconds = 0
  #nanoseconds = 0

  /** Continues after `time`, which this clock or its predecessor has returned. */
  startAfter({ seconds, nanoseconds }: FileTime): void {
    this.#milliseconds = seconds * 1000 + Math.floor(nanoseconds / NANOSECONDS)
    this.#seconds = seconds
    this.#nanoseconds = nanoseconds
  }

  /** The time stamp of an event at `milliseconds`, after `before`, that is only processed now. */
  at(milliseconds: number, before: FileTime): FileTime {
    if (milliseconds >= Date.now()) return this.now()
    const seconds = Math.floor(milliseconds / 1000)
    const nanoseconds = (milliseconds % 1000) * NANOSECONDS
    const isLater =
      seconds > before.seconds || (seconds === before.seconds && nanoseconds > before.nanoseconds)
    if (isLater) return { seconds, nanoseconds }
    const next = before.nanoseconds + 1
    return next < 1000 * NANOSECONDS
      ? { seconds: before.seconds, nanoseconds: next }
      : { seconds: before.seconds + 1, nanoseconds: 0 }
  }

  now(): FileTime {
    const milliseconds = Date.now()
    // Often called several times within a millisecond: then there is nothing to divide.
    if (milliseconds !== this.#milliseconds) {
      this.#milliseconds = milliseconds
      this.#seconds = Math.floor(milliseconds / 1000)
      this.#nanoseconds = (milliseconds % 1000) * NANOSECONDS
    } else if ((this.#nanoseconds + 1) % NANOSECONDS !== 0) this.#nanoseconds += 1
    return { seconds: this.#seconds, nanoseconds: this.#nanoseconds }
  }
}
