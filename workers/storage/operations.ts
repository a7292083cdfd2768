// The operations that a session requests from a storage. Owns what each of them does and answers, in steps if it may take long. client.ts
// runs the steps; request.ts checks the numbers of a request.

import { CHANGES, ENTRY_HEAD_BYTES, KINDS, OP } from '../../src/shared/messages/storage-door.js'
import { FsError, fail } from '../host/errno.js'
import { CHUNK_BYTES } from '../host/fs/chunk-source.js'
import { wholeChunks } from '../host/fs/contents.js'
import type { Files } from '../host/fs/files.js'
import type { NodeId } from '../host/fs/node-store.js'
import type { Location } from '../host/fs/tree.js'
import type { Holds } from './holds.js'
import type { Locks } from './locks.js'
import { type DoorRequest, Violation } from './request.js'
import type { Served, StatusReader } from './served.js'
import type { Share } from './share.js'

/** Most entries per answer. */
const MAX_ENTRIES = 3000

/** The rest of an operation that takes more than one step. */
export type Steps = Iterator<undefined, void>

export class Operations {
  /** The session; also the owner of its locks. */
  readonly #session: StatusReader
  readonly #served: Served
  readonly #files: Files
  readonly #locks: Locks
  readonly #request: DoorRequest
  readonly #share: Share | undefined
  readonly #holds: Holds

  constructor(
    session: StatusReader,
    served: Served,
    request: DoorRequest,
    share: Share | undefined,
    holds: Holds,
  ) {
    this.#session = session
    this.#served = served
    this.#files = served.files
    this.#locks = served.locks
    this.#request = request
    this.#share = share
    this.#holds = holds
  }

  /**
   * Starts an operation.
   *
   * @returns the steps left; undefined if it is done
   * @throws FsError for the session; Violation if no honest slot sends such a request
   */
  start(op: number): Steps | undefined {
    const files = this.#files
    const request = this.#request
    const { store } = files.tree.root
    const node = () => request.count(0)
    switch (op) {
      // Numbers 0 to 3 are as the method of MountedNodes sends them; 4 and 5 are the lengths of texts in the window.
      case OP.open: {
        this.#holds.requireRoom()
        const opened = files.open(this.#at(0), request.path(), request.flags(1), request.bits(2))
        this.#holds.add(opened.node)
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
        // The slot uses reserved extents only for writes of whole chunks.
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
        this.#holds.requireRoom()
        store.hold(node())
        this.#holds.add(node())
        return
      case OP.release:
        this.release(node())
        return
      case OP.usage: {
        const { usedBytes, maxBytes, nodes, maxNodes } = store.usage()
        request.answer(usedBytes, maxBytes ?? -1, nodes, maxNodes)
        return
      }
      case OP.lock:
        // A lock without a descriptor would outlive the node.
        if (!this.#holds.has(node())) fail('EBADF')
        request.answer(this.#locks.lock(node(), this.#session, request.range()) ? 1 : 0)
        return
      case OP.unlock:
        this.#locks.unlock(node(), this.#session, request.count(1), request.limit(2))
        return
      case OP.blocking: {
        const found = this.#locks.blocking(node(), this.#session, request.range())
        request.answer(found ? 1 : 0, found?.exclusive ? 1 : 0, found?.start ?? 0, found?.end ?? 0)
        return
      }
      case OP.isLocked:
        request.answer(this.#locks.has(node(), this.#session) ? 1 : 0)
        return
      case OP.settle:
        return
      default:
        throw new Violation()
    }
  }

  /** Answers with the node, and with its status if that stays valid after the answer. */
  #opened(node: NodeId, kind: number): void {
    const request = this.#request
    const { changes } = this.#served
    if (changes === undefined) {
      request.answer(node, kind)
      return request.answerAt(CHANGES, Number.NaN)
    }
    const count = changes(this.#session, node)
    request.status(this.#files.tree.root.store.status(node))
    request.answerAt(CHANGES, count)
  }

  #read(node: NodeId, position: number, length: number): void {
    const { window } = this.#request
    if (this.#share) return this.#request.answer(...this.#share.read(node, position, window, length))
    this.#request.answer(this.#files.tree.root.store.read(node, position, window, 0, length), 0)
  }

  /** Reading a host directory takes time in proportion to its size, so it is done in steps. */
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

  /** Releases one hold of a node. The last one also releases the session's locks, as closing a file does in POSIX. */
  release(node: NodeId): void {
    if (this.#holds.remove(node)) this.#locks.unlockAll(node, this.#session)
    this.#files.tree.root.store.release(node)
  }

  #at(index: number): Location {
    return { store: this.#files.tree.root.store, node: this.#request.count(index) }
  }
}
