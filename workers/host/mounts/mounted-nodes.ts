// A storage as the slot's file system sees it: every method is one request through the door. Owns the encoding of requests, and which
// files this session may have locks on. The storage thread has the data and makes all decisions.

import {
  CHANGES,
  ENTRY_HEAD_BYTES,
  KINDS,
  type MountWire,
  OP,
} from '../../../src/shared/messages/storage-door.js'
import { copyBytes } from '../../copy.js'
import { FsError, fail } from '../errno.js'
import { CHUNK_BYTES } from '../fs/chunk-source.js'
import type {
  DirectoryEntry,
  FarPlace,
  FileTime,
  LockRange,
  NewNode,
  NodeId,
  NodeKind,
  NodeStatus,
  NodeStore,
  Opened,
  PathStore,
  StoreUsage,
} from '../fs/node-store.js'
import { ArenaCopies } from './arena-copies.js'
import { StorageDoor } from './door.js'

/** Store id of the mounted storage: a session has at most one. */
export const MOUNTED_STORE = 2
const ROOT: NodeId = 1
/** Lower cookies belong to "." and "..": with those, a listing begins. */
const FIRST_COOKIE = 3
/** Numbers 4 and 5 hold the lengths of texts. */
const TEXT = 4
const SECOND_TEXT = 5

export class MountedNodes implements NodeStore, PathStore {
  readonly id = MOUNTED_STORE
  readonly root = ROOT
  readonly paths = this
  readonly readOnly: boolean
  /** Absolute, as a byte string. */
  readonly mountPath: string
  readonly #door: StorageDoor
  /** Undefined if all bytes go through the window. */
  readonly #copies: ArenaCopies | undefined
  readonly #locked = new Set<NodeId>()
  /** Status of the node opened last, which most programs ask for next. Valid until the storage says that it may have changed. */
  #opened: { readonly status: NodeStatus; readonly changes: number } | undefined
  /** The answer to the last request for a listing. */
  #listed: { directory: NodeId; entries: readonly DirectoryEntry[]; whole: boolean; next: number } | undefined

  /** @param isInterrupted whether the running execution has been asked to stop, so that a request it waits for is cancelled */
  constructor({ path, door, bell, arena, readOnly }: MountWire, isInterrupted?: () => boolean) {
    this.mountPath = Buffer.from(path, 'utf8').toString('latin1')
    this.readOnly = readOnly
    this.#door = new StorageDoor(door, bell, isInterrupted)
    this.#copies = arena === null ? undefined : new ArenaCopies(arena, door, this.#door.window)
  }

  // Paths.

  open(start: NodeId, path: string, flags: number, mode: number): Opened {
    this.#path(OP.open, path, start, flags, mode)
    const status = this.#status()
    this.#opened = { status, changes: this.#number(CHANGES) }
    return { node: status.id, kind: status.kind, device: null }
  }

  place(start: NodeId, path: string): FarPlace {
    this.#path(OP.place, path, start)
    const [node, directory, slash] = [this.#number(0), this.#number(1), this.#number(2) === 1]
    return { node, directory, name: this.#door.text(TEXT), slash }
  }

  mkdir(start: NodeId, path: string, mode: number): void {
    this.#path(OP.mkdir, path, start, mode)
  }

  makeFile(start: NodeId, path: string, mode: number): void {
    this.#path(OP.makeFile, path, start, mode)
  }

  symlink(target: string, start: NodeId, path: string): void {
    const end = this.#door.putText(path, TEXT)
    this.#door.putText(target, SECOND_TEXT, end)
    this.#door.call(OP.symlink, start)
  }

  readlink(start: NodeId, path: string): string {
    this.#path(OP.readlink, path, start)
    return this.#door.text(TEXT)
  }

  unlink(start: NodeId, path: string): void {
    this.#path(OP.unlink, path, start)
  }

  rmdir(start: NodeId, path: string): void {
    this.#path(OP.rmdir, path, start)
  }

  rename(fromStart: NodeId, fromPath: string, toStart: NodeId, toPath: string): void {
    const end = this.#door.putText(fromPath, TEXT)
    this.#door.putText(toPath, SECOND_TEXT, end)
    this.#door.call(OP.rename, fromStart, toStart)
  }

  path(node: NodeId): string | undefined {
    this.#door.call(OP.path, node)
    return this.#number(0) === 1 ? this.#door.text(TEXT) : undefined
  }

  // Nodes.

  /** The status of a node, or of a path below it. */
  status(node: NodeId, path?: string, follow = true): NodeStatus {
    if (path !== undefined) this.#path(OP.status, path, node, follow ? 1 : 0)
    else {
      const opened = this.#opened
      if (opened?.status.id === node && opened.changes === this.#door.changes) return opened.status
      this.#door.call(OP.nodeStatus, node)
    }
    return this.#status()
  }

  parent(node: NodeId): NodeId {
    this.#door.call(OP.parent, node)
    return this.#number(0)
  }

  list(directory: NodeId, after: number, count: number): readonly DirectoryEntry[] {
    const listed = this.#listed
    if (after >= FIRST_COOKIE && listed?.directory === directory) {
      const { entries } = listed
      // Usually the position where the last call stopped.
      const at =
        entries[listed.next - 1]?.cookie === after
          ? listed.next
          : entries.findIndex(({ cookie }) => cookie > after)
      if (at >= 0 && at < entries.length) {
        listed.next = at + count
        return entries.slice(at, at + count)
      }
      if (listed.whole && (entries.at(-1)?.cookie ?? 0) <= after) return []
    }
    this.#door.call(OP.list, directory, after)
    const entries = this.#entries(this.#number(0), this.#number(1))
    this.#listed = { directory, entries, whole: this.#number(2) === 1, next: count }
    return entries.slice(0, count)
  }

  nextCookie(directory: NodeId): number {
    this.#listed = undefined
    this.#door.call(OP.nextCookie, directory)
    return this.#number(0)
  }

  /** Reads in parts of the window's size; each part is one atomic request. */
  read(node: NodeId, position: number, into: Uint8Array, start: number, end: number): number {
    const { window } = this.#door
    let at = start
    while (at < end) {
      const wanted = Math.min(end - at, window.length)
      this.#door.call(OP.read, node, position + at - start, wanted)
      const count = Math.min(wanted, this.#number(0))
      if (this.#copies) this.#copies.take(count, this.#number(1), into, at)
      else copyBytes(window.subarray(0, count), into, at)
      at += count
      if (count < wanted) break
    }
    return at - start
  }

  write(node: NodeId, position: number, from: Uint8Array, start: number, end: number): number {
    return this.#inParts(start, end, (at, count) => {
      const place = position + at - start
      const copies = count < CHUNK_BYTES ? undefined : this.#copies
      const extents = copies?.put(from, at, count, place) ?? 0
      if (extents === 0) copyBytes(from.subarray(at, at + count), this.#door.window, 0)
      if (extents === 0 || !this.#overwrite(node, place, count, extents))
        this.#door.call(extents === 0 ? OP.write : OP.exchange, node, place, count, extents)
      copies?.used(extents)
    })
  }

  /** Appends in parts if there is more than fits the window: writes of other sessions may come between the parts. */
  append(node: NodeId, from: Uint8Array, start: number, end: number): number {
    let position = 0
    if (start === end) return this.status(node).size
    const count = this.#inParts(start, end, (at, length) => {
      copyBytes(from.subarray(at, at + length), this.#door.window, 0)
      this.#door.call(OP.append, node, 0, length)
      position = this.#number(0)
    })
    if (count < end - start) fail('ENOSPC')
    return position
  }

  resize(node: NodeId, size: number): void {
    this.#door.call(OP.resize, node, size)
  }

  extend(node: NodeId, size: number): void {
    this.#door.call(OP.extend, node, size)
  }

  sync(node: NodeId): void {
    this.#door.call(OP.sync, node)
  }

  setMode(node: NodeId, mode: number): void {
    this.#door.call(OP.setMode, node, mode)
  }

  setTimes(node: NodeId, accessed: FileTime | null, modified: FileTime | null): void {
    const { numbers } = this.#door
    for (const [index, time] of [accessed, modified].entries()) {
      numbers[4 + 3 * index] = time === null ? 0 : 1
      numbers[5 + 3 * index] = time?.seconds ?? 0
      numbers[6 + 3 * index] = time?.nanoseconds ?? 0
    }
    this.#door.call(OP.setTimes, node)
  }

  hold(node: NodeId): void {
    this.#door.call(OP.hold, node)
  }

  release(node: NodeId): void {
    // No need to wait: the storage processes the post before the next request of this session, or of any other.
    if (!this.#door.giveBack(node)) unlessGone(() => this.#door.call(OP.release, node))
  }

  usage(): StoreUsage {
    this.#door.call(OP.usage)
    const maxBytes = this.#number(1)
    return {
      usedBytes: this.#number(0),
      maxBytes: maxBytes < 0 ? null : maxBytes,
      nodes: this.#number(2),
      maxNodes: this.#number(3),
    }
  }

  // Locks.

  lock(node: NodeId, range: LockRange): boolean {
    this.#door.call(OP.lock, node, range.exclusive ? 1 : 0, range.start, range.end)
    const done = this.#number(0) === 1
    if (done) this.#locked.add(node)
    return done
  }

  unlock(node: NodeId, start: number, end: number): void {
    if (!this.#locked.has(node)) return
    this.#door.call(OP.unlock, node, start, end)
    if (start === 0 && end === Number.POSITIVE_INFINITY) this.#locked.delete(node)
  }

  blocking(node: NodeId, range: LockRange): LockRange | undefined {
    this.#door.call(OP.blocking, node, range.exclusive ? 1 : 0, range.start, range.end)
    if (this.#number(0) === 0) return undefined
    return { exclusive: this.#number(1) === 1, start: this.#number(2), end: this.#number(3) }
  }

  isLocked(node: NodeId): boolean {
    if (!this.#locked.has(node)) return false
    this.#door.call(OP.isLocked, node)
    return this.#number(0) === 1
  }

  closed(node: NodeId): void {
    unlessGone(() => this.unlock(node, 0, Number.POSITIVE_INFINITY))
  }

  // Only code that walks paths needs these methods. For a mounted storage, the storage thread walks them.

  target(): string {
    return fail('EINVAL')
  }

  name(): string {
    return fail('EINVAL')
  }

  lookup(): NodeId {
    return fail('EINVAL')
  }

  create(_directory: NodeId, _name: string, _node: NewNode): NodeId {
    return fail('EINVAL')
  }

  remove(): void {
    fail('EINVAL')
  }

  move(): void {
    fail('EINVAL')
  }

  /**
   * Writes without waiting, if the file is known to be long enough and only whole chunks are written: they need no room, so nothing can
   * fail. If another session cuts the file at that moment, the cut counts as later. Returns false if the size is not known.
   */
  #overwrite(node: NodeId, position: number, count: number, extents: number): boolean {
    const opened = this.#opened
    if (opened?.status.id !== node || opened.changes !== this.#door.changes) return false
    if (count !== extents * CHUNK_BYTES || position + count > opened.status.size) return false
    if (!this.#door.overwrite(node, position, extents)) return false
    // Its times have changed.
    this.#opened = undefined
    return true
  }

  #inParts(start: number, end: number, write: (at: number, count: number) => void): number {
    const { window } = this.#door
    for (let at = start; at < end; ) {
      const count = Math.min(end - at, window.length)
      try {
        write(at, count)
      } catch (error) {
        // The parts before are written: write(2) reports how much that is, and the next write fails.
        if (at === start) throw error
        return at - start
      }
      at += count
    }
    return end - start
  }

  #status(): NodeStatus {
    const time = (at: number): FileTime => ({ seconds: this.#number(at), nanoseconds: this.#number(at + 1) })
    return {
      id: this.#number(0),
      kind: this.#kind(1),
      mode: this.#number(2),
      size: this.#number(3),
      linked: this.#number(4) === 1,
      device: null,
      accessed: time(5),
      modified: time(7),
      changed: time(9),
    }
  }

  #path(op: number, path: string, start: NodeId, b = 0, c = 0): void {
    this.#door.putText(path, TEXT)
    this.#door.call(op, start, b, c)
  }

  #entries(count: number, bytes: number): DirectoryEntry[] {
    // Copied, because the window is shared memory and a DataView on it is slower.
    const data = Buffer.from(this.#door.window.subarray(0, bytes))
    const entries: DirectoryEntry[] = []
    for (let at = 0, index = 0; index < count; index += 1) {
      const length = data[at + 17] ?? 0
      entries.push({
        cookie: data.readDoubleLE(at),
        node: data.readDoubleLE(at + 8),
        kind: KINDS[data[at + 16] ?? 0] ?? 'file',
        name: data.toString('latin1', at + ENTRY_HEAD_BYTES, at + ENTRY_HEAD_BYTES + length),
      })
      at += ENTRY_HEAD_BYTES + length
    }
    return entries
  }

  #number(at: number): number {
    return this.#door.numbers[at] ?? 0
  }

  #kind(at: number): NodeKind {
    return KINDS[this.#number(at)] ?? 'file'
  }
}

/** Ignores failures of the file system: a storage that is gone has nothing left to release. */
function unlessGone(give: () => void): void {
  try {
    give()
  } catch (error) {
    if (!(error instanceof FsError)) throw error
  }
}
