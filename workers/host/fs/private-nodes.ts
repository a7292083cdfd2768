// The files of one session, in memory: the store at the root of its tree. Owns nodes, their contents, quota and time stamps, but not
// paths, permissions or descriptors. Writes never reach the image (I1).
import type { FileIndex } from '../../../src/shared/image/file-index.js'
import type { ImageReader } from '../../image-bytes.js'
import { fail } from '../errno.js'
import { type ChunkSource, OWN_MEMORY } from './chunk-source.js'
import {
  emptyContents,
  exchangeContents,
  freeContents,
  type Lend,
  readContents,
  resizeContents,
  writeContents,
} from './contents.js'
import { FileChangeLog } from './file-changes.js'
import {
  type CommonFields,
  type DirectoryNode,
  type Entry,
  FileClock,
  type FileNode,
  type Inode,
  makeDirectory,
  makeFile,
  makePipe,
  makeSymlink,
  type PipeNode,
  sizeOf,
} from './inode.js'
import { FIRST_COOKIE, Inodes, type NodeTable } from './inodes.js'
import type {
  DirectoryEntry,
  FileTime,
  NewNode,
  NodeId,
  NodeStatus,
  NodeStore,
  StoreUsage,
} from './node-store.js'
import { MAX_FILE_BYTES, MAX_NODES, type Quota } from './quota.js'

/** 1980-01-01 UTC: the earliest time a zip file can hold. */
const IMAGE_TIME = { seconds: 315_532_800, nanoseconds: 0 }

/** Id of an image's root. */
const ROOT = 1

export class PrivateNodes implements NodeStore {
  readonly id = 1
  readonly root: NodeId
  readonly readOnly = false
  readonly paths = null
  /** Only for state/, which captures and restores it. All other code uses the methods. */
  readonly table: NodeTable
  readonly #nodes: Inodes
  readonly #image: ImageReader
  readonly #quota: Quota
  readonly #chunks: ChunkSource
  readonly #clock = new FileClock()
  /** Undefined if changes are not recorded. */
  readonly changeLog: FileChangeLog | undefined
  /** Where the last listing stopped. A cache, so that reading a large directory stays linear. */
  #cursor: { directory: NodeId; after: number; entries: Iterator<[string, Entry]> } | undefined

  /** @param files - the image's files, with which the store begins. Without them it begins with an empty root. */
  constructor(image: ImageReader, quota: Quota, chunks: ChunkSource = OWN_MEMORY, files?: FileIndex) {
    this.#image = image
    this.#quota = quota
    this.#chunks = chunks
    this.#nodes = new Inodes(files, IMAGE_TIME)
    // A storage reports its changes in another way (workers/storage/changes.ts).
    this.changeLog = files === undefined ? undefined : new FileChangeLog(this.#nodes)
    const firstOwnId = (files?.count ?? 0) + 1
    this.table = { nodes: this.#nodes, touched: new Set(), firstOwnId, nextId: firstOwnId }
    if (files !== undefined) {
      quota.addImageNodes(files.count, files.targetBytes)
      this.root = ROOT
      return
    }
    const root = this.#add(makeDirectory(this.#common(0, '', 0o755), new Map(), FIRST_COOKIE))
    root.parent = root.id
    root.linked = true
    this.root = root.id
  }

  status(node: NodeId): NodeStatus {
    const inode = this.#get(node)
    return {
      id: inode.id,
      kind: inode.kind,
      mode: inode.mode,
      size: sizeOf(inode),
      linked: inode.linked,
      device: inode.kind === 'device' ? inode.device : null,
      accessed: inode.accessed,
      modified: inode.modified,
      changed: inode.changed,
    }
  }

  target(node: NodeId): string {
    const inode = this.#get(node)
    return inode.kind === 'symlink' ? inode.target : fail('EINVAL')
  }

  parent(node: NodeId): NodeId {
    const inode = this.#get(node)
    return inode.linked ? inode.parent : 0
  }

  name(node: NodeId): string {
    return this.#get(node).name
  }

  lookup(directory: NodeId, name: string): NodeId {
    return this.#directory(directory).entries.get(name)?.node ?? 0
  }

  list(directory: NodeId, after: number, count: number): readonly DirectoryEntry[] {
    const inode = this.#directory(directory)
    const cursor = this.#cursor
    const resumed = cursor?.directory === directory && cursor.after === after
    const iterator = resumed ? cursor.entries : inode.entries.entries()
    const found: DirectoryEntry[] = []
    this.#cursor = undefined
    while (found.length < count) {
      const next = iterator.next()
      // Keep no cursor: an iterator that has ended stays at its end, even if entries are added.
      if (next.done) return found
      const [name, entry] = next.value
      if (entry.cookie > after) found.push({ name, node: entry.node, kind: entry.kind, cookie: entry.cookie })
    }
    this.#cursor = { directory, after: found.at(-1)?.cookie ?? after, entries: iterator }
    return found
  }

  /** The cookie of the node's own entry; 0 if it is in no directory. */
  cookie(node: NodeId): number {
    const { linked, parent, name } = this.#get(node)
    const directory = linked ? this.#nodes.get(parent) : undefined
    return directory?.kind === 'directory' ? (directory.entries.get(name)?.cookie ?? 0) : 0
  }

  nextCookie(directory: NodeId): number {
    return this.#directory(directory).nextCookie
  }

  create(directory: NodeId, name: string, node: NewNode): NodeId {
    const parent = this.#directory(directory)
    if (node.kind === 'symlink') this.#quota.chargeTarget(node.target.length)
    switch (node.kind) {
      case 'file':
        return this.#link(parent, makeFile(this.#common(parent.id, name, node.mode), emptyContents()))
      case 'directory': {
        const common = this.#common(parent.id, name, node.mode)
        return this.#link(parent, makeDirectory(common, new Map(), FIRST_COOKIE))
      }
      case 'symlink':
        return this.#link(parent, makeSymlink(this.#common(parent.id, name, 0o777), node.target))
    }
  }

  /** Makes a pipe. It is in no directory, so it lives only while it is held. */
  createPipe(): PipeNode {
    return this.#add(makePipe(this.#common(0, '', 0o600)))
  }

  pipe(node: NodeId): PipeNode {
    const inode = this.#get(node)
    return inode.kind === 'pipe' ? inode : fail('EINVAL')
  }

  remove(directory: NodeId, name: string): void {
    const parent = this.#directory(directory)
    const entry = parent.entries.get(name)
    if (entry === undefined) fail('ENOENT')
    const inode = this.#get(entry.node)
    this.changeLog?.note(inode)
    parent.entries.delete(name)
    this.#touch(parent)
    inode.linked = false
    inode.changed = parent.changed
    this.#mark(inode)
    this.#collect(inode)
  }

  move(fromDirectory: NodeId, fromName: string, toDirectory: NodeId, givenName: string): void {
    const toName = ownText(givenName)
    const from = this.#directory(fromDirectory)
    const to = this.#directory(toDirectory)
    const entry = from.entries.get(fromName)
    if (entry === undefined) fail('ENOENT')
    const inode = this.#get(entry.node)
    this.changeLog?.noteTree(inode)
    if (to.entries.has(toName)) this.remove(toDirectory, toName)
    from.entries.delete(fromName)
    inode.parent = to.id
    inode.name = toName
    to.entries.set(toName, { node: inode.id, kind: inode.kind, cookie: to.nextCookie++ })
    this.#touch(from)
    if (to !== from) this.#touch(to)
    inode.changed = to.changed
    this.#mark(inode)
  }

  read(node: NodeId, position: number, into: Uint8Array, start: number, end: number, lend?: Lend): number {
    return readContents(
      this.#file(node).contents,
      this.#image,
      position,
      into,
      start,
      end,
      this.#chunks,
      lend,
    )
  }

  write(node: NodeId, position: number, from: Uint8Array, start: number, end: number): number {
    if (start === end) return 0
    const file = this.#file(node)
    this.#charge(file, Math.max(file.contents.size, position + end - start))
    try {
      writeContents(file.contents, this.#image, position, from, start, end, this.#chunks)
    } finally {
      // A failed write may have written its first chunks, which a snapshot must include.
      this.#touch(file)
    }
    return end - start
  }

  /**
   * Writes `from[start, end)`, but takes over `whole` as its whole chunks (see `exchangeContents`). They must come from the store's source.
   *
   * @param atMs - when the write happened. Default: now
   */
  exchange(
    node: NodeId,
    position: number,
    from: Uint8Array,
    start: number,
    end: number,
    whole: readonly Uint8Array[],
    atMs?: number,
  ): void {
    const file = this.#file(node)
    this.#charge(file, Math.max(file.contents.size, position + end - start))
    try {
      exchangeContents(file.contents, this.#image, position, from, start, end, whole, this.#chunks)
    } finally {
      this.#touch(file, atMs)
    }
  }

  append(node: NodeId, from: Uint8Array, start: number, end: number): number {
    const { size } = this.#file(node).contents
    return size + this.write(node, size, from, start, end)
  }

  /** Does nothing: files in memory have nothing to flush. */
  sync(): void {}

  resize(node: NodeId, size: number): void {
    const file = this.#file(node)
    this.#charge(file, size)
    resizeContents(file.contents, size, this.#chunks)
    this.#touch(file)
  }

  setMode(node: NodeId, mode: number): void {
    const inode = this.#get(node)
    inode.mode = mode
    inode.changed = this.#clock.now()
    this.#mark(inode)
  }

  setTimes(node: NodeId, accessed: FileTime | null, modified: FileTime | null): void {
    const inode = this.#get(node)
    inode.accessed = accessed ?? inode.accessed
    inode.modified = modified ?? inode.modified
    inode.changed = this.#clock.now()
    this.#mark(inode)
  }

  /** Makes every time stamp from now on differ from `time`. */
  startAfter(time: FileTime): void {
    this.#clock.startAfter(time)
  }

  now(): FileTime {
    return this.#clock.now()
  }

  hold(node: NodeId): void {
    this.#get(node).holds += 1
  }

  release(node: NodeId): void {
    const inode = this.#get(node)
    inode.holds -= 1
    this.#collect(inode)
  }

  usage(): StoreUsage {
    const { usedBytes, maxBytes, nodes } = this.#quota
    return { usedBytes, maxBytes, nodes, maxNodes: MAX_NODES }
  }

  /** Frees the contents of all files. The store must not be used again. */
  close(): void {
    for (const id of this.table.touched) {
      const inode = this.#nodes.get(id)
      if (inode?.kind === 'file') freeContents(inode.contents, this.#chunks)
    }
  }

  #get(node: NodeId): Inode {
    return this.#nodes.get(node) ?? fail('ENOENT')
  }

  #directory(node: NodeId): DirectoryNode {
    const inode = this.#get(node)
    return inode.kind === 'directory' ? inode : fail('ENOTDIR')
  }

  #file(node: NodeId): FileNode {
    const inode = this.#get(node)
    return inode.kind === 'file' ? inode : fail('EINVAL')
  }

  #common(parent: NodeId, givenName: string, mode: number): CommonFields {
    const now = this.#clock.now()
    const times = { accessed: now, modified: now, changed: now }
    const name = ownText(givenName)
    return { id: this.table.nextId, mode, parent, name, linked: false, holds: 0, ...times }
  }

  #add<T extends Inode>(inode: T): T {
    this.#quota.addNode()
    this.#nodes.add(inode)
    this.table.nextId = inode.id + 1
    this.#mark(inode)
    return inode
  }

  #link(parent: DirectoryNode, inode: Inode): NodeId {
    if (!parent.linked) fail('ENOENT')
    this.#add(inode)
    inode.linked = true
    parent.entries.set(inode.name, { node: inode.id, kind: inode.kind, cookie: parent.nextCookie++ })
    this.#touch(parent)
    return inode.id
  }

  #touch(inode: Inode, atMs?: number): void {
    const time = atMs === undefined ? this.#clock.now() : this.#clock.at(atMs, inode.changed)
    inode.modified = time
    inode.changed = time
    this.#mark(inode)
  }

  /** Includes the node in every snapshot from now on. */
  #mark(inode: Inode): void {
    this.table.touched.add(inode.id)
    this.changeLog?.note(inode)
  }

  /** Charges the quota for the file's new size, before anything is allocated. */
  #charge(file: FileNode, size: number): void {
    if (size === file.chargedBytes) return
    if (size > MAX_FILE_BYTES) fail('ENOSPC')
    this.#quota.chargeFile(file.chargedBytes, size)
    file.chargedBytes = size
  }

  /** Deletes a node that is neither in the tree nor held. */
  #collect(inode: Inode): void {
    if (inode.linked || inode.holds > 0) return
    if (inode.kind === 'file') {
      this.#quota.chargeFile(inode.chargedBytes, 0)
      freeContents(inode.contents, this.#chunks)
    }
    if (inode.kind === 'symlink') this.#quota.chargeTarget(-inode.target.length)
    if (inode.kind === 'pipe') this.#quota.charge(-inode.buffer.length)
    this.#nodes.delete(inode.id)
    this.#quota.removeNode()
    // A node of the image stays in `touched`, because a snapshot has to say that it is gone.
    if (inode.id >= this.table.firstOwnId) this.table.touched.delete(inode.id)
  }
}

/** V8 copies shorter slices by itself. */
const SHORTEST_SLICE = 13

/** Copies a name: it is a slice of a path, and V8 would keep the whole path, up to 4 KB, alive for the slice. */
function ownText(name: string): string {
  return name.length < SHORTEST_SLICE ? name : Buffer.from(name, 'latin1').toString('latin1')
}
