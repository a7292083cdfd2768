// The line between who walks paths and holds descriptors, and who keeps files: anything that can be mounted into a
// session's tree. Owns the types only. Nodes are named by number, so that descriptors stay plain data (I1) and a store may
// live behind shared memory or another thread.
//
// Why not npm's memfs: no quota, nothing that threads can share, load time in every slot, and Node's fs API on top where the
// interpreter wants POSIX underneath.
import type { DeviceName } from '../../../src/shared/image/file-index.js'

/** Unique in its store and never used again. 0 is no node. */
export type NodeId = number

export type NodeKind = 'file' | 'directory' | 'symlink' | 'device' | 'pipe'

export type { DeviceName }

/** A point in time: whole seconds, and nanoseconds on top. */
export interface FileTime {
  readonly seconds: number
  readonly nanoseconds: number
}

export interface NodeStatus {
  readonly id: NodeId
  readonly kind: NodeKind
  /** Permission bits only; the type bits follow from `kind`. */
  readonly mode: number
  /** In bytes; of a symlink the length of its target. */
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
  /** Ascending in the order of entries; names the place after this entry, also when entries are removed. */
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
  /** Nothing in it can be changed: EROFS. */
  readonly readOnly: boolean
  /** Set where the store walks paths by itself. */
  readonly paths: PathStore | null

  status(node: NodeId): NodeStatus
  /** Of a symlink. */
  target(node: NodeId): string
  /** The directory that holds the node; the root's is the root; 0 when the node is not in the tree any more. */
  parent(node: NodeId): NodeId
  name(node: NodeId): string

  /** 0 if there is no such entry. */
  lookup(directory: NodeId, name: string): NodeId
  /** Up to `count` entries whose cookie is greater than `after`. */
  list(directory: NodeId, after: number, count: number): readonly DirectoryEntry[]
  /** Every entry made from now on has a cookie of at least this. */
  nextCookie(directory: NodeId): number

  create(directory: NodeId, name: string, node: NewNode): NodeId
  /** Takes the entry away; the node lives on while it is held. A directory is empty. */
  remove(directory: NodeId, name: string): void
  /** Moves an entry over whatever has the new name. */
  move(fromDirectory: NodeId, fromName: string, toDirectory: NodeId, toName: string): void

  /** Copies from the file to `into[start, end)`; how many bytes there were. */
  read(node: NodeId, position: number, into: Uint8Array, start: number, end: number): number
  /** Copies `from[start, end)` into the file; how many bytes went there, which are all but where a later part failed. */
  write(node: NodeId, position: number, from: Uint8Array, start: number, end: number): number
  /** Writes at the file's end, wherever that is when it is written, and tells where what was written ends. */
  append(node: NodeId, from: Uint8Array, start: number, end: number): number
  resize(node: NodeId, size: number): void
  /** What was written is safe from now on, as far as the store can do that. */
  sync(node: NodeId): void
  setMode(node: NodeId, mode: number): void
  /** Null leaves a time as it is. */
  setTimes(node: NodeId, accessed: FileTime | null, modified: FileTime | null): void

  /** A descriptor or working directory holds the node until the same number of `release`s. */
  hold(node: NodeId): void
  release(node: NodeId): void

  usage(): StoreUsage
  /** Bytes of all files, counted in steps, where `usage` tells what the disk has instead. */
  countBytes?(): Generator<undefined, number> | undefined
}

/** A node that was opened: held once, for whoever asked. */
export interface Opened {
  readonly node: NodeId
  readonly kind: NodeKind
  readonly device: DeviceName | null
}

/** Where a path leads, in numbers. `node` 0: to nothing yet; `directory` 0: to a directory that it names by ".". */
export interface FarPlace {
  readonly node: NodeId
  readonly directory: NodeId
  readonly name: string
  readonly slash: boolean
}

/** Who asks for a lock, and for which bytes; `end` is exclusive and may be Infinity. */
export interface LockRange {
  readonly exclusive: boolean
  readonly start: number
  readonly end: number
}

/**
 * Paths of a store that several sessions use at the same time: each method is one operation, done at once for all of them. Paths
 * are relative to `start`. All throw an FsError, or an `Outside` where the path leads out of the store.
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
  /** Of a node, from the root on and without a slash at the start; undefined when it is in no directory any more. */
  path(node: NodeId): string | undefined
  /** Lengthens a file that is shorter. */
  extend(node: NodeId, size: number): void
  /** False: somebody else has a lock that is in the way. */
  lock(node: NodeId, range: LockRange): boolean
  unlock(node: NodeId, start: number, end: number): void
  /** The first lock of somebody else that would be in the way. */
  blocking(node: NodeId, range: LockRange): LockRange | undefined
  /** Whether this session has a lock on the file. */
  isLocked(node: NodeId): boolean
  /** A descriptor of the node is closed: POSIX ends all locks that the session has on the file. */
  closed(node: NodeId): void
}

/** A path that leads out of its store: the rest of it, from the directory above the store's root or from the root of all. */
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
