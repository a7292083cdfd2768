// What a storage provides to each of its sessions. Owns the types only; clients.ts assembles it.
import type { Files } from '../host/fs/files.js'
import type { NodeId } from '../host/fs/node-store.js'
import type { DirectoryNodes } from './directory-nodes.js'
import type { Locks } from './locks.js'
import type { Shared } from './share.js'

/** A session that may rely on a node's status until it is notified of a change. */
export interface StatusReader {
  /** The node whose status the slot may have cached; 0: none. */
  knownNode: NodeId
  /** Value of its bell's CHANGES. */
  readonly changes: number
  /** What the slot does after it has posted a write: one of `POSTING`. */
  setPosting(posting: number): void
}

export interface Served {
  /**
   * Called when a session opens a node. Returns the value of its bell's CHANGES for which the node's status is valid. Undefined if programs
   * outside the storage may change nodes, too.
   */
  readonly changes: ((reader: StatusReader, node: NodeId) => number) | undefined
  readonly files: Files
  readonly locks: Locks
  /** Makes every client process its session's posts. */
  readonly takePosted: () => void
  /** Undefined if all bytes go through the door. */
  readonly shared: Shared | undefined
  /** Set if the files are on the host's disk. */
  readonly directory?: DirectoryNodes | undefined
  /** How many nodes one session may hold, if that is less than the limit of `Holds`. */
  readonly maxHolds?: (() => number) | undefined
}
