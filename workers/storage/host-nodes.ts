// Known files of the host, by node id: where each was last found, and its identity (device and inode). Owns that table and its size limit.
// A node that is held stays in the table, whatever happens to its name.
import type { BigIntStats } from 'node:fs'
import { fail } from '../host/errno.js'
import type { NodeId } from '../host/fs/node-store.js'

/** Most known nodes. Beyond that, the least recently used ones that are not held are dropped. */
const MAX_KNOWN = 20_000

export interface HostNode {
  readonly id: NodeId
  readonly kind: 'file' | 'directory' | 'symlink'
  readonly key: string
  /** Undefined for the root. */
  parent: HostNode | undefined
  name: string
  linked: boolean
  holds: number
  /** How many known nodes were found in it. */
  children: number
  /** Descriptor of a file that is held. */
  fd: number | undefined
  /** The request for which it was found at its name; see host-directories.ts. */
  seenAt: number
}

export class HostNodes {
  readonly root: HostNode
  readonly #onForget: (node: HostNode) => void
  /** Least recently used first. */
  readonly #nodes = new Map<NodeId, HostNode>()
  readonly #byKey = new Map<string, HostNode>()
  #nextId = 1

  /** @param onForget called with each node that is dropped from the table or has lost its name */
  constructor(root: BigIntStats, onForget: (node: HostNode) => void) {
    this.#onForget = onForget
    this.root = this.#add(undefined, '', root, 'directory')
    this.root.holds = 1
  }

  get(node: NodeId): HostNode {
    return this.#nodes.get(node) ?? fail('ENOENT')
  }

  isSame(node: HostNode, stat: BigIntStats): boolean {
    return node.key === keyOf(stat)
  }

  /** The node for what was just found under a name. */
  found(parent: HostNode, name: string, stat: BigIntStats): HostNode {
    const kind = kindOf(stat) ?? fail('EPERM')
    const known = this.#byKey.get(keyOf(stat))
    if (known === this.root) fail('ELOOP')
    if (known !== undefined && known.kind === kind) {
      this.move(known, parent, name)
      this.#nodes.delete(known.id)
      this.#nodes.set(known.id, known)
      return known
    }
    const node = this.#add(parent, name, stat, kind)
    this.#forgetOldest()
    return node
  }

  move(node: HostNode, parent: HostNode, name: string): void {
    if (node.parent === parent && node.name === name && node.linked) return
    // A directory that is now above its own parent was moved during the lookup.
    for (let at: HostNode | undefined = parent; at !== undefined; at = at.parent)
      if (at === node) fail('ELOOP')
    if (node.parent !== undefined) node.parent.children -= 1
    parent.children += 1
    node.parent = parent
    node.name = name
    node.linked = true
  }

  /** The node has lost its name. If it has more hard links on the host, it can be found again by another name. */
  unlink(node: HostNode): void {
    node.linked = false
    if (node.holds === 0) this.#forget(node)
    else this.#onForget(node)
  }

  released(node: HostNode): void {
    if (!node.linked) this.#forget(node)
  }

  #add(parent: HostNode | undefined, name: string, stat: BigIntStats, kind: HostNode['kind']): HostNode {
    const node: HostNode = {
      id: this.#nextId++,
      kind,
      key: keyOf(stat),
      parent,
      name,
      linked: true,
      holds: 0,
      children: 0,
      fd: undefined,
      seenAt: 0,
    }
    if (parent !== undefined) parent.children += 1
    this.#nodes.set(node.id, node)
    this.#byKey.set(node.key, node)
    return node
  }

  #forget(node: HostNode): void {
    this.#onForget(node)
    if (this.#nodes.delete(node.id) && node.parent !== undefined) node.parent.children -= 1
    if (this.#byKey.get(node.key) === node) this.#byKey.delete(node.key)
  }

  #forgetOldest(): void {
    if (this.#nodes.size <= MAX_KNOWN) return
    // A directory stays as long as nodes below it refer to it.
    for (const node of this.#nodes.values()) {
      if (this.#nodes.size <= MAX_KNOWN / 2) return
      if (node.holds === 0 && node.children === 0) this.#forget(node)
    }
  }
}

export function keyOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

function kindOf(stat: BigIntStats): HostNode['kind'] | undefined {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  return stat.isSymbolicLink() ? 'symlink' : undefined
}
