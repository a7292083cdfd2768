// The tree that a session sees: stores mounted into one another, and the walk from a path to a node. Owns path syntax, symbolic links,
// permission bits and limits of names; files.ts owns what is done with a node once it is found.
import { NAME_MAX, PATH_MAX, SYMLOOP_MAX } from '../abi.js'
import { fail } from '../errno.js'
import { type NodeId, type NodeStatus, type NodeStore, Outside } from './node-store.js'

/** A node and the store it is in. */
export interface Location {
  readonly store: NodeStore
  readonly node: NodeId
}

/** Where a path leads. */
export interface Place {
  readonly store: NodeStore
  /** 0 if nothing exists there yet: `directory` and `name` say where it would be. */
  readonly node: NodeId
  /** The directory of the last component; 0 if the path names a directory by "/", "." or "..". */
  readonly directory: NodeId
  readonly name: string
  /** Whether the path ended in "/", so that only a directory is acceptable. */
  readonly slash: boolean
  /** The rest of the path, for the store's own walk from `node` on; null if nothing is left. */
  readonly rest: string | null
}

/** Most components of one walk, including those of links: 40 links of 4,095 bytes each would have 80,000. */
const MAX_COMPONENTS = 2 * PATH_MAX

export const MAY_READ = 4
export const MAY_WRITE = 2
export const MAY_SEARCH = 1

export class Tree {
  readonly root: Location
  /** Stores by the node of the root store where they are mounted. */
  readonly #mounts = new Map<NodeId, NodeStore>()
  /** Where each store is mounted. */
  readonly #mountPoints = new Map<NodeStore, Location>()

  /** Directories of the root store that no walk may reach or pass through. */
  readonly #closed = new Set<NodeId>()

  readonly #isPart: boolean

  /** @param isPart - the tree is part of a larger one: a path that leads out of it throws an `Outside` */
  constructor(root: NodeStore, isPart = false) {
    this.root = { store: root, node: root.root }
    this.#isPart = isPart
  }

  /** Mounts `store` at a directory of the root store. */
  mount(directory: NodeId, store: NodeStore): void {
    this.root.store.hold(directory)
    this.#mounts.set(directory, store)
    this.#mountPoints.set(store, { store: this.root.store, node: directory })
  }

  /** Directories of the root store where other stores are mounted. */
  get covered(): readonly NodeId[] {
    return [...this.#mounts.keys()]
  }

  /** Makes walks to or through the directory fail with EXDEV. */
  close(directory: NodeId): void {
    this.#closed.add(directory)
  }

  /** Whether a store is mounted at the node, or the node is a store's root. Such a directory cannot be moved or removed. */
  isMountPoint(store: NodeStore, node: NodeId): boolean {
    return node === store.root || (store === this.root.store && this.#mounts.has(node))
  }

  /** Walks `path` from `start`. @throws FsError ENOENT if a component other than the last does not exist */
  walk(start: Location, path: string, followLast: boolean): Place {
    if (path === '') fail('ENOENT')
    if (path.length >= PATH_MAX) fail('ENAMETOOLONG')
    let text = path
    let at = 0
    let { store, node } = text.startsWith('/') ? this.root : start
    let links = 0
    let components = 0
    let lastDots = '.'
    /** Status of `node`, if already known. */
    let status: NodeStatus | undefined
    for (;;) {
      while (text[at] === '/') at += 1
      if (store.paths !== null) {
        const rest = at >= text.length ? '.' : text.slice(at)
        return { store, node, directory: 0, name: '.', slash: false, rest }
      }
      if (at >= text.length) return { store, node, directory: 0, name: lastDots, slash: true, rest: null }
      components += 1
      if (components > MAX_COMPONENTS) fail('ELOOP')
      const separator = text.indexOf('/', at)
      const end = separator < 0 ? text.length : separator
      const name = text.slice(at, end)
      let next = end
      while (text[next] === '/') next += 1
      const isLast = next >= text.length
      const slash = end < text.length
      requireDirectory(status ?? store.status(node))
      status = undefined
      at = next
      if (name === '.' || name === '..') {
        if (name === '..') {
          if (this.#isPart && node === this.root.node) throw new Outside('above', text.slice(next))
          ;({ store, node } = this.#up(store, node))
        }
        lastDots = name
        if (isLast && store.paths === null) {
          return { store, node, directory: 0, name, slash: true, rest: null }
        }
        continue
      }
      if (name.length > NAME_MAX) fail('ENAMETOOLONG')
      const child = store.lookup(node, name)
      if (child === 0) {
        if (!isLast) fail('ENOENT')
        return { store, node: 0, directory: node, name, slash, rest: null }
      }
      const found = store.status(child)
      const { kind } = found
      if (kind === 'symlink' && (!isLast || followLast || slash)) {
        links += 1
        if (links > SYMLOOP_MAX) fail('ELOOP')
        const target = store.target(child)
        text = isLast && !slash ? target : `${target}/${text.slice(next)}`
        if (text.length >= 2 * PATH_MAX) fail('ENAMETOOLONG')
        at = 0
        if (text.startsWith('/')) {
          if (this.#isPart) throw new Outside('root', text)
          ;({ store, node } = this.root)
        }
        continue
      }
      if (this.#closed.size > 0 && this.#closed.has(child)) fail('EXDEV')
      const covering = store === this.root.store ? this.#mounts.get(child) : undefined
      if (isLast) {
        if (slash && kind !== 'directory') fail('ENOTDIR')
        if (covering === undefined) return { store, node: child, directory: node, name, slash, rest: null }
        const rest = covering.paths === null ? null : '.'
        return { store: covering, node: covering.root, directory: 0, name: '.', slash, rest }
      }
      if (covering === undefined) {
        node = child
        status = found
      } else {
        store = covering
        node = covering.root
      }
    }
  }

  /** The node that `path` leads to. @throws FsError ENOENT if there is none */
  find(start: Location, path: string, followLast = true): Location {
    const place = this.walk(start, path, followLast)
    if (place.node === 0) fail('ENOENT')
    return place
  }

  /** The absolute path of a directory that is in the tree. */
  pathOf({ store, node }: Location): string {
    const names: string[] = []
    let length = 0
    let at: Location = { store, node }
    while (at.store !== this.root.store || at.node !== this.root.node) {
      if (at.node === at.store.root) {
        at = this.#mountPoints.get(at.store) ?? fail('ENOENT')
        continue
      }
      const { paths } = at.store
      if (paths !== null) {
        const path = paths.path(at.node) ?? fail('ENOENT')
        length += path.length + 1
        names.push(path)
        at = { store: at.store, node: at.store.root }
        continue
      }
      const parent = at.store.parent(at.node)
      if (parent === 0) fail('ENOENT')
      const name = at.store.name(at.node)
      length += name.length + 1
      if (length >= PATH_MAX) fail('ENAMETOOLONG')
      names.push(name)
      at = { store: at.store, node: parent }
    }
    return `/${names.reverse().join('/')}`
  }

  /** The parent directory, across mounts. The root's parent is the root. */
  parentOf({ store, node }: Location): Location {
    return this.#up(store, node)
  }

  /** Where a walk continues after it led out of a store. */
  around(store: NodeStore, { from, path }: Outside): readonly [start: Location, path: string] {
    if (from === 'root') return [this.root, path]
    const point = this.#mountPoints.get(store) ?? fail('ENOENT')
    return [this.#up(point.store, point.node), path === '' ? '.' : path]
  }

  /** True if `node` is `ancestor` or below it. */
  isWithin(store: NodeStore, node: NodeId, ancestor: NodeId): boolean {
    for (let at = node; at !== 0; at = store.parent(at)) {
      if (at === ancestor) return true
      if (at === store.root) return false
    }
    return false
  }

  /** How many directories are above `node` in its store. */
  depth(store: NodeStore, node: NodeId): number {
    let depth = 0
    for (let at = node; at !== 0 && at !== store.root; at = store.parent(at)) depth += 1
    return depth
  }

  #up(store: NodeStore, node: NodeId): Location {
    if (node === store.root) {
      const point = this.#mountPoints.get(store)
      return point === undefined ? { store, node } : this.#up(point.store, point.node)
    }
    const parent = store.parent(node)
    if (parent === 0) fail('ENOENT')
    return { store, node: parent }
  }
}

/** Checks that a walk may pass through a node. */
function requireDirectory(status: NodeStatus): void {
  if (status.kind !== 'directory') fail('ENOTDIR')
  requirePermission(status, MAY_SEARCH)
}

/**
 * Permission bits apply although the user id is 0, as under Emscripten, and it is enough if any of the three classes grants access. A
 * session is alone with its files; the bits exist for programs that test them.
 */
export function requirePermission(status: NodeStatus, wanted: number): void {
  const granted = (status.mode | (status.mode >> 3) | (status.mode >> 6)) & 7
  if ((granted & wanted) !== wanted) fail('EACCES')
}
