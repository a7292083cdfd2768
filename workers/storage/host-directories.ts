// Opens directories of the host: from the descriptor of the served directory, name by name, each without following a link and checked to be
// the expected directory (E5). Owns checking that a directory whose descriptor was kept is still where it was found: another program may
// have moved it out, and a descriptor moves with it.
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  statfsSync,
} from 'node:fs'
import { sep } from 'node:path'
import { FsError, fail } from '../host/errno.js'
import type { StoreUsage } from '../host/fs/node-store.js'
import { DescriptorCache } from './descriptor-cache.js'
import { onHost } from './host-error.js'
import { type HostNode, keyOf } from './host-nodes.js'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

/** Deepest nesting of directories, as in host/fs/files.ts. Bounds the cost of one request. */
const MAX_DEPTH = 1024
/** Most names looked up for one request. Paths of honest programs have fewer; links could multiply them to 160,000. */
const MAX_LOOKUPS = 4096

/**
 * Whether paths like /proc/self/fd/N/name work. Like openat(2), they name an entry of the directory that is open as N, wherever that
 * directory is now. On macOS, Windows and in containers without /proc there are only plain paths: a program that swaps directories of the
 * host at the right moment can redirect what is listed, created or removed, but not what is read or written.
 */
export function hasDescriptorPaths(): boolean {
  return process.platform === 'linux' && existsSync('/proc/self/fd')
}

export class HostDirectories {
  readonly #rootPath: string
  readonly #rootFd: number
  readonly #byDescriptor: boolean
  readonly #descriptors = new DescriptorCache<HostNode>()
  readonly root: BigIntStats
  /** Number of the request that is being served. 0 outside of requests, when nothing that was seen before may be relied on. */
  #moment = 0
  #lastMoment = 0
  #lookups = 0
  /** Result of the last lookup, because most requests ask for its status next. */
  #last: { readonly node: HostNode; readonly stat: BigIntStats } | undefined

  constructor(hostPath: string, byDescriptor: boolean) {
    this.#byDescriptor = byDescriptor
    this.#rootPath = realpathSync(hostPath)
    this.#rootFd = openSync(this.#rootPath, O_RDONLY | (O_DIRECTORY ?? 0))
    this.root = fstatSync(this.#rootFd, { bigint: true })
  }

  /** Until `end`, a directory that was found at its name is not looked up again: all of that counts as one moment. */
  begin(): void {
    this.#lastMoment += 1
    this.#moment = this.#lastMoment
    this.#lookups = 0
  }

  end(): void {
    this.#moment = 0
    this.#last = undefined
  }

  /** Something was changed, so what was seen before must not be relied on any more. */
  renew(): void {
    if (this.#moment === 0) return
    this.#lastMoment += 1
    this.#moment = this.#lastMoment
    this.#last = undefined
  }

  /**
   * Runs `use` with a function that makes paths for names in the directory. Checks first that the directory is still where it was found.
   *
   * @throws FsError ENOENT if it is not, or if something else is in its place
   */
  within<T>(directory: HostNode | undefined, use: (at: (name: string) => Buffer) => T): T {
    return this.#within(directory, true, use)
  }

  /** Runs `use` with a descriptor of the directory, which stays open until `use` returns. */
  opened<T>(directory: HostNode, use: (fd: number) => T): T {
    return this.#opened(directory, true, use)
  }

  /** Status of what has this name, without following a link; undefined if nothing has. */
  look(directory: HostNode, name: string): BigIntStats | undefined {
    if (this.#moment !== 0 && ++this.#lookups > MAX_LOOKUPS) fail('ELOOP')
    try {
      return this.#within(directory, false, (at) => lstatSync(at(name), { bigint: true }))
    } catch (error) {
      if (error instanceof FsError && error.message === 'ENOENT') return undefined
      throw error
    }
  }

  /** Records that a node was just found at its name. */
  found(node: HostNode, stat: BigIntStats): void {
    node.seenAt = this.#moment
    this.#last = { node, stat }
  }

  status(node: HostNode): BigIntStats {
    if (node.parent === undefined) return fstatSync(this.#rootFd, { bigint: true })
    if (this.#isSeen(node) && this.#last?.node === node) return this.#last.stat
    const stat = node.linked ? this.look(node.parent, node.name) : undefined
    if (stat === undefined || keyOf(stat) !== node.key) return fail('ENOENT')
    this.found(node, stat)
    return stat
  }

  /** Drops what is kept for a node that is no longer known. */
  forget(node: HostNode): void {
    this.#descriptors.delete(node)
  }

  /** Closes kept descriptors. Returns false if there are none. */
  close(): boolean {
    if (this.#descriptors.size === 0) return false
    this.#descriptors.clear()
    return true
  }

  get hasKept(): boolean {
    return this.#descriptors.size > 0
  }

  /** Usage of the disk that the directory is on, from statfs(2). */
  usage(): StoreUsage {
    const path = this.#byDescriptor ? `/proc/self/fd/${this.#rootFd}` : this.#rootPath
    const { bsize, blocks, bavail, files, ffree } = onHost(() => statfsSync(path))
    return {
      usedBytes: (blocks - bavail) * bsize,
      // Some file systems have no such limits and report 0.
      maxBytes: blocks > 0 ? blocks * bsize : null,
      nodes: files > 0 ? files - ffree : 0,
      maxNodes: files > 0 ? files : Number.MAX_SAFE_INTEGER,
    }
  }

  #within<T>(
    directory: HostNode | undefined,
    isStrict: boolean,
    use: (at: (name: string) => Buffer) => T,
  ): T {
    if (directory === undefined) return fail('ENOENT')
    if (!this.#byDescriptor) {
      if (isStrict || !this.#isSeen(directory)) closeSync(this.#walk(directory))
      const base = this.#pathOf(directory)
      return onHost(() => use((name) => Buffer.from(`${base}/${name}`, 'latin1')))
    }
    return this.#opened(directory, isStrict, (fd) =>
      use((name) => Buffer.from(`/proc/self/fd/${fd}/${name}`, 'latin1')),
    )
  }

  #opened<T>(directory: HostNode, isStrict: boolean, use: (fd: number) => T): T {
    if (!this.#byDescriptor) {
      const fd = this.#walk(directory)
      try {
        return onHost(() => use(fd))
      } finally {
        closeSync(fd)
      }
    }
    if (directory.parent === undefined) return onHost(() => use(this.#rootFd))
    this.#keep(directory, isStrict)
    return onHost(() => this.#descriptors.use(directory, use))
  }

  /**
   * Makes sure that there is a valid kept descriptor. A kept one is valid if the directory was found at its name in this moment, or the
   * operating system says that it is there now; if `isStrict`, only the latter counts. Otherwise walks the path again.
   */
  #keep(directory: HostNode, isStrict: boolean): void {
    if (!directory.linked) fail('ENOENT')
    const kept = this.#descriptors.get(directory)
    if (kept !== undefined) {
      if (!isStrict && this.#isSeen(directory)) return
      if (this.#isInPlace(directory, kept)) {
        directory.seenAt = this.#moment
        return
      }
      this.#descriptors.delete(directory)
    }
    this.#walk(directory)
  }

  #isSeen(node: HostNode): boolean {
    return this.#moment !== 0 && node.seenAt === this.#moment
  }

  /**
   * The link in /proc says where an open directory is now, whatever its name was. It must be below the served directory, at the names
   * under which it was found.
   */
  #isInPlace(directory: HostNode, fd: number): boolean {
    try {
      const root = readlinkSync(`/proc/self/fd/${this.#rootFd}`, 'latin1')
      const found = readlinkSync(`/proc/self/fd/${fd}`, 'latin1')
      const names = namesOf(directory).join('/')
      return found === (root === '/' ? `/${names}` : `${root}/${names}`)
    } catch {
      // The path is longer than the text of a link may be. The caller then checks each name.
      return false
    }
  }

  /**
   * Walks to a directory from the root, or from the nearest parent seen in this moment. The descriptor is kept; without /proc, it belongs
   * to the caller.
   */
  #walk(directory: HostNode): number {
    const go = () =>
      onHost(() => (this.#byDescriptor ? this.#walkOpen(directory) : this.#walkPaths(directory)))
    try {
      return go()
    } catch (error) {
      // The process has no descriptors left: close the kept ones and retry.
      if (isOutOfDescriptors(error) && this.close()) return go()
      throw error
    }
  }

  #walkOpen(directory: HostNode): number {
    let fd = this.#rootFd
    const way: HostNode[] = []
    for (let at: HostNode | undefined = directory; at?.parent !== undefined; at = at.parent) {
      const kept = at !== directory && this.#isSeen(at) ? this.#descriptors.get(at) : undefined
      if (kept !== undefined) {
        fd = kept
        break
      }
      addTo(way, at)
    }
    for (const node of way.reverse()) {
      fd = this.#openOne(node, `/proc/self/fd/${fd}/${node.name}`, O_NOFOLLOW ?? 0)
      this.#descriptors.add(node, fd)
      node.seenAt = this.#moment
    }
    return fd
  }

  #walkPaths(directory: HostNode): number {
    let top = directory
    const way: HostNode[] = []
    for (; top.parent !== undefined; top = top.parent) addTo(way, top)
    let fd = this.#openOne(top, this.#pathOf(top), 0)
    for (const node of way.reverse()) {
      closeSync(fd)
      const path = this.#pathOf(node)
      if (lstatSync(Buffer.from(path, 'latin1')).isSymbolicLink()) fail('ENOENT')
      fd = this.#openOne(node, path, O_NOFOLLOW ?? 0)
      node.seenAt = this.#moment
    }
    return fd
  }

  /** Opens a directory, and checks that it is the expected one. */
  #openOne(node: HostNode, path: string, flags: number): number {
    const fd = openDirectory(path, flags)
    if (keyOf(fstatSync(fd, { bigint: true })) === node.key) return fd
    closeSync(fd)
    return fail('ENOENT')
  }

  /** The path of a node, as a byte string. */
  #pathOf(node: HostNode): string {
    const root = Buffer.from(this.#rootPath, 'utf8').toString('latin1')
    return [root, ...namesOf(node)].join(sep === '\\' ? '/' : sep)
  }
}

function openDirectory(path: string, flags: number): number {
  try {
    return openSync(Buffer.from(path, 'latin1'), O_RDONLY | (O_DIRECTORY ?? 0) | flags)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A file or a link has taken its place.
    if (code === 'ENOTDIR' || code === 'ELOOP') return fail('ENOENT')
    throw error
  }
}

export function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof FsError && (error.message === 'EMFILE' || error.message === 'ENFILE')
}

/** Adds a node to a path that is built from its end. Checks that the node still has a name, and limits the depth. */
function addTo(way: HostNode[], node: HostNode): void {
  if (!node.linked) fail('ENOENT')
  if (way.push(node) > MAX_DEPTH) fail('ENAMETOOLONG')
}

/** Names on the path from the root to a node. */
function namesOf(node: HostNode): string[] {
  const names: string[] = []
  for (let at = node; at.parent !== undefined; at = at.parent) names.push(at.name)
  return names.reverse()
}
