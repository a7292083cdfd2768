// The interface between code that walks paths and holds descriptors, and stores that keep files: anything that can be mounted into a
// session's tree. Owns the types only. Nodes are identified by number, so that descriptors stay plain data (I1) and a store may be
// behind shared memory or in another thread.
//
// Why not npm's memfs: it has no quota, threads cannot share it, every slot would have to load it, and it offers Node's fs API where the
// interpreter needs POSIX.
import type { DeviceName } from '../../../src/shared/image/file-index.js'

/** Unique in its store and never reused. 0 stands for no node. */
export type NodeId = number

export type NodeKind = 'file' | 'directory' | 'symlink' | 'device' | 'pipe'

export type { DeviceName }

/** A point in time: whole seconds plus nanoseconds. */
export interface FileTime {
  readonly seconds: number
  readonly nanoseconds: number
}

export interface NodeStatus {
  readonly id: NodeId
  readonly kind: NodeKind
  /** Permission bits only; the type bits follow from `kind`. */
  readonly mode: number
  /** In bytes. For a symlink: the length of its target. */
  readonly size: number
  /** False for a node that is only held by descriptors. */
  readonly linked: boolean
  readonly device: DeviceName | null
  readonly accessed: FileTime
  readonly modified: FileTime
  readonly changed: FileTime
}

export interface DirectoryEntry {
  readonly name: string
  readonly node: NodeId
  readonly kind: NodeKind
  /** Ascending in the order of entries. Identifies the position after this entry, even if entries are removed. */
  readonly cookie: number
}

export type NewNode =
  | { readonly kind: 'file'; readonly mode: number }
  | { readonly kind: 'directory'; readonly mode: number }
  | { readonly kind: 'symlink'; readonly target: string }

export interface StoreUsage {
  readonly usedBytes: number
  readonly maxBytes: number | null
  readonly nodes: number
  readonly maxNodes: number
}

/** Names and targets are byte strings: one UTF-16 unit per byte. Every method may throw an FsError. */
export interface NodeStore {
  /** st_dev. */
  readonly id: number
  readonly root: NodeId
  /** Whether every change fails with EROFS. */
  readonly readOnly: boolean
  /** Null unless the store walks paths itself. */
  readonly paths: PathStore | null

  status(node: NodeId): NodeStatus
  /** The target of a symlink. */
  target(node: NodeId): string
  /** The directory that contains the node. The root's parent is the root. 0 if the node is no longer in the tree. */
  parent(node: NodeId): NodeId
  name(node: NodeId): string

  /** 0 if there is no such entry. */
  lookup(directory: NodeId, name: string): NodeId
  /** Up to `count` entries whose cookie is greater than `after`. */
  list(directory: NodeId, after: number, count: number): readonly DirectoryEntry[]
  /** Every entry created from now on has at least this cookie. */
  nextCookie(directory: NodeId): number

  create(directory: NodeId, name: string, node: NewNode): NodeId
  /** Removes an entry. Its node lives on while it is held. A directory must be empty. */
  remove(directory: NodeId, name: string): void
  /** Moves an entry, replacing the one that has the new name. */
  move(fromDirectory: NodeId, fromName: string, toDirectory: NodeId, toName: string): void

  /** Copies from the file to `into[start, end)`. Returns how many bytes there were. */
  read(node: NodeId, position: number, into: Uint8Array, start: number, end: number): number
  /** Copies `from[start, end)` into the file. Returns how many bytes were written: fewer than given only if a later part failed. */
  write(node: NodeId, position: number, from: Uint8Array, start: number, end: number): number
  /** Writes at the end of the file at that moment. Returns the position after the written bytes. */
  append(node: NodeId, from: Uint8Array, start: number, end: number): number
  resize(node: NodeId, size: number): void
  /** Makes what was written durable, as far as the store can. */
  sync(node: NodeId): void
  setMode(node: NodeId, mode: number): void
  /** Null leaves a time as it is. */
  setTimes(node: NodeId, accessed: FileTime | null, modified: FileTime | null): void

  /** A descriptor or working directory holds the node until the same number of `release`s. */
  hold(node: NodeId): void
  release(node: NodeId): void

  usage(): StoreUsage
  /** Counts the bytes of all files, in steps. For stores whose `usage` reports the disk's numbers instead. */
  countBytes?(): Generator<undefined, number> | undefined
}

/** A node that was opened. It is held once, for the caller. */
export interface Opened {
  readonly node: NodeId
  readonly kind: NodeKind
  readonly device: DeviceName | null
}

/** Where a path leads, by ids. `node` 0: nothing exists there yet. `directory` 0: the path names a directory by ".". */
export interface FarPlace {
  readonly node: NodeId
  readonly directory: NodeId
  readonly name: string
  readonly slash: boolean
}

/** A lock on a range of bytes. `end` is exclusive and may be Infinity. */
export interface LockRange {
  readonly exclusive: boolean
  readonly start: number
  readonly end: number
}

/**
 * Path operations of a store that several sessions use at the same time. Each method is one atomic operation. Paths are relative to
 * `start`. All throw an FsError, or an `Outside` if the path leads out of the store.
 */
export interface PathStore {
  open(start: NodeId, path: string, flags: number, mode: number): Opened
  status(start: NodeId, path: string, follow: boolean): NodeStatus
  place(start: NodeId, path: string): FarPlace
  mkdir(start: NodeId, path: string, mode: number): void
  makeFile(start: NodeId, path: string, mode: number): void
  symlink(target: string, start: NodeId, path: string): void
  readlink(start: NodeId, path: string): string
  unlink(start: NodeId, path: string): void
  rmdir(start: NodeId, path: string): void
  rename(fromStart: NodeId, fromPath: string, toStart: NodeId, toPath: string): void
  /** The path of a node from the root, without a leading slash; undefined if it is no longer in a directory. */
  path(node: NodeId): string | undefined
  /** Extends a file that is shorter. */
  extend(node: NodeId, size: number): void
  /** Takes a lock. Returns false if another session has a conflicting one. */
  lock(node: NodeId, range: LockRange): boolean
  unlock(node: NodeId, start: number, end: number): void
  /** The first conflicting lock of another session. */
  blocking(node: NodeId, range: LockRange): LockRange | undefined
  /** Whether this session has a lock on the file. */
  isLocked(node: NodeId): boolean
  /** Call when a descriptor of the node is closed: as POSIX demands, that ends all locks that the session has on the file. */
  closed(node: NodeId): void
}

/** A path leads out of its store. Has the rest of the path, relative to the directory above the store's root or to the tree's root. */
export class Outside extends Error {
  override readonly name = 'Outside'
  readonly from: 'above' | 'root'
  readonly path: string

  constructor(from: 'above' | 'root', path: string) {
    super('the path leads out of the storage')
    this.from = from
    this.path = path
  }
}
