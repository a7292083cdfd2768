// What is known of the host's files, by number: where each was found last and which one it is, by device and inode. Owns that table
// and its bound; a node that is held stays whatever becomes of its name.
import type { BigIntStats } from 'node:fs'
import { fail } from '../host/errno.js'
import type { NodeId } from '../host/fs/node-store.js'

/** Nodes that nobody holds; the oldest are forgotten. */
const MAX_KNOWN = 20_000

export interface HostNode {
  readonly id: NodeId
  readonly kind: 'file' | 'directory' | 'symlink'
  readonly key: string
  /** Undefined of the root. */
  parent: HostNode | undefined
  name: string
  linked: boolean
  holds: number
  /** Of a file that is held. */
  fd: number | undefined
}

export class HostNodes {
  readonly root: HostNode
  readonly #nodes = new Map<NodeId, HostNode>()
  readonly #byKey = new Map<string, HostNode>()
  #nextId = 1

  constructor(root: BigIntStats) {
    this.root = this.#add(undefined, '', root, 'directory')
    this.root.holds = 1
  }

  get(node: NodeId): HostNode {
    return this.#nodes.get(node) ?? fail('ENOENT')
  }

  isSame(node: HostNode, stat: BigIntStats): boolean {
    return node.key === keyOf(stat)
  }

  /** What is there under that name now. */
  found(parent: HostNode, name: string, stat: BigIntStats): HostNode {
    const kind = kindOf(stat) ?? fail('EPERM')
    const known = this.#byKey.get(keyOf(stat))
    if (known !== undefined && known.kind === kind && known !== this.root) {
      this.move(known, parent, name)
      return known
    }
    if (known === this.root) fail('ELOOP')
    const node = this.#add(parent, name, stat, kind)
    this.#forgetOldest()
    return node
  }

  move(node: HostNode, parent: HostNode, name: string): void {
    // A directory that is now above its own parent was moved while we looked.
    for (let at: HostNode | undefined = parent; at !== undefined; at = at.parent)
      if (at === node) fail('ELOOP')
    node.parent = parent
    node.name = name
    node.linked = true
  }

  /** It has lost its name; with more than one link on the host it is found again by another. */
  unlink(node: HostNode): void {
    node.linked = false
    if (node.holds === 0) this.#forget(node)
  }

  released(node: HostNode): void {
    if (!node.linked) this.#forget(node)
  }

  #add(parent: HostNode | undefined, name: string, stat: BigIntStats, kind: HostNode['kind']): HostNode {
    const id = this.#nextId++
    const node: HostNode = { id, kind, key: keyOf(stat), parent, name, linked: true, holds: 0, fd: undefined }
    this.#nodes.set(id, node)
    this.#byKey.set(node.key, node)
    return node
  }

  #forget(node: HostNode): void {
    this.#nodes.delete(node.id)
    if (this.#byKey.get(node.key) === node) this.#byKey.delete(node.key)
  }

  #forgetOldest(): void {
    if (this.#nodes.size <= MAX_KNOWN) return
    // Directories stay: nodes below them refer to them.
    for (const node of this.#nodes.values()) {
      if (this.#nodes.size <= MAX_KNOWN / 2) return
      if (node.holds === 0 && node.kind !== 'directory') this.#forget(node)
    }
  }
}

function keyOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

function kindOf(stat: BigIntStats): HostNode['kind'] | undefined {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  return stat.isSymbolicLink() ? 'symlink' : undefined
}
