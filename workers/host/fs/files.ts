// Operations at a path: create, remove, rename, link, change, inspect. Owns POSIX's rules for them (permissions, which error applies when,
// umask, working directory); tree.ts owns the walk and the store owns the nodes. If a store walks paths itself, the operation is one
// request to it (workers/storage/client.ts serves it with this class again), and returns here if the path leads out of the store.
import { MODE_BITS, O, PATH_MAX, SYMLOOP_MAX } from '../abi.js'
import { fail } from '../errno.js'
import {
  type FileTime,
  type NewNode,
  type NodeStatus,
  type Opened,
  Outside,
  type PathStore,
} from './node-store.js'
import {
  type Location,
  MAY_READ,
  MAY_SEARCH,
  MAY_WRITE,
  type Place,
  requirePermission,
  type Tree,
} from './tree.js'

/** Deepest nesting of directories. Every walk is a loop, so this bounds time and the length of paths, not a stack. */
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

  /** Sets the working directory without any checks. */
  moveTo({ store, node }: Location): void {
    store.hold(node)
    this.#cwd.store.release(this.#cwd.node)
    this.#cwd = { store, node }
  }

  find(start: Location, path: string, follow = true): Location {
    return this.status(start, path, follow).location
  }

  status(start: Location, path: string, follow: boolean): { location: Location; status: NodeStatus } {
    return this.#at(
      start,
      path,
      follow,
      ({ store, node }) => {
        if (node === 0) fail('ENOENT')
        return { location: { store, node }, status: store.status(node) }
      },
      (paths, { store, node }, rest) => {
        const status = paths.status(node, rest, follow)
        return { location: { store, node: status.id }, status }
      },
    )
  }

  /** Opens a node as open(2) does, and holds it. Creates or truncates it first if `flags` say so. */
  open(start: Location, path: string, flags: number, mode: number): Location & Opened {
    if ((flags & O.TMPFILE) !== 0) fail('EOPNOTSUPP')
    const access = flags & O.ACCESS_MODE
    if (access === O.ACCESS_MODE) fail('EINVAL')
    const follow = (flags & O.NOFOLLOW) === 0 && (flags & (O.CREAT | O.EXCL)) !== (O.CREAT | O.EXCL)
    const masked = this.#masked(mode)
    return this.#at(
      start,
      path,
      follow,
      (place) => {
        const { node, kind, device } = this.#open(place, flags, masked)
        place.store.hold(node)
        return { store: place.store, node, kind, device }
      },
      (paths, { store, node }, rest) => ({ store, ...paths.open(node, rest, flags, masked) }),
    )
  }

  #open(place: Place, flags: number, mode: number): Opened {
    const { store } = place
    const creates = (flags & O.CREAT) !== 0
    const access = flags & O.ACCESS_MODE
    if (place.node === 0) {
      if (!creates) fail('ENOENT')
      if (place.slash) fail('EISDIR')
      this.#requireWritable(place)
      const node = store.create(place.directory, place.name, { kind: 'file', mode })
      return { node, kind: 'file', device: null }
    }
    if (creates && (flags & O.EXCL) !== 0) fail('EEXIST')
    const status = store.status(place.node)
    const writes = access !== O.RDONLY || (flags & O.TRUNC) !== 0
    if (status.kind === 'symlink') fail('ELOOP')
    if (status.kind === 'directory' && (writes || creates)) fail('EISDIR')
    if (status.kind !== 'directory' && (flags & O.DIRECTORY) !== 0) fail('ENOTDIR')
    requirePermission(status, (access === O.WRONLY ? 0 : MAY_READ) | (writes ? MAY_WRITE : 0))
    // A session has no controlling terminal.
    if (status.device === 'tty') fail('ENXIO')
    if (writes && store.readOnly) fail('EROFS')
    if ((flags & O.TRUNC) !== 0 && status.kind === 'file' && status.size > 0) store.resize(place.node, 0)
    return { node: place.node, kind: status.kind, device: status.device }
  }

  mkdir(start: Location, path: string, mode: number): void {
    const masked = this.#masked(mode)
    this.#make(start, path, { kind: 'directory', mode: masked }, (paths, { node }, rest) =>
      paths.mkdir(node, rest, masked),
    )
  }

  /** mknod(2) of a regular file. */
  makeFile(start: Location, path: string, mode: number): void {
    const masked = this.#masked(mode)
    this.#make(start, path, { kind: 'file', mode: masked }, (paths, { node }, rest) =>
      paths.makeFile(node, rest, masked),
    )
  }

  symlink(target: string, start: Location, path: string): void {
    if (target === '') fail('ENOENT')
    if (target.length >= PATH_MAX) fail('ENAMETOOLONG')
    this.#make(start, path, { kind: 'symlink', target }, (paths, { node }, rest) =>
      paths.symlink(target, node, rest),
    )
  }

  readlink(start: Location, path: string): string {
    return this.#at(
      start,
      path,
      false,
      ({ store, node }) => store.target(node === 0 ? fail('ENOENT') : node),
      (paths, { node }, rest) => paths.readlink(node, rest),
    )
  }

  unlink(start: Location, path: string): void {
    this.#at(
      start,
      path,
      false,
      (place) => {
        if (place.node === 0) fail('ENOENT')
        if (place.directory === 0 || place.store.status(place.node).kind === 'directory') fail('EISDIR')
        this.#requireWritable(place)
        place.store.remove(place.directory, place.name)
      },
      (paths, { node }, rest) => paths.unlink(node, rest),
    )
  }

  rmdir(start: Location, path: string): void {
    this.#at(
      start,
      path,
      false,
      (place) => {
        const { store, node } = place
        if (node === 0) fail('ENOENT')
        if (store.status(node).kind !== 'directory') fail('ENOTDIR')
        if (this.tree.isMountPoint(store, node)) fail('EBUSY')
        if (place.directory === 0) fail(place.name === '..' ? 'ENOTEMPTY' : 'EINVAL')
        this.#requireWritable(place)
        if (store.list(node, 0, 1).length > 0) fail('ENOTEMPTY')
        store.remove(place.directory, place.name)
      },
      (paths, { node }, rest) => paths.rmdir(node, rest),
    )
  }

  rename(fromStart: Location, fromPath: string, toStart: Location, toPath: string): void {
    const from = this.place(fromStart, fromPath)
    if (from.node === 0) fail('ENOENT')
    const to = this.place(toStart, toPath)
    if (from.directory === 0 || to.directory === 0) fail('EBUSY')
    const { store } = from
    if (store !== to.store) fail('EXDEV')
    if (store.paths !== null) {
      // The storage looks up both again, in one step that no other session can interleave.
      const [before, after] = [from, to].map(({ name, slash }) => (slash ? `${name}/` : name))
      return store.paths.rename(from.directory, before ?? '', to.directory, after ?? '')
    }
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

  /** Where a path leads. Does not follow its last component. */
  place(start: Location, path: string): Omit<Place, 'rest'> {
    return this.#at<Omit<Place, 'rest'>>(
      start,
      path,
      false,
      (place) => place,
      (paths, { store, node }, rest) => ({ store, ...paths.place(node, rest) }),
    )
  }

  chmod({ store, node }: Location, mode: number): void {
    store.setMode(node, mode & MODE_BITS)
  }

  setTimes({ store, node }: Location, accessed: FileTime | null, modified: FileTime | null): void {
    store.setTimes(node, accessed, modified)
  }

  /** access(2) with the bits R_OK 4, W_OK 2, X_OK 1. */
  access(start: Location, path: string, wanted: number, follow: boolean): void {
    const { location, status } = this.status(start, path, follow)
    requirePermission(status, wanted)
    if ((wanted & MAY_WRITE) !== 0 && location.store.readOnly) fail('EROFS')
  }

  truncate({ store, node }: Location, size: number): void {
    const status = store.status(node)
    if (status.kind === 'directory') fail('EISDIR')
    if (status.kind !== 'file') fail('EINVAL')
    requirePermission(status, MAY_WRITE)
    store.resize(node, size)
  }

  /** Creates a node at a path where nothing exists. */
  #make(
    start: Location,
    path: string,
    made: NewNode,
    far: (paths: PathStore, start: Location, rest: string) => void,
  ): void {
    this.#at(
      start,
      path,
      false,
      (place) => {
        if (place.node !== 0) fail('EEXIST')
        if (place.slash && made.kind !== 'directory') fail('ENOENT')
        this.#requireWritable(place)
        if (made.kind === 'directory' && this.tree.depth(place.store, place.directory) >= MAX_DEPTH)
          fail('ENAMETOOLONG')
        place.store.create(place.directory, place.name, made)
      },
      far,
    )
  }

  /** Performs one operation: `near` in a store that this class walks, or `far` in a store that walks paths itself. */
  #at<T>(
    start: Location,
    path: string,
    follow: boolean,
    near: (place: Place) => T,
    far: (paths: PathStore, start: Location, rest: string) => T,
  ): T {
    let [from, left] = [start, path]
    for (let times = 0; times <= SYMLOOP_MAX; times += 1) {
      const place = this.tree.walk(from, left, follow)
      if (place.rest === null || place.store.paths === null) return near(place)
      try {
        return far(place.store.paths, place, place.rest)
      } catch (error) {
        if (!(error instanceof Outside)) throw error
        ;[from, left] = this.tree.around(place.store, error)
      }
    }
    return fail('ELOOP')
  }

  #masked(mode: number): number {
    return mode & MODE_BITS & ~this.umask
  }

  /** Checks that the directory of `place` may be changed. */
  #requireWritable({ store, directory }: Omit<Place, 'rest'>): void {
    if (store.readOnly) fail('EROFS')
    requirePermission(store.status(directory), MAY_WRITE | MAY_SEARCH)
  }

  #requireReplaceable({ store, node }: Omit<Place, 'rest'>, byDirectory: boolean): void {
    if (this.tree.isMountPoint(store, node)) fail('EBUSY')
    const isDirectory = store.status(node).kind === 'directory'
    if (byDirectory && !isDirectory) fail('ENOTDIR')
    if (!byDirectory && isDirectory) fail('EISDIR')
    if (isDirectory && store.list(node, 0, 1).length > 0) fail('ENOTEMPTY')
  }
}
