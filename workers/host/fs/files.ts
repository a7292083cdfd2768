// What can be done at a path: make, remove, rename, link, change, look. Owns POSIX's rules for it (permissions, which
// error comes when, umask, working directory); the walk is tree.ts's and the nodes are the store's.
import { MODE_BITS, O, PATH_MAX } from '../abi.js'
import { fail } from '../errno.js'
import type { FileTime, NodeStatus } from './node-store.js'
import {
  type Location,
  MAY_READ,
  MAY_SEARCH,
  MAY_WRITE,
  type Place,
  requirePermission,
  type Tree,
} from './tree.js'

/** Directories below one another. Every walk is a loop, so this bounds time and the length of paths, not a stack. */
const MAX_DEPTH = 1024

export class Files {
  readonly tree: Tree
  umask = 0o022
  #cwd: Location

  constructor(tree: Tree, cwd: string) {
    this.tree = tree
    this.#cwd = tree.find(tree.root, cwd)
    this.#cwd.store.hold(this.#cwd.node)
  }

  get cwd(): Location {
    return this.#cwd
  }

  getcwd(): string {
    return this.tree.pathOf(this.#cwd)
  }

  chdir({ store, node }: Location): void {
    const status = store.status(node)
    if (status.kind !== 'directory') fail('ENOTDIR')
    requirePermission(status, MAY_SEARCH)
    this.moveTo({ store, node })
  }

  /** The working directory is now this directory. */
  moveTo({ store, node }: Location): void {
    store.hold(node)
    this.#cwd.store.release(this.#cwd.node)
    this.#cwd = { store, node }
  }

  status(start: Location, path: string, follow: boolean): NodeStatus {
    const { store, node } = this.tree.find(start, path, follow)
    return store.status(node)
  }

  /** The node that open(2) opens, made or cut first where `flags` say so. */
  open(start: Location, path: string, flags: number, mode: number): Location {
    if ((flags & O.TMPFILE) !== 0) fail('EOPNOTSUPP')
    const creates = (flags & O.CREAT) !== 0
    const exclusive = creates && (flags & O.EXCL) !== 0
    const access = flags & O.ACCESS_MODE
    if (access === O.ACCESS_MODE) fail('EINVAL')
    const place = this.tree.walk(start, path, (flags & O.NOFOLLOW) === 0 && !exclusive)
    const { store } = place
    if (place.node === 0) {
      if (!creates) fail('ENOENT')
      if (place.slash) fail('EISDIR')
      this.#requireWritable(place)
      return {
        store,
        node: store.create(place.directory, place.name, { kind: 'file', mode: this.#masked(mode) }),
      }
    }
    if (exclusive) fail('EEXIST')
    const status = store.status(place.node)
    const writes = access !== O.RDONLY || (flags & O.TRUNC) !== 0
    if (status.kind === 'symlink') fail('ELOOP')
    if (status.kind === 'directory' && (writes || creates)) fail('EISDIR')
    if (status.kind !== 'directory' && (flags & O.DIRECTORY) !== 0) fail('ENOTDIR')
    requirePermission(status, (access === O.WRONLY ? 0 : MAY_READ) | (writes ? MAY_WRITE : 0))
    if ((flags & O.TRUNC) !== 0 && status.kind === 'file' && status.size > 0) store.resize(place.node, 0)
    return { store, node: place.node }
  }

  mkdir(start: Location, path: string, mode: number): void {
    const place = this.tree.walk(start, path, false)
    if (place.node !== 0) fail('EEXIST')
    this.#requireWritable(place)
    if (this.tree.depth(place.store, place.directory) >= MAX_DEPTH) fail('ENAMETOOLONG')
    place.store.create(place.directory, place.name, { kind: 'directory', mode: this.#masked(mode) })
  }

  /** mknod(2) of a regular file. */
  makeFile(start: Location, path: string, mode: number): void {
    const place = this.tree.walk(start, path, false)
    if (place.node !== 0) fail('EEXIST')
    if (place.slash) fail('ENOENT')
    this.#requireWritable(place)
    place.store.create(place.directory, place.name, { kind: 'file', mode: this.#masked(mode) })
  }

  symlink(target: string, start: Location, path: string): void {
    if (target === '') fail('ENOENT')
    if (target.length >= PATH_MAX) fail('ENAMETOOLONG')
    const place = this.tree.walk(start, path, false)
    if (place.node !== 0) fail('EEXIST')
    if (place.slash) fail('ENOENT')
    this.#requireWritable(place)
    place.store.create(place.directory, place.name, { kind: 'symlink', target })
  }

  readlink(start: Location, path: string): string {
    const { store, node } = this.tree.find(start, path, false)
    return store.target(node)
  }

  unlink(start: Location, path: string): void {
    const place = this.tree.walk(start, path, false)
    if (place.node === 0) fail('ENOENT')
    if (place.directory === 0 || place.store.status(place.node).kind === 'directory') fail('EISDIR')
    this.#requireWritable(place)
    place.store.remove(place.directory, place.name)
  }

  rmdir(start: Location, path: string): void {
    const place = this.tree.walk(start, path, false)
    const { store, node } = place
    if (node === 0) fail('ENOENT')
    if (store.status(node).kind !== 'directory') fail('ENOTDIR')
    if (this.tree.isMountPoint(store, node)) fail('EBUSY')
    if (place.directory === 0) fail(place.name === '..' ? 'ENOTEMPTY' : 'EINVAL')
    this.#requireWritable(place)
    if (store.list(node, 0, 1).length > 0) fail('ENOTEMPTY')
    store.remove(place.directory, place.name)
  }

  rename(fromStart: Location, fromPath: string, toStart: Location, toPath: string): void {
    const from = this.tree.walk(fromStart, fromPath, false)
    if (from.node === 0) fail('ENOENT')
    const to = this.tree.walk(toStart, toPath, false)
    if (from.directory === 0 || to.directory === 0) fail('EBUSY')
    const { store } = from
    if (store !== to.store) fail('EXDEV')
    if (this.tree.isMountPoint(store, from.node)) fail('EBUSY')
    if (from.node === to.node) return
    this.#requireWritable(from)
    this.#requireWritable(to)
    const isDirectory = store.status(from.node).kind === 'directory'
    if (isDirectory) {
      if (this.tree.isWithin(store, to.directory, from.node)) fail('EINVAL')
      if (this.tree.depth(store, to.directory) >= MAX_DEPTH) fail('ENAMETOOLONG')
    } else if (to.slash) fail('ENOTDIR')
    if (to.node !== 0) this.#requireReplaceable(to, isDirectory)
    store.move(from.directory, from.name, to.directory, to.name)
  }

  chmod({ store, node }: Location, mode: number): void {
    store.setMode(node, mode & MODE_BITS)
  }

  setTimes({ store, node }: Location, accessed: FileTime | null, modified: FileTime | null): void {
    store.setTimes(node, accessed, modified)
  }

  /** access(2) with the bits R_OK 4, W_OK 2, X_OK 1. */
  access(start: Location, path: string, wanted: number, follow: boolean): void {
    requirePermission(this.status(start, path, follow), wanted)
  }

  truncate({ store, node }: Location, size: number): void {
    const status = store.status(node)
    if (status.kind === 'directory') fail('EISDIR')
    if (status.kind !== 'file') fail('EINVAL')
    requirePermission(status, MAY_WRITE)
    store.resize(node, size)
  }

  #masked(mode: number): number {
    return mode & MODE_BITS & ~this.umask
  }

  /** The directory of `place` may be changed. */
  #requireWritable({ store, directory }: Place): void {
    requirePermission(store.status(directory), MAY_WRITE | MAY_SEARCH)
  }

  #requireReplaceable({ store, node }: Place, byDirectory: boolean): void {
    if (this.tree.isMountPoint(store, node)) fail('EBUSY')
    const isDirectory = store.status(node).kind === 'directory'
    if (byDirectory && !isDirectory) fail('ENOTDIR')
    if (!byDirectory && isDirectory) fail('EISDIR')
    if (isDirectory && store.list(node, 0, 1).length > 0) fail('ENOTEMPTY')
  }
}
