// A directory of the host as a store. Owns confinement (E5): every node is reached from the directory's own descriptor, one name at a time,
// never through a link; links are text that our own tree resolves. Only files, directories and links are visible.
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { FsError, fail } from '../host/errno.js'
import type {
  DirectoryEntry,
  FileTime,
  NewNode,
  NodeId,
  NodeStatus,
  NodeStore,
  StoreUsage,
} from '../host/fs/node-store.js'
import { HostDirectories, hasDescriptorPaths, isOutOfDescriptors } from './host-directories.js'
import { onHost } from './host-error.js'
import { HostListings } from './host-listings.js'
import { type HostNode, HostNodes } from './host-nodes.js'

const { O_RDONLY, O_RDWR, O_NOFOLLOW, O_NONBLOCK, O_CREAT, O_EXCL } = constants
/** How many files are counted in one step. */
const STEP_FILES = 64
/** Leaves out set-user and set-group, so that no session creates a program that changes its user or group on the host. */
const HOST_MODE_BITS = 0o1777

export class DirectoryNodes implements NodeStore {
  readonly id = 1
  readonly root: NodeId
  readonly readOnly: boolean
  readonly paths = null
  readonly #nodes: HostNodes
  readonly #directories: HostDirectories
  readonly #listings: HostListings

  constructor(hostPath: string, readOnly: boolean, byDescriptor = hasDescriptorPaths()) {
    this.readOnly = readOnly
    this.#directories = new HostDirectories(hostPath, byDescriptor)
    this.#listings = new HostListings(this.#directories)
    this.#nodes = new HostNodes(this.#directories.root, (node) => {
      this.#directories.forget(node)
      this.#listings.forget(node)
    })
    this.root = this.#nodes.root.id
  }

  /** Everything until `end` is one request: what it has found once is not looked up again. */
  begin(): void {
    this.#directories.begin()
  }

  end(): void {
    this.#directories.end()
  }

  /** Closes descriptors that are kept for the next request. Returns false if there are none. */
  closeKept(): boolean {
    return this.#directories.close()
  }

  /** Whether descriptors are kept that `closeKept` would close. */
  get hasKept(): boolean {
    return this.#directories.hasKept
  }

  status(node: NodeId): NodeStatus {
    const host = this.#nodes.get(node)
    const stat = onHost(() =>
      host.fd === undefined ? this.#directories.status(host) : fstatSync(host.fd, { bigint: true }),
    )
    const time = (ns: bigint): FileTime => ({
      seconds: Number(ns / 1_000_000_000n),
      nanoseconds: Number(ns % 1_000_000_000n),
    })
    return {
      id: node,
      kind: host.kind,
      mode: Number(stat.mode) & 0o7777,
      size: Number(stat.size),
      linked: host.linked,
      device: null,
      accessed: time(stat.atimeNs),
      modified: time(stat.mtimeNs),
      changed: time(stat.ctimeNs),
    }
  }

  target(node: NodeId): string {
    const host = this.#nodes.get(node)
    if (host.kind !== 'symlink') fail('EINVAL')
    return this.#directories.within(host.parent, (at) => readlinkSync(at(host.name), 'latin1'))
  }

  parent(node: NodeId): NodeId {
    const { linked, parent, id } = this.#nodes.get(node)
    return linked ? (parent?.id ?? id) : 0
  }

  name(node: NodeId): string {
    return this.#nodes.get(node).name
  }

  lookup(directory: NodeId, name: string): NodeId {
    const parent = this.#directory(directory)
    const stat = this.#directories.look(parent, name)
    if (stat === undefined) return 0
    const node = this.#nodes.found(parent, name, stat)
    this.#directories.found(node, stat)
    return node.id
  }

  /** Asking for one entry from the start means "is the directory empty?", so that reads the directory as it is now. */
  list(directory: NodeId, after: number, count: number): readonly DirectoryEntry[] {
    const host = this.#directory(directory)
    if (after === 0 && count === 1) return this.#listings.first(host)
    const known = after === 0 ? undefined : this.#listings.get(host)
    return this.#listings.after(known ?? this.#listings.readAtOnce(host), after, count)
  }

  /** Reads the directory, so that a listing that begins now shows its current entries. */
  nextCookie(directory: NodeId): number {
    return this.#listings.readAtOnce(this.#directory(directory)).next
  }

  /** Like `nextCookie`, but in steps, because the directory may be large. `lastCookie` then returns the result. */
  *refresh(directory: NodeId): Generator<undefined, void> {
    yield* this.#listings.read(this.#directory(directory))
  }

  lastCookie(directory: NodeId): number {
    return (this.#listings.get(this.#directory(directory)) ?? fail('ENOENT')).next
  }

  isListed(directory: NodeId): boolean {
    return this.#listings.get(this.#directory(directory)) !== undefined
  }

  create(directory: NodeId, name: string, node: NewNode): NodeId {
    this.#requireWritable()
    const parent = this.#directory(directory)
    this.#directories.within(parent, (at) => {
      const path = at(name)
      if (node.kind === 'symlink') return symlinkSync(Buffer.from(node.target, 'latin1'), path)
      const mode = node.mode & HOST_MODE_BITS
      if (node.kind === 'directory') mkdirSync(path, mode)
      const flags = node.kind === 'file' ? O_RDWR | O_CREAT | O_EXCL : O_RDONLY
      const fd = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, mode)
      try {
        // The operating system has applied the process's umask, which is not the session's.
        fchmodSync(fd, mode)
      } finally {
        closeSync(fd)
      }
    })
    this.#directories.renew()
    return this.lookup(directory, name)
  }

  remove(directory: NodeId, name: string): void {
    this.#requireWritable()
    const parent = this.#directory(directory)
    const node = this.lookup(directory, name)
    if (node === 0) fail('ENOENT')
    const host = this.#nodes.get(node)
    this.#directories.within(parent, (at) => {
      if (host.kind === 'directory') rmdirSync(at(name))
      else unlinkSync(at(name))
    })
    this.#nodes.unlink(host)
    this.#directories.renew()
  }

  move(fromDirectory: NodeId, fromName: string, toDirectory: NodeId, toName: string): void {
    this.#requireWritable()
    const from = this.#directory(fromDirectory)
    const to = this.#directory(toDirectory)
    const moved = this.lookup(fromDirectory, fromName)
    if (moved === 0) fail('ENOENT')
    const replaced = this.lookup(toDirectory, toName)
    this.#directories.within(from, (before) =>
      this.#directories.within(to, (after) => renameSync(before(fromName), after(toName))),
    )
    if (replaced !== 0 && replaced !== moved) this.#nodes.unlink(this.#nodes.get(replaced))
    this.#nodes.move(this.#nodes.get(moved), to, toName)
    this.#directories.renew()
  }

  read(node: NodeId, position: number, into: Uint8Array, start: number, end: number): number {
    return this.#file(node, (fd) => {
      let at = start
      while (at < end) {
        const count = readSync(fd, into, at, end - at, position + at - start)
        if (count === 0) break
        at += count
      }
      return at - start
    })
  }

  write(node: NodeId, position: number, from: Uint8Array, start: number, end: number): number {
    this.#requireWritable()
    return this.#file(node, (fd) => {
      for (let at = start; at < end; ) at += writeSync(fd, from, at, end - at, position + at - start)
      return end - start
    })
  }

  append(node: NodeId, from: Uint8Array, start: number, end: number): number {
    const { size } = this.status(node)
    return size + this.write(node, size, from, start, end)
  }

  resize(node: NodeId, size: number): void {
    this.#requireWritable()
    this.#file(node, (fd) => ftruncateSync(fd, size))
  }

  sync(node: NodeId): void {
    const { kind } = this.#nodes.get(node)
    if (kind === 'file') this.#file(node, fsyncSync)
  }

  setMode(node: NodeId, mode: number): void {
    this.#requireWritable()
    this.#opened(node, (fd) => fchmodSync(fd, mode & HOST_MODE_BITS))
  }

  setTimes(node: NodeId, accessed: FileTime | null, modified: FileTime | null): void {
    this.#requireWritable()
    const now = this.status(node)
    const [atime, mtime] = [accessed ?? now.accessed, modified ?? now.modified].map(
      ({ seconds, nanoseconds }) => seconds + nanoseconds / 1e9,
    )
    const host = this.#nodes.get(node)
    if (host.kind !== 'symlink') return this.#opened(node, (fd) => futimesSync(fd, atime ?? 0, mtime ?? 0))
    this.#directories.within(host.parent, (at) => lutimesSync(at(host.name), atime ?? 0, mtime ?? 0))
  }

  hold(node: NodeId): void {
    const host = this.#nodes.get(node)
    if (host.holds === 0 && host.kind === 'file') host.fd = this.#open(host)
    host.holds += 1
  }

  release(node: NodeId): void {
    const host = this.#nodes.get(node)
    host.holds -= 1
    if (host.holds > 0) return
    if (host.fd !== undefined) closeSync(host.fd)
    host.fd = undefined
    this.#nodes.released(host)
  }

  /** Usage of the disk that the directory is on. */
  usage(): StoreUsage {
    return this.#directories.usage()
  }

  /** Counts again each time, because other programs may change the directory. */
  *countBytes(): Generator<undefined, number> {
    let bytes = 0
    const todo = [this.root]
    for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
      const host = this.#nodes.get(id)
      try {
        const { entries } = yield* this.#listings.read(host)
        for (const [index, { name, kind }] of entries.entries()) {
          if (index % STEP_FILES === STEP_FILES - 1) yield
          const found = kind === 'symlink' ? 0 : this.lookup(id, name)
          if (found === 0) continue
          if (kind === 'directory') todo.push(found)
          else bytes += this.status(found).size
        }
      } catch (error) {
        // Ignore a directory that has disappeared since it was found.
        if (!(error instanceof FsError && error.message === 'ENOENT') || id === this.root) throw error
      }
    }
    return bytes
  }

  #directory(node: NodeId): HostNode {
    const host = this.#nodes.get(node)
    return host.kind === 'directory' ? host : fail('ENOTDIR')
  }

  #requireWritable(): void {
    if (this.readOnly) fail('EROFS')
  }

  /** Runs `use` with a descriptor of a file: the one that is held, or a temporary one. */
  #file<T>(node: NodeId, use: (fd: number) => T): T {
    if (this.#nodes.get(node).kind !== 'file') fail('EINVAL')
    return this.#opened(node, use)
  }

  #opened<T>(node: NodeId, use: (fd: number) => T): T {
    const host = this.#nodes.get(node)
    const own = host.fd
    if (own !== undefined) return onHost(() => use(own))
    if (host.kind === 'directory') return this.#directories.opened(host, use)
    const fd = this.#open(host)
    try {
      return onHost(() => use(fd))
    } finally {
      closeSync(fd)
    }
  }

  #open(host: HostNode): number {
    if (host.kind === 'symlink') fail('ELOOP')
    try {
      return this.#openFile(host)
    } catch (error) {
      if (isOutOfDescriptors(error) && this.#directories.close()) return this.#openFile(host)
      throw error
    }
  }

  #openFile(host: HostNode): number {
    return this.#directories.within(host.parent, (at) => {
      // If the process may only read the file, open it for reading. A write to it then fails.
      const access = this.readOnly ? [O_RDONLY] : [O_RDWR, O_RDONLY]
      for (const flags of access) {
        try {
          const fd = openSync(at(host.name), flags | O_NOFOLLOW | O_NONBLOCK)
          if (this.#nodes.isSame(host, fstatSync(fd, { bigint: true }))) return fd
          closeSync(fd)
          return fail('ENOENT')
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException
          if (flags === O_RDONLY || (code !== 'EACCES' && code !== 'EROFS')) throw error
        }
      }
      return fail('EACCES')
    })
  }
}
