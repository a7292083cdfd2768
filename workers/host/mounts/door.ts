// The slot's side of a door to a storage thread: one request, answered before anything else happens here. Owns waking the other
// side and waiting for it; what is asked is mounted-nodes.ts's.
import { Patience } from '../../patience.js'
import {
  BELL,
  CONTROL,
  GIVEN_AT,
  LEFT_ABOVE,
  LEFT_ROOT,
  MOST_GIVEN,
  NUMBERS,
  NUMBERS_AT,
  STATE,
  WINDOW_AT,
} from '../../storage/wire.js'
import { errorName, fail } from '../errno.js'
import { Outside } from '../fs/node-store.js'

/** How often a thread that waits looks whether the storage is gone. */
const SLICE_MS = 100
/** Longest that it stays awake for an answer first. */
const PATIENCE_MS = 0.06

export class StorageDoor {
  readonly #control: Int32Array
  readonly #bell: Int32Array
  /** Of the request, then of its answer. */
  readonly numbers: Float64Array
  readonly window: Buffer
  readonly #given: Float64Array
  readonly #patience = new Patience(PATIENCE_MS)
  readonly #isAnswered = () => Atomics.load(this.#control, CONTROL.STATE) !== STATE.REQUEST

  constructor(door: SharedArrayBuffer, bell: SharedArrayBuffer) {
    this.#control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.#bell = new Int32Array(bell)
    this.numbers = new Float64Array(door, NUMBERS_AT, NUMBERS)
    this.#given = new Float64Array(door, GIVEN_AT, MOST_GIVEN)
    this.window = Buffer.from(door, WINDOW_AT)
  }

  /** Sends what is in the numbers and the window. The answer is there when it returns. */
  call(op: number, a = 0, b = 0, c = 0, d = 0): void {
    this.post(op, a, b, c, d)
    this.settle()
    const error = this.#control[CONTROL.ERROR] ?? 0
    if (error === 0) return
    if (error === LEFT_ABOVE || error === LEFT_ROOT) {
      throw new Outside(error === LEFT_ROOT ? 'root' : 'above', this.text(0))
    }
    fail(errorName(error) ?? 'EIO')
  }

  /** The same without waiting for an answer, for what has none of interest. */
  post(op: number, a = 0, b = 0, c = 0, d = 0): void {
    this.settle()
    const { numbers } = this
    numbers[0] = a
    numbers[1] = b
    numbers[2] = c
    numbers[3] = d
    this.#control[CONTROL.OP] = op
    Atomics.store(this.#control, CONTROL.STATE, STATE.REQUEST)
    Atomics.add(this.#bell, BELL.RINGS, 1)
    Atomics.notify(this.#bell, BELL.RINGS)
  }

  /**
   * Until the storage has done what was posted: numbers and window are its own before that. Never given up halfway: an interrupt
   * is heard afterwards, for it takes no longer than one operation.
   */
  settle(): void {
    if (this.#isAnswered() || this.#patience.stay(this.#isAnswered)) return
    while (!this.#isAnswered()) {
      if (Atomics.load(this.#bell, BELL.CLOSED) !== 0) fail('EIO')
      Atomics.wait(this.#control, CONTROL.STATE, STATE.REQUEST, SLICE_MS)
    }
  }

  /**
   * A node that the session does not need any more. The storage hears of it before it does anything that comes later, for anybody,
   * and is not woken for it. False if it has not heard of too many.
   */
  giveBack(node: number): boolean {
    const given = Atomics.load(this.#control, CONTROL.GIVEN)
    if (((given - Atomics.load(this.#control, CONTROL.TAKEN)) | 0) >= MOST_GIVEN) return false
    this.#given[given & (MOST_GIVEN - 1)] = node
    Atomics.store(this.#control, CONTROL.GIVEN, given + 1)
    Atomics.add(this.#bell, BELL.GIVEN, 1)
    return true
  }

  /** How often a node has changed. */
  get changes(): number {
    return Atomics.load(this.#bell, BELL.CHANGES)
  }

  /** Puts a text into the window and its length into a number. */
  putText(text: string, numberAt: number, at = 0): number {
    this.settle()
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
