// One session at a storage: its door, the nodes it holds, its locks. Owns reading a request, which is copied before it is looked at
// because its writer may be hostile (R3), and giving everything back when the session is gone.
import { errno, FsError, fail } from '../host/errno.js'
import { CHUNK_BYTES } from '../host/fs/chunk-source.js'
import { wholeChunks } from '../host/fs/contents.js'
import type { Files } from '../host/fs/files.js'
import {
  type FileTime,
  type LockRange,
  type NodeId,
  type NodeStatus,
  Outside,
} from '../host/fs/node-store.js'
import type { Location } from '../host/fs/tree.js'
import type { Locks } from './locks.js'
import { Outbox } from './outbox.js'
import { Share, type Shared } from './share.js'
import {
  CHANGES,
  CONTROL,
  ENTRY_HEAD_BYTES,
  KINDS,
  LEFT_ABOVE,
  LEFT_ROOT,
  NUMBERS,
  NUMBERS_AT,
  OP,
  STATE,
  WINDOW_AT,
} from './wire.js'

/** Nodes that a session has open or is in; a session of ours has at most as many descriptors, and some more. */
const MAX_HOLDS = 2048
/** Entries of one answer. */
const MAX_ENTRIES = 3000
const TEXT = 4
const SECOND_TEXT = 5

/** Something that no slot of ours sends. */
class Violation extends Error {}

export interface Served {
  /** How often a node has changed, as sessions see it; undefined where others change nodes, too. */
  readonly changes: (() => number) | undefined
  readonly files: Files
  readonly locks: Locks
  /** Lets every client do what its session has posted. */
  readonly takePosted: () => void
  /** Undefined where all bytes go through the door. */
  readonly shared: Shared | undefined
}

export class Client {
  readonly #changes: Served['changes']
  readonly #files: Files
  readonly #locks: Locks
  readonly #control: Int32Array
  readonly #shared: Float64Array
  readonly #window: Buffer
  readonly #share: Share | undefined
  readonly #outbox: Outbox
  readonly #takeAllPosted: () => void
  /** What was asked, then what is answered. */
  readonly #numbers = new Float64Array(NUMBERS)
  readonly #holds = new Map<NodeId, number>()
  #holdCount = 0
  #broken = false

  constructor({ files, locks, changes, shared, takePosted }: Served, door: SharedArrayBuffer) {
    this.#changes = changes
    this.#files = files
    this.#locks = locks
    this.#control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.#shared = new Float64Array(door, NUMBERS_AT, NUMBERS)
    this.#window = Buffer.from(door, WINDOW_AT)
    this.#share = shared && new Share(shared, door)
    this.#outbox = new Outbox(door)
    this.#takeAllPosted = takePosted
  }

  /** Answers the request that is there; false if none is. */
  serve(): boolean {
    if (Atomics.load(this.#control, CONTROL.STATE) !== STATE.REQUEST) return false
    // What any session posted before this was asked comes before it.
    this.#takeAllPosted()
    const op = this.#control[CONTROL.OP] ?? 0
    this.#numbers.set(this.#shared)
    this.#share?.settle()
    const error = this.#run(op)
    this.#shared.set(this.#numbers)
    this.#control[CONTROL.ERROR] = error
    Atomics.store(this.#control, CONTROL.STATE, STATE.ANSWER)
    Atomics.notify(this.#control, CONTROL.STATE)
    return true
  }

  takePosted(): void {
    if (this.#broken) return
    const isOurs = this.#outbox.take((node, position, extents, atMs) => {
      if (extents > 0) return this.#share?.overwrite(node, position, extents, atMs) ?? false
      if (!this.#holds.has(node)) return false
      this.#release(node)
      return true
    })
    if (!isOurs) this.#break()
  }

  /** The session is gone. What it has done before that is done. */
  leave(): void {
    this.takePosted()
    this.#drop()
  }

  #drop(): void {
    this.#share?.drop()
    this.#locks.drop(this)
    const { store } = this.#files.tree.root
    for (const [node, count] of this.#holds) for (let i = 0; i < count; i += 1) store.release(node)
    this.#holds.clear()
  }

  #run(op: number): number {
    if (this.#broken) return errno.EIO
    try {
      this.#do(op)
      return 0
    } catch (error) {
      if (error instanceof FsError) return error.errno
      if (error instanceof Violation) {
        this.#break()
        return errno.EIO
      }
      if (!(error instanceof Outside)) throw error
      this.#window.write(error.path, 0, 'latin1')
      this.#numbers[0] = error.path.length
      return error.from === 'root' ? LEFT_ROOT : LEFT_ABOVE
    }
  }

  /** No slot of ours: it gets nothing more, and keeps nothing from others. */
  #break(): void {
    this.#broken = true
    this.#drop()
  }

  #do(op: number): void {
    const files = this.#files
    const { store } = files.tree.root
    const node = () => this.#count(0)
    switch (op) {
      // Numbers 0 to 3 as the method of MountedNodes sends them, 4 and 5 the lengths of texts in the window.
      case OP.open: {
        if (this.#holdCount >= MAX_HOLDS) fail('ENFILE')
        const opened = files.open(this.#at(0), this.#path(), this.#flags(1), this.#bits(2))
        this.#held(opened.node)
        return this.#opened(opened.node, KINDS.indexOf(opened.kind))
      }
      case OP.status:
        return this.#status(files.status(this.#at(0), this.#path(), this.#count(1) !== 0).status)
      case OP.place: {
        const place = files.place(this.#at(0), this.#path())
        this.#answer(place.node, place.directory, place.slash ? 1 : 0)
        return this.#say(place.name)
      }
      case OP.mkdir:
        return files.mkdir(this.#at(0), this.#path(), this.#bits(1))
      case OP.makeFile:
        return files.makeFile(this.#at(0), this.#path(), this.#bits(1))
      case OP.symlink:
        return files.symlink(this.#secondPath(), this.#at(0), this.#path())
      case OP.readlink:
        return this.#say(files.readlink(this.#at(0), this.#path()))
      case OP.unlink:
        return files.unlink(this.#at(0), this.#path())
      case OP.rmdir:
        return files.rmdir(this.#at(0), this.#path())
      case OP.rename:
        return files.rename(this.#at(0), this.#path(), this.#at(1), this.#secondPath())
      case OP.path: {
        const path = this.#pathOf(node())
        this.#answer(path === undefined ? 0 : 1)
        return this.#say(path ?? '')
      }
      case OP.nodeStatus:
        return this.#status(store.status(node()))
      case OP.parent:
        return this.#answer(store.parent(node()))
      case OP.list:
        return this.#list(node(), this.#count(1))
      case OP.nextCookie:
        return this.#answer(store.nextCookie(node()))
      case OP.read:
        return this.#read(node(), this.#count(1), this.#length(2))
      case OP.write: {
        const [position, length] = [this.#count(1), this.#length(2)]
        const count = store.write(node(), position, this.#window, 0, length)
        // Nobody looks at it after a small one.
        if (length >= CHUNK_BYTES) this.#share?.reserve(wholeChunks(position, length))
        return this.#answer(count)
      }
      case OP.exchange: {
        const [position, length, extents] = [this.#count(1), this.#length(2), this.#count(3)]
        if (!this.#share?.exchange(node(), position, this.#window, length, extents)) throw new Violation()
        return this.#answer(length)
      }
      case OP.append:
        return this.#answer(store.append(node(), this.#window, 0, this.#length(2)))
      case OP.resize:
        return store.resize(node(), this.#count(1))
      case OP.extend: {
        const size = this.#count(1)
        if (store.status(node()).size < size) store.resize(node(), size)
        return
      }
      case OP.sync:
        return store.sync(node())
      case OP.setMode:
        return store.setMode(node(), this.#bits(1))
      case OP.setTimes:
        return store.setTimes(node(), this.#time(4), this.#time(7))
      case OP.hold:
        if (this.#holdCount >= MAX_HOLDS) fail('ENFILE')
        store.hold(node())
        return this.#held(node())
      case OP.release:
        return this.#release(node())
      case OP.usage: {
        const { usedBytes, maxBytes, nodes, maxNodes } = store.usage()
        return this.#answer(usedBytes, maxBytes ?? -1, nodes, maxNodes)
      }
      case OP.lock:
        // A lock without a descriptor would outlive the node.
        if (!this.#holds.has(node())) fail('EBADF')
        return this.#answer(this.#locks.lock(node(), this, this.#range()) ? 1 : 0)
      case OP.unlock:
        return this.#locks.unlock(node(), this, this.#count(1), this.#limit(2))
      case OP.blocking: {
        const found = this.#locks.blocking(node(), this, this.#range())
        return this.#answer(found ? 1 : 0, found?.exclusive ? 1 : 0, found?.start ?? 0, found?.end ?? 0)
      }
      case OP.isLocked:
        return this.#answer(this.#locks.has(node(), this) ? 1 : 0)
      default:
        throw new Violation()
    }
  }

  /** With its status, where that can hold for longer than the answer takes. */
  #opened(node: NodeId, kind: number): void {
    if (this.#changes) this.#status(this.#files.tree.root.store.status(node))
    else this.#answer(node, kind)
    this.#numbers[CHANGES] = this.#changes?.() ?? Number.NaN
  }

  #read(node: NodeId, position: number, length: number): void {
    if (this.#share) return this.#answer(...this.#share.read(node, position, this.#window, length))
    this.#answer(this.#files.tree.root.store.read(node, position, this.#window, 0, length), 0)
  }

  #list(node: NodeId, after: number): void {
    const { store } = this.#files.tree.root
    const entries = store.list(node, after, MAX_ENTRIES)
    let at = 0
    let count = 0
    for (const entry of entries) {
      const end = at + ENTRY_HEAD_BYTES + entry.name.length
      if (end > this.#window.length) break
      this.#window.writeDoubleLE(entry.cookie, at)
      this.#window.writeDoubleLE(entry.node, at + 8)
      this.#window[at + 16] = KINDS.indexOf(entry.kind)
      this.#window[at + 17] = entry.name.length
      this.#window.write(entry.name, at + ENTRY_HEAD_BYTES, 'latin1')
      at = end
      count += 1
    }
    this.#answer(count, at, count === entries.length && count < MAX_ENTRIES ? 1 : 0)
  }

  #pathOf(node: NodeId): string | undefined {
    const { root } = this.#files.tree
    if (node === root.node) return ''
    try {
      const path = root.store.status(node).kind === 'directory' ? node : root.store.parent(node)
      if (path === 0) return undefined
      const directory = this.#files.tree.pathOf({ store: root.store, node: path })
      if (path === node) return directory.slice(1)
      return `${directory}/${root.store.name(node)}`.replace(/^\/+/, '')
    } catch (error) {
      if (error instanceof FsError) return undefined
      throw error
    }
  }

  #status(status: NodeStatus): void {
    const { accessed, modified, changed } = status
    const { id, kind, mode, size, linked } = status
    this.#answer(id, KINDS.indexOf(kind), mode, size, linked ? 1 : 0, accessed.seconds, accessed.nanoseconds)
    this.#numbers.set([modified.seconds, modified.nanoseconds, changed.seconds, changed.nanoseconds], 7)
  }

  #held(node: NodeId): void {
    this.#holds.set(node, (this.#holds.get(node) ?? 0) + 1)
    this.#holdCount += 1
  }

  #release(node: NodeId): void {
    const count = this.#holds.get(node) ?? fail('EBADF')
    if (count === 1) {
      this.#holds.delete(node)
      this.#locks.unlock(node, this, 0, Number.POSITIVE_INFINITY)
    } else this.#holds.set(node, count - 1)
    this.#holdCount -= 1
    this.#files.tree.root.store.release(node)
  }

  #answer(...numbers: number[]): void {
    this.#numbers.set(numbers)
  }

  #say(text: string): void {
    this.#window.write(text, 0, 'latin1')
    this.#numbers[TEXT] = text.length
  }

  // Numbers of the request, each checked where it is taken.

  #at(index: number): Location {
    return { store: this.#files.tree.root.store, node: this.#count(index) }
  }

  #count(index: number): number {
    const value = this.#numbers[index] ?? Number.NaN
    if (!(value >= 0) || !Number.isInteger(value)) throw new Violation()
    return value <= Number.MAX_SAFE_INTEGER ? value : fail('EOVERFLOW')
  }

  #limit(index: number): number {
    return this.#numbers[index] === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : this.#count(index)
  }

  /** Bytes of the window. */
  #length(index: number): number {
    const length = this.#count(index)
    if (length > this.#window.length) throw new Violation()
    return length
  }

  #flags(index: number): number {
    const value = this.#numbers[index] ?? Number.NaN
    if (!Number.isInteger(value) || value !== (value | 0)) throw new Violation()
    return value
  }

  #bits(index: number): number {
    return this.#flags(index) & 0o7777
  }

  #range(): LockRange {
    const [start, end] = [this.#count(2), this.#limit(3)]
    if (end <= start) throw new Violation()
    return { exclusive: this.#count(1) !== 0, start, end }
  }

  #time(index: number): FileTime | null {
    if (this.#count(index) === 0) return null
    const seconds = this.#numbers[index + 1] ?? Number.NaN
    const nanoseconds = this.#count(index + 2)
    if (!Number.isInteger(seconds) || nanoseconds > 999_999_999) throw new Violation()
    return { seconds, nanoseconds }
  }

  #path(): string {
    return this.#textAt(0, this.#length(TEXT))
  }

  #secondPath(): string {
    const start = this.#length(TEXT)
    return this.#textAt(start, start + this.#length(SECOND_TEXT))
  }

  /** A copy. A byte that is NUL would end a name on the host. */
  #textAt(start: number, end: number): string {
    if (end > this.#window.length) throw new Violation()
    const text = this.#window.toString('latin1', start, end)
    if (text.includes('\0')) throw new Violation()
    return text
  }
}
