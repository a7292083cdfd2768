// One session at a storage: its door, the nodes it holds, its locks. Owns what each operation does, step by step where it takes long,
// and giving everything back when the session is gone. Reading a request, which may be hostile, is request.ts's.
import { errno, FsError, fail } from '../host/errno.js'
import { CHUNK_BYTES } from '../host/fs/chunk-source.js'
import { wholeChunks } from '../host/fs/contents.js'
import type { Files } from '../host/fs/files.js'
import { type NodeId, Outside } from '../host/fs/node-store.js'
import type { Location } from '../host/fs/tree.js'
import type { DirectoryNodes } from './directory-nodes.js'
import type { Locks } from './locks.js'
import { Outbox } from './outbox.js'
import { DoorRequest, Violation } from './request.js'
import { Share, type Shared } from './share.js'
import type { Party } from './turns.js'
import {
  BELL,
  BELL_BYTES,
  CHANGES,
  ENTRY_HEAD_BYTES,
  KINDS,
  LEFT_ABOVE,
  LEFT_ROOT,
  OP,
  POSTING,
} from './wire.js'

/** Nodes that a session has open or is in; a session of ours has at most as many descriptors, and some more. */
const MAX_HOLDS = 2048
/** Entries of one answer. */
const MAX_ENTRIES = 3000

type Steps = Iterator<undefined, void>

export interface Served {
  /**
   * A session has opened a node: the value of its bell's CHANGES for which the node's status holds. Undefined where others change
   * nodes, too.
   */
  readonly changes: ((client: Client, node: NodeId) => number) | undefined
  readonly files: Files
  readonly locks: Locks
  /** Lets every client do what its session has posted. */
  readonly takePosted: () => void
  /** Undefined where all bytes go through the door. */
  readonly shared: Shared | undefined
  /** Set where the files are the host's. */
  readonly directory?: DirectoryNodes | undefined
  /** How many nodes one session may hold, if that is less than `MAX_HOLDS`. */
  readonly maxHolds?: (() => number) | undefined
}

export class Client implements Party {
  readonly bell: Int32Array
  dueMs = 0
  /** The node whose status the slot may know; 0: none. */
  knownNode: NodeId = 0
  readonly #served: Served
  readonly #files: Files
  readonly #locks: Locks
  readonly #request: DoorRequest
  readonly #share: Share | undefined
  readonly #outbox: Outbox
  readonly #holds = new Map<NodeId, number>()
  #holdCount = 0
  #changes = 0
  /** Of the request that is being served, where that takes more than one. */
  #steps: Steps | undefined
  #broken = false

  constructor(served: Served, door: SharedArrayBuffer, bell = new SharedArrayBuffer(BELL_BYTES)) {
    this.bell = new Int32Array(bell)
    this.#served = served
    this.#files = served.files
    this.#locks = served.locks
    this.#request = new DoorRequest(door)
    this.#share = served.shared && new Share(served.shared, door)
    this.#outbox = new Outbox(door)
  }

  get isWaiting(): boolean {
    return this.#request.isThere
  }

  get hasPosted(): boolean {
    return !this.#broken && this.#outbox.hasPosted
  }

  /** Does the next step of the request that is there, and answers it with the last; false if none is. */
  serve(): boolean {
    if (!this.#request.isThere) return false
    const { directory } = this.#served
    directory?.begin()
    const error = this.#step()
    directory?.end()
    if (error !== undefined) this.#request.finish(error)
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

  /** What the slot may post from now on nobody else has to hear of; see `POSTING`. */
  setPosting(posting: number): void {
    Atomics.store(this.bell, BELL.POSTING, posting)
  }

  /** What the slot knows about the node that it opened last may not hold any more. */
  forget(): void {
    this.knownNode = 0
    this.#changes = (this.#changes + 1) | 0
    Atomics.store(this.bell, BELL.CHANGES, this.#changes)
    this.setPosting(POSTING.ASK)
  }

  get changes(): number {
    return this.#changes
  }

  /** The session is gone. What it has done before that is done. */
  leave(): void {
    this.takePosted()
    this.#drop()
  }

  #drop(): void {
    this.#stop()
    this.knownNode = 0
    this.#share?.drop()
    this.#locks.drop(this)
    const { store } = this.#files.tree.root
    for (const [node, count] of this.#holds) for (let i = 0; i < count; i += 1) store.release(node)
    this.#holds.clear()
  }

  #stop(): void {
    const steps = this.#steps
    this.#steps = undefined
    steps?.return?.()
  }

  /** The request's error, or 0; undefined if there is more to do. */
  #step(): number | undefined {
    if (this.#broken) return errno.EIO
    try {
      let steps = this.#steps
      if (steps === undefined) {
        // What any session posted before this was asked comes before it.
        this.#served.takePosted()
        if (this.#broken) return errno.EIO
        const op = this.#request.take()
        this.#share?.settle()
        if (this.#request.isCancelled && op !== OP.settle) return errno.EINTR
        steps = this.#do(op)
        if (steps === undefined) return 0
        this.#steps = steps
      } else if (this.#request.isCancelled) {
        this.#stop()
        return errno.EINTR
      }
      if (!steps.next().done) return undefined
      this.#steps = undefined
      return 0
    } catch (error) {
      this.#steps = undefined
      return this.#errorOf(error)
    }
  }

  #errorOf(error: unknown): number {
    if (error instanceof FsError) return error.errno
    if (error instanceof Violation) {
      this.#break()
      return errno.EIO
    }
    if (!(error instanceof Outside)) throw error
    this.#request.window.write(error.path, 0, 'latin1')
    this.#request.answer(error.path.length)
    return error.from === 'root' ? LEFT_ROOT : LEFT_ABOVE
  }

  /** No slot of ours: it gets nothing more, and keeps nothing from others. */
  #break(): void {
    this.#broken = true
    this.#drop()
  }

  /** Undefined where all is done. */
  #do(op: number): Steps | undefined {
    const files = this.#files
    const request = this.#request
    const { store } = files.tree.root
    const node = () => request.count(0)
    switch (op) {
      // Numbers 0 to 3 as the method of MountedNodes sends them, 4 and 5 the lengths of texts in the window.
      case OP.open: {
        this.#requireHolds()
        const opened = files.open(this.#at(0), request.path(), request.flags(1), request.bits(2))
        this.#held(opened.node)
        this.#opened(opened.node, KINDS.indexOf(opened.kind))
        return
      }
      case OP.status:
        request.status(files.status(this.#at(0), request.path(), request.count(1) !== 0).status)
        return
      case OP.place: {
        const place = files.place(this.#at(0), request.path())
        request.answer(place.node, place.directory, place.slash ? 1 : 0)
        request.say(place.name)
        return
      }
      case OP.mkdir:
        files.mkdir(this.#at(0), request.path(), request.bits(1))
        return
      case OP.makeFile:
        files.makeFile(this.#at(0), request.path(), request.bits(1))
        return
      case OP.symlink:
        files.symlink(request.secondPath(), this.#at(0), request.path())
        return
      case OP.readlink:
        request.say(files.readlink(this.#at(0), request.path()))
        return
      case OP.unlink:
        files.unlink(this.#at(0), request.path())
        return
      case OP.rmdir:
        files.rmdir(this.#at(0), request.path())
        return
      case OP.rename:
        files.rename(this.#at(0), request.path(), this.#at(1), request.secondPath())
        return
      case OP.path: {
        const path = this.#pathOf(node())
        request.answer(path === undefined ? 0 : 1)
        request.say(path ?? '')
        return
      }
      case OP.nodeStatus:
        request.status(store.status(node()))
        return
      case OP.parent:
        request.answer(store.parent(node()))
        return
      case OP.list:
        return this.#list(node(), request.count(1))
      case OP.nextCookie:
        return this.#nextCookie(node())
      case OP.read:
        this.#read(node(), request.count(1), request.length(2))
        return
      case OP.write: {
        const [position, length] = [request.count(1), request.length(2)]
        const count = store.write(node(), position, request.window, 0, length)
        // Nobody looks at it after a small one.
        if (length >= CHUNK_BYTES) this.#share?.reserve(wholeChunks(position, length))
        request.answer(count)
        return
      }
      case OP.exchange: {
        const [position, length, extents] = [request.count(1), request.length(2), request.count(3)]
        if (!this.#share?.exchange(node(), position, request.window, length, extents)) throw new Violation()
        request.answer(length)
        return
      }
      case OP.append:
        request.answer(store.append(node(), request.window, 0, request.length(2)))
        return
      case OP.resize:
        store.resize(node(), request.count(1))
        return
      case OP.extend: {
        const size = request.count(1)
        if (store.status(node()).size < size) store.resize(node(), size)
        return
      }
      case OP.sync:
        store.sync(node())
        return
      case OP.setMode:
        store.setMode(node(), request.bits(1))
        return
      case OP.setTimes:
        store.setTimes(node(), request.time(4), request.time(7))
        return
      case OP.hold:
        this.#requireHolds()
        store.hold(node())
        this.#held(node())
        return
      case OP.release:
        this.#release(node())
        return
      case OP.usage: {
        const { usedBytes, maxBytes, nodes, maxNodes } = store.usage()
        request.answer(usedBytes, maxBytes ?? -1, nodes, maxNodes)
        return
      }
      case OP.lock:
        // A lock without a descriptor would outlive the node.
        if (!this.#holds.has(node())) fail('EBADF')
        request.answer(this.#locks.lock(node(), this, request.range()) ? 1 : 0)
        return
      case OP.unlock:
        this.#locks.unlock(node(), this, request.count(1), request.limit(2))
        return
      case OP.blocking: {
        const found = this.#locks.blocking(node(), this, request.range())
        request.answer(found ? 1 : 0, found?.exclusive ? 1 : 0, found?.start ?? 0, found?.end ?? 0)
        return
      }
      case OP.isLocked:
        request.answer(this.#locks.has(node(), this) ? 1 : 0)
        return
      case OP.settle:
        return
      default:
        throw new Violation()
    }
  }

  /** With its status, where that can hold for longer than the answer takes. */
  #opened(node: NodeId, kind: number): void {
    const request = this.#request
    const { changes } = this.#served
    if (changes === undefined) {
      request.answer(node, kind)
      return request.answerAt(CHANGES, Number.NaN)
    }
    const count = changes(this, node)
    request.status(this.#files.tree.root.store.status(node))
    request.answerAt(CHANGES, count)
  }

  #read(node: NodeId, position: number, length: number): void {
    const { window } = this.#request
    if (this.#share) return this.#request.answer(...this.#share.read(node, position, window, length))
    this.#request.answer(this.#files.tree.root.store.read(node, position, window, 0, length), 0)
  }

  /** Reading a directory of the host takes as long as it is large. */
  #nextCookie(node: NodeId): Steps | undefined {
    const { directory } = this.#served
    if (directory === undefined) {
      this.#request.answer(this.#files.tree.root.store.nextCookie(node))
      return
    }
    return this.#after(directory.refresh(node), () => this.#request.answer(directory.lastCookie(node)))
  }

  #list(node: NodeId, after: number): Steps | undefined {
    const { directory } = this.#served
    if (directory === undefined || directory.isListed(node)) return this.#entries(node, after)
    return this.#after(directory.refresh(node), () => this.#entries(node, after))
  }

  *#after(steps: Iterable<undefined>, answer: () => void): Generator<undefined, void> {
    yield* steps
    answer()
  }

  #entries(node: NodeId, after: number): undefined {
    const { window } = this.#request
    const { store } = this.#files.tree.root
    const entries = store.list(node, after, MAX_ENTRIES)
    let at = 0
    let count = 0
    for (const entry of entries) {
      const end = at + ENTRY_HEAD_BYTES + entry.name.length
      if (end > window.length) break
      window.writeDoubleLE(entry.cookie, at)
      window.writeDoubleLE(entry.node, at + 8)
      window[at + 16] = KINDS.indexOf(entry.kind)
      window[at + 17] = entry.name.length
      window.write(entry.name, at + ENTRY_HEAD_BYTES, 'latin1')
      at = end
      count += 1
    }
    this.#request.answer(count, at, count === entries.length && count < MAX_ENTRIES ? 1 : 0)
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

  #requireHolds(): void {
    if (this.#holdCount >= MAX_HOLDS) fail('ENFILE')
    const { maxHolds } = this.#served
    if (maxHolds !== undefined && this.#holdCount >= maxHolds()) fail('ENFILE')
  }

  #held(node: NodeId): void {
    this.#holds.set(node, (this.#holds.get(node) ?? 0) + 1)
    this.#holdCount += 1
  }

  #release(node: NodeId): void {
    const count = this.#holds.get(node) ?? fail('EBADF')
    if (count === 1) {
      this.#holds.delete(node)
      this.#locks.unlockAll(node, this)
    } else this.#holds.set(node, count - 1)
    this.#holdCount -= 1
    this.#files.tree.root.store.release(node)
  }

  #at(index: number): Location {
    return { store: this.#files.tree.root.store, node: this.#request.count(index) }
  }
}
