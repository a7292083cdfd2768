// A host's state as plain data: what a session has outside WebAssembly memory (I1). Owns the shape; it is written by
// capture.ts and read by restore.ts, which believes nothing of it (N1).
//
// Only what differs from a fresh host of the same image is in it. Lists of fixed order stand where there are many, so that it
// is small as msgpack. Names, targets of links and the like are byte strings, one UTF-16 unit (0 to 255) per byte, which any
// encoding of text keeps. The bytes of files and pipes are not in it: they follow one another in `contents`, in the order of
// `nodes`, and only their number is here, so that no byte can belong to two files and none to nobody.
import type { NodeId } from '../fs/node-store.js'
import type { NodeState } from './node-state.js'

export interface HostState {
  /** What the monotonic clock showed. */
  readonly clockMs: number
  /** Name of the time zone, as Intl knows it. */
  readonly timeZone: string
  /** Permission bits that new files do not get. */
  readonly umask: number
  /** Store and node of the working directory, which may be in no directory any more. */
  readonly cwd: readonly [store: number, node: NodeId]
  /** Nodes below it came with the image: a fresh host of the same image says the same. */
  readonly firstOwnId: NodeId
  /** Of the next node that is made. */
  readonly nextId: NodeId
  /** Nodes of the image that are gone, ascending. */
  readonly removed: readonly NodeId[]
  /** Own nodes and nodes of the image that were changed, by ascending id. */
  readonly nodes: readonly NodeState[]
  /** Open-file descriptions, by the lowest descriptor each of them has. */
  readonly openFiles: readonly OpenFileState[]
  /** By ascending number. */
  readonly descriptors: readonly DescriptorState[]
  /** Nodes of a mounted storage that are open or the working directory; only where there are any. */
  readonly mounted?: readonly MountedNodeState[]
}

/** Of the other files only this is the session's: it is opened again by its path. */
export type MountedNodeState = readonly [
  /** Byte string: where the storage was mounted. */
  mountPath: string,
  /** Byte string, from there on. */
  path: string,
  /** 0 file, 1 directory. */
  kind: number,
  /** 1: it was gone, or locked, and cannot be opened again. */
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
  /** O_* as F_GETFL tells them. */
  flags: number,
  /** Bytes; of a directory the cookie after which the listing goes on. */
  position: number,
  /** Of a directory: its nextCookie when the listing under way began; else 0. */
  listEnd: number,
]

export type DescriptorState = readonly [
  fd: number,
  /** Which entry of `openFiles`: the same for descriptors that dup made. */
  openFile: number,
  /** 1: close-on-exec. */
  closeOnExec: number,
]

export const PRIVATE_STORE = 1
/** Nodes in it are named by their place in `mounted`, from 1 on. */
export const OTHER_STORES = 2

/** 139 years: 64 bits of nanoseconds hold twice that. */
export const MAX_CLOCK_MS = 2 ** 42
