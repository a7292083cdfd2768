// Nodes of a mounted storage in a host's state. Only their paths are stored, because their contents do not belong to the session. Owns
// naming them when a session is captured, and reopening them. A node that cannot be reopened stays, and each use of it fails (I1).
import { NAME_MAX, O, OPEN_MAX, PATH_MAX } from '../abi.js'
import { FsError } from '../errno.js'
import type { FileSystem } from '../file-system.js'
import { type NodeKind, Outside } from '../fs/node-store.js'
import type { Location } from '../fs/tree.js'
import type { MountedNodes } from '../mounts/mounted-nodes.js'
import type { MountedNode } from '../mounts/stale-nodes.js'
import { corrupt } from './error.js'
import { FieldReader, readList } from './field-reader.js'
import { type HostState, type MountedNodeState, OTHER_STORES, PRIVATE_STORE } from './state.js'

const KINDS = ['file', 'directory'] as const

export class MountedWriter {
  readonly #fileSystem: FileSystem
  readonly #nodes: MountedNodeState[] = []

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem
  }

  /** Store and node in the state's numbering. */
  location({ store, node }: Location, kind: NodeKind): readonly [store: number, node: number] {
    const { nodes, mounted, stale } = this.#fileSystem
    if (store === nodes) return [PRIVATE_STORE, node]
    const place = kind === 'directory' ? 1 : 0
    if (store === stale) {
      const { mountPath, path } = stale.get(node)
      this.#nodes.push([mountPath, path, place, 1])
    } else if (mounted !== undefined) {
      const path = pathOf(mounted, node)
      const isGone = path === undefined || path.length >= PATH_MAX
      this.#nodes.push([mounted.mountPath, (path ?? '').slice(0, PATH_MAX - 1), place, isGone ? 1 : 0])
    }
    return [OTHER_STORES, this.#nodes.length]
  }

  /** The field is left out if there are no such nodes: the state then has the format from before storages existed. */
  get state(): Pick<HostState, 'mounted'> {
    return this.#nodes.length === 0 ? {} : { mounted: this.#nodes }
  }
}

/**
 * Undefined if the node must not be reopened: it has no path any more, or the session has a lock on it. POSIX ends a lock with its process,
 * so the session must not continue as if it still had the lock.
 */
function pathOf(mounted: MountedNodes, node: number): string | undefined {
  try {
    return mounted.isLocked(node) ? undefined : mounted.path(node)
  } catch (error) {
    // The storage has been closed.
    if (error instanceof FsError) return undefined
    throw error
  }
}

interface MountedRecord extends MountedNode {
  readonly isStale: boolean
}

export class MountedReader {
  readonly #fileSystem: FileSystem
  readonly #nodes: readonly MountedRecord[]
  readonly #used = new Set<number>()

  constructor(fileSystem: FileSystem, value: unknown) {
    this.#fileSystem = fileSystem
    const list = value === undefined ? [] : readList(value, 'mounted', OPEN_MAX + 1)
    this.#nodes = list.map((entry, index) => {
      const fields = new FieldReader(entry, 'mounted', index)
      const node = {
        mountPath: fields.bytes('mountPath', PATH_MAX + NAME_MAX),
        path: fields.bytes('path', PATH_MAX - 1),
        kind: KINDS[fields.integer('kind', 0, 1)] ?? 'file',
        isStale: fields.flag('stale'),
      }
      fields.end()
      return node
    })
  }

  /** Reopens a node, which is then held. If that is not possible, returns a stale node in its place. */
  open(index: number, flags: number, what: string): { readonly location: Location; readonly kind: NodeKind } {
    const node = this.#nodes[index - 1] ?? corrupt(`${what}: there is no mounted node ${index}`)
    this.#used.add(index)
    const { stale } = this.#fileSystem
    const { isStale: _, ...known } = node
    return this.#open(node, flags) ?? { location: { store: stale, node: stale.add(known) }, kind: node.kind }
  }

  /** Checks that every node was used. */
  end(): void {
    if (this.#used.size !== this.#nodes.length) corrupt('a mounted node that nothing leads to')
  }

  #open({ mountPath, path, kind, isStale }: MountedRecord, flags: number) {
    const { mounted } = this.#fileSystem
    if (isStale || mounted === undefined || mounted.mountPath !== mountPath) return undefined
    const how = (flags & (O.ACCESS_MODE | O.PATH)) | O.NOFOLLOW
    try {
      const opened = mounted.open(mounted.root, path === '' ? '.' : path, how, 0)
      if (opened.kind === kind) return { location: { store: mounted, node: opened.node }, kind }
      mounted.release(opened.node)
      return undefined
    } catch (error) {
      if (error instanceof FsError || error instanceof Outside) return undefined
      throw error
    }
  }
}
