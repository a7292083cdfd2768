// The slot's side of a door to a storage thread: sends one request at a time and blocks until it is answered. Owns waking the other
// side and waiting for it; mounted-nodes.ts owns the requests.

import {
  BELL,
  CONTROL,
  LEFT_ABOVE,
  LEFT_ROOT,
  MOST_POSTED,
  NUMBERS,
  NUMBERS_AT,
  OP,
  POST_NUMBERS,
  POSTED_AT,
  POSTING,
  STATE,
  WINDOW_AT,
} from '../../../src/shared/messages/storage-door.js'
import { SpinPolicy } from '../../../src/shared/threads/spin-policy.js'
import { errorName, fail } from '../errno.js'
import { Outside } from '../fs/node-store.js'

/** How often a waiting thread checks whether its execution was interrupted. */
const SLICE_MS = 25
/** Longest spin for an answer before sleeping: the storage's thread may have to be woken, and the processor that it runs on as well. */
const SPIN_MS = 0.5
/**
 * Longest pause without spinning after failed spins. It is short because files are used in short bursts, and spinning fails only while both
 * threads share a processor, until one of them is moved.
 */
const LONGEST_REST_MS = 4

export class StorageDoor {
  readonly #control: Int32Array
  readonly #bell: Int32Array
  /** Numbers of the request, then of its answer. */
  readonly numbers: Float64Array
  readonly window: Buffer
  readonly #posts: Float64Array
  readonly #spinPolicy = new SpinPolicy(SPIN_MS, LONGEST_REST_MS)
  readonly #isInterrupted: () => boolean
  readonly #isAnswered = () => Atomics.load(this.#control, CONTROL.STATE) !== STATE.REQUEST

  constructor(door: SharedArrayBuffer, bell: SharedArrayBuffer, isInterrupted = () => false) {
    this.#isInterrupted = isInterrupted
    this.#control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.#bell = new Int32Array(bell)
    this.numbers = new Float64Array(door, NUMBERS_AT, NUMBERS)
    this.#posts = new Float64Array(door, POSTED_AT, MOST_POSTED * POST_NUMBERS)
    this.window = Buffer.from(door, WINDOW_AT)
  }

  /**
   * Sends the request in the numbers and the window. When it returns, they hold the answer. An interrupt cancels the request, which then
   * fails with EINTR unless the storage has already done it.
   */
  call(op: number, a = 0, b = 0, c = 0, d = 0): void {
    const { numbers } = this
    numbers[0] = a
    numbers[1] = b
    numbers[2] = c
    numbers[3] = d
    this.#control[CONTROL.OP] = op
    this.#control[CONTROL.CANCEL] = 0
    Atomics.store(this.#control, CONTROL.STATE, STATE.REQUEST)
    this.#ring()
    this.#wait()
    const error = this.#control[CONTROL.ERROR] ?? 0
    if (error === 0) return
    if (error === LEFT_ABOVE || error === LEFT_ROOT) {
      throw new Outside(error === LEFT_ROOT ? 'root' : 'above', this.text(0))
    }
    fail(errorName(error) ?? 'EIO')
  }

  /** Posts that the session no longer needs the node: see `#post`. */
  giveBack(node: number): boolean {
    return this.#post(node, 0, 0)
  }

  /** Posts that `extents` reserved extents replace whole chunks of the file from `position` on, all within its size: see `#post`. */
  overwrite(node: number, position: number, extents: number): boolean {
    if (Atomics.load(this.#bell, BELL.CLOSED) !== 0 || !this.#post(node, position, extents)) return false
    // Read this after posting: either this thread sees what the storage has written here, or the storage sees the post.
    const posting = Atomics.load(this.#bell, BELL.POSTING)
    if (posting === POSTING.RING) this.#ring()
    else if (posting === POSTING.ASK) this.call(OP.settle)
    return true
  }

  /**
   * Posts a message whose answer does not matter. The storage processes it before any later request of any session, and is not woken for
   * it. Returns false if too many posts are still unprocessed: the caller then has to send a request instead.
   */
  #post(node: number, position: number, extents: number): boolean {
    const posted = Atomics.load(this.#control, CONTROL.POSTED)
    if (((posted - Atomics.load(this.#control, CONTROL.TAKEN)) | 0) >= MOST_POSTED) return false
    const at = (posted & (MOST_POSTED - 1)) * POST_NUMBERS
    this.#posts[at] = node
    this.#posts[at + 1] = position
    this.#posts[at + 2] = extents
    this.#posts[at + 3] = Date.now()
    Atomics.store(this.#control, CONTROL.POSTED, posted + 1)
    return true
  }

  #ring(): void {
    Atomics.add(this.#bell, BELL.RINGS, 1)
    Atomics.notify(this.#bell, BELL.RINGS)
  }

  #wait(): void {
    if (this.#isAnswered() || this.#spinPolicy.spinUntil(this.#isAnswered)) return
    while (!this.#isAnswered()) {
      if (Atomics.load(this.#bell, BELL.CLOSED) !== 0) fail('EIO')
      if (Atomics.wait(this.#control, CONTROL.STATE, STATE.REQUEST, SLICE_MS) !== 'timed-out') continue
      if (this.#isInterrupted()) Atomics.store(this.#control, CONTROL.CANCEL, 1)
    }
  }

  /** A number that changes when what is known about the node opened last may no longer hold. */
  get changes(): number {
    return Atomics.load(this.#bell, BELL.CHANGES)
  }

  /** Puts a text into the window and its length into a number. */
  putText(text: string, numberAt: number, at = 0): number {
    const end = at + text.length
    if (end > this.window.length) fail('ENAMETOOLONG')
    this.window.write(text, at, 'latin1')
    this.numbers[numberAt] = text.length
    return end
  }

  /** A text of the answer whose length is number `numberAt`. */
  text(numberAt: number): string {
    return this.window.toString('latin1', 0, this.numbers[numberAt] ?? 0)
  }
}
