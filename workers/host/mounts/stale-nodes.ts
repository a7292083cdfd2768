// Nodes that a restored session had open in a storage and has lost: the file is gone, or the session no longer has that storage. Every use
// fails with ESTALE. Owns the record of what each was, so that it can be captured again.
import { fail } from '../errno.js'
import type { NodeId, NodeKind, NodeStore, PathStore } from '../fs/node-store.js'

export interface MountedNode {
  /** Byte strings. */
  readonly mountPath: string
  /** Relative to the mount; '' is its root. */
  readonly path: string
  readonly kind: NodeKind
}

export const STALE_STORE = 3

export class StaleNodes implements NodeStore {
  readonly id = STALE_STORE
  readonly root: NodeId = 0
  readonly readOnly = false
  readonly #nodes: MountedNode[] = []
  /** Walking a path from a stale node fails in the same way. */
  readonly paths: PathStore = {
    open: stale,
    status: stale,
    place: stale,
    mkdir: stale,
    makeFile: stale,
    symlink: stale,
    readlink: stale,
    unlink: stale,
    rmdir: stale,
    rename: stale,
    // A stale node is nowhere in the tree, so getcwd finds no path.
    path: () => undefined,
    extend: stale,
    lock: stale,
    unlock: stale,
    blocking: stale,
    isLocked: () => false,
    closed: () => {},
  }
  readonly status = stale
  readonly target = stale
  readonly parent = stale
  readonly name = stale
  readonly lookup = stale
  readonly list = stale
  readonly nextCookie = stale
  readonly create = stale
  readonly remove = stale
  readonly move = stale
  readonly read = stale
  readonly write = stale
  readonly append = stale
  readonly resize = stale
  readonly sync = stale
  readonly setMode = stale
  readonly setTimes = stale
  readonly usage = stale

  add(node: MountedNode): NodeId {
    return this.#nodes.push(node)
  }

  get(node: NodeId): MountedNode {
    return this.#nodes[node - 1] ?? fail('ESTALE')
  }

  hold(): void {}

  release(): void {}
}

function stale(): never {
  return fail('ESTALE')
}
