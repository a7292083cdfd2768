// One session of a storage: its door and its bell. Owns serving one request step by step, processing what the session has posted, and
// releasing everything when the session is gone. operations.ts executes operations; request.ts reads requests, which may be hostile.

import {
  BELL,
  BELL_BYTES,
  LEFT_ABOVE,
  LEFT_ROOT,
  OP,
  POSTING,
} from '../../src/shared/messages/storage-door.js'
import { errno, FsError } from '../host/errno.js'
import { type NodeId, Outside } from '../host/fs/node-store.js'
import { Holds } from './holds.js'
import type { Locks } from './locks.js'
import { Operations, type Steps } from './operations.js'
import { Outbox } from './outbox.js'
import { DoorRequest, Violation } from './request.js'
import type { Served, StatusReader } from './served.js'
import { Share } from './share.js'
import type { Party } from './turns.js'

export class Client implements Party, StatusReader {
  readonly bell: Int32Array
  dueMs = 0
  /** The node whose status the slot may have cached; 0: none. */
  knownNode: NodeId = 0
  readonly #served: Served
  readonly #locks: Locks
  readonly #request: DoorRequest
  readonly #share: Share | undefined
  readonly #outbox: Outbox
  readonly #holds: Holds
  readonly #operations: Operations
  #changes = 0
  /** The rest of the request being served, if it takes more than one step. */
  #steps: Steps | undefined
  #broken = false

  constructor(served: Served, door: SharedArrayBuffer, bell = new SharedArrayBuffer(BELL_BYTES)) {
    this.bell = new Int32Array(bell)
    this.#served = served
    this.#locks = served.locks
    this.#request = new DoorRequest(door)
    this.#share = served.shared && new Share(served.shared, door)
    this.#outbox = new Outbox(door)
    const { store } = served.files.tree.root
    this.#holds = new Holds(store, served.maxHolds)
    this.#operations = new Operations(this, served, this.#request, this.#share, this.#holds)
  }

  get isWaiting(): boolean {
    return this.#request.isThere
  }

  get hasPosted(): boolean {
    return !this.#broken && this.#outbox.hasPosted
  }

  /** Does the next step of the pending request, and answers it after the last step. Returns false if no request is pending. */
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
      this.#operations.release(node)
      return true
    })
    if (!isOurs) this.#break()
  }

  /** Tells the slot what to do after it posts a write; see `POSTING`. */
  setPosting(posting: number): void {
    Atomics.store(this.bell, BELL.POSTING, posting)
  }

  /** Invalidates what the slot knows about the node that it opened last. */
  forget(): void {
    this.knownNode = 0
    this.#changes = (this.#changes + 1) | 0
    Atomics.store(this.bell, BELL.CHANGES, this.#changes)
    this.setPosting(POSTING.ASK)
  }

  get changes(): number {
    return this.#changes
  }

  /** The session is gone. Processes what it has posted, then releases everything that it holds. */
  leave(): void {
    this.takePosted()
    this.#drop()
  }

  #drop(): void {
    this.#stop()
    this.knownNode = 0
    this.#share?.drop()
    this.#locks.drop(this)
    this.#holds.releaseAll()
  }

  #stop(): void {
    const steps = this.#steps
    this.#steps = undefined
    steps?.return?.()
  }

  /** Returns the request's error number, or 0; undefined if steps are left. */
  #step(): number | undefined {
    if (this.#broken) return errno.EIO
    try {
      let steps = this.#steps
      if (steps === undefined) {
        // What any session posted before this request takes effect first.
        this.#served.takePosted()
        if (this.#broken) return errno.EIO
        const op = this.#request.take()
        this.#share?.settle()
        if (this.#request.isCancelled && op !== OP.settle) return errno.EINTR
        steps = this.#operations.start(op)
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

  /** The slot is hostile: it gets no more answers, and all it held is released. */
  #break(): void {
    this.#broken = true
    this.#drop()
  }
}
