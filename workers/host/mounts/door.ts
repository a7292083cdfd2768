// The slot's side of a door to a storage thread: one request, answered before anything else happens here. Owns waking the other
// side and waiting for it; what is asked is mounted-nodes.ts's.

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

/** How often a waiting thread looks whether its execution was interrupted. */
const SLICE_MS = 25
/** Longest that it stays awake for an answer first: the storage's thread may have to be woken, on a processor that has to be, too. */
const SPIN_MS = 0.5
/** Files are used in short bursts, and while both threads have one processor each try is in vain, until one of them is moved. */
const LONGEST_REST_MS = 4

export class StorageDoor {
  readonly #control: Int32Array
  readonly #bell: Int32Array
  /** Of the request, then of its answer. */
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
   * Sends what is in the numbers and the window. The answer is there when it returns. An interrupt cancels the request: EINTR, unless
   * the storage has done it first.
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

  /** The session does not need the node any more: see `#post`. */
  giveBack(node: number): boolean {
    return this.#post(node, 0, 0)
  }

  /** So many reserved extents are whole chunks of the file from `position` on, which is as long: see `#post`. */
  overwrite(node: number, position: number, extents: number): boolean {
    if (Atomics.load(this.#bell, BELL.CLOSED) !== 0 || !this.#post(node, position, extents)) return false
    // After posting: either this sees what the storage has written there, or the storage sees the post.
    const posting = Atomics.load(this.#bell, BELL.POSTING)
    if (posting === POSTING.RING) this.#ring()
    else if (posting === POSTING.ASK) this.call(OP.settle)
    return true
  }

  /**
   * What has no answer of interest. The storage does it before anything that comes later, for anybody, and is not woken for it. False
   * if too much is not done yet: then it has to be asked for.
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

  /** Another number when what is known about the node that was opened last may not hold any more. */
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
