// A host's state as plain data: everything that a session has outside WebAssembly memory (I1). Owns the shape; capture.ts writes it, and
// restore.ts reads it as untrusted data (N1).
//
// It contains only what differs from a fresh host of the same image. Items that there are many of are lists in a fixed order, so that the
// state is small as msgpack. Names, link targets and the like are byte strings, one UTF-16 unit (0 to 255) per byte, which every text
// encoding preserves. The bytes of files and pipes are not in it: they follow one another in `contents`, in the order of `nodes`. Only
// their number is here, so every byte belongs to exactly one file.
import type { NodeId } from '../fs/node-store.js'
import type { NodeState } from './node-state.js'

export interface HostState {
  /** Reading of the monotonic clock. */
  readonly clockMs: number
  /** Name of the time zone, as Intl knows it. */
  readonly timeZone: string
  /** Permission bits that new files do not get. */
  readonly umask: number
  /** Store and node of the working directory, which may itself have been removed from the tree. */
  readonly cwd: readonly [store: number, node: NodeId]
  /** Nodes with lower ids came with the image. A fresh host of the same image has the same number. */
  readonly firstOwnId: NodeId
  /** Id of the next new node. */
  readonly nextId: NodeId
  /** Nodes of the image that were removed, ascending. */
  readonly removed: readonly NodeId[]
  /** The session's own nodes, and nodes of the image that were changed, by ascending id. */
  readonly nodes: readonly NodeState[]
  /** Open-file descriptions, in the order of the lowest descriptor of each. */
  readonly openFiles: readonly OpenFileState[]
  /** In ascending order of their numbers. */
  readonly descriptors: readonly DescriptorState[]
  /** Nodes of a mounted storage that are open or the working directory. Left out if there are none. */
  readonly mounted?: readonly MountedNodeState[]
}

/** A node of a mounted storage. The state has only its path, by which it is reopened. */
export type MountedNodeState = readonly [
  /** Byte string: where the storage was mounted. */
  mountPath: string,
  /** Byte string, relative to `mountPath`. */
  path: string,
  /** 0 file, 1 directory. */
  kind: number,
  /** 1: it was gone or locked, so it cannot be reopened. */
  stale: number,
]

export const HOST_STATE_FIELDS = [
  'clockMs',
  'timeZone',
  'umask',
  'cwd',
  'firstOwnId',
  'nextId',
  'removed',
  'nodes',
  'openFiles',
  'descriptors',
] as const satisfies readonly (keyof HostState)[]

export type OpenFileState = readonly [
  /** Which store the node is in; 1 is the session's private files, 2 a mounted storage. */
  store: number,
  node: NodeId,
  /** O_* flags as F_GETFL returns them. */
  flags: number,
  /** In bytes. For a directory: the cookie after which its listing continues. */
  position: number,
  /** For a directory: its nextCookie when the current listing began; otherwise 0. */
  listEnd: number,
]

export type DescriptorState = readonly [
  fd: number,
  /** Index in `openFiles`. Descriptors that dup made have the same one. */
  openFile: number,
  /** 1: close-on-exec. */
  closeOnExec: number,
]

export const PRIVATE_STORE = 1
/** A node of this store is identified by its position in `mounted`, counted from 1. */
export const OTHER_STORES = 2

/** 139 years: 64 bits of nanoseconds hold twice that. */
export const MAX_CLOCK_MS = 2 ** 42
