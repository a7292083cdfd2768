// What is known of the host's files, by number: where each was found last and which one it is, by device and inode. Owns that table
// and its bound; a node that is held stays whatever becomes of its name.
import type { BigIntStats } from 'node:fs'
import { fail } from '../host/errno.js'
import type { NodeId } from '../host/fs/node-store.js'

/** Nodes that nobody holds; those that were not asked for longest are forgotten. */
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
  /** Known nodes that were found in it. */
  children: number
  /** Of a file that is held. */
  fd: number | undefined
  /** The request for which it was found at its name; see host-directories.ts. */
  seenAt: number
}

export class HostNodes {
  readonly root: HostNode
  readonly #onForget: (node: HostNode) => void
  /** Those that were not asked for longest first. */
  readonly #nodes = new Map<NodeId, HostNode>()
  readonly #byKey = new Map<string, HostNode>()
  #nextId = 1

  /** `onForget` is called with each node that is not known any more or has lost its name. */
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

  /** What is there under that name now. */
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
    // A directory that is now above its own parent was moved while we looked.
    for (let at: HostNode | undefined = parent; at !== undefined; at = at.parent)
      if (at === node) fail('ELOOP')
    if (node.parent !== undefined) node.parent.children -= 1
    parent.children += 1
    node.parent = parent
    node.name = name
    node.linked = true
  }

  /** It has lost its name; with more than one link on the host it is found again by another. */
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
