// One request in a door. Owns copying its numbers before they are used, because their writer may be hostile (R3), and checking each
// number when it is read. operations.ts uses them.

import {
  CONTROL,
  KINDS,
  NUMBERS,
  NUMBERS_AT,
  STATE,
  WINDOW_AT,
} from '../../src/shared/messages/storage-door.js'
import { fail } from '../host/errno.js'
import type { FileTime, LockRange, NodeStatus } from '../host/fs/node-store.js'

const TEXT = 4
const SECOND_TEXT = 5

/** The request is one that no honest slot sends. */
export class Violation extends Error {}

export class DoorRequest {
  readonly window: Buffer
  readonly #control: Int32Array
  readonly #shared: Float64Array
  /** Numbers of the request, then of the answer. */
  readonly #numbers = new Float64Array(NUMBERS)

  constructor(door: SharedArrayBuffer) {
    this.window = Buffer.from(door, WINDOW_AT)
    this.#control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.#shared = new Float64Array(door, NUMBERS_AT, NUMBERS)
  }

  /** Whether there is a request without an answer. */
  get isThere(): boolean {
    return Atomics.load(this.#control, CONTROL.STATE) === STATE.REQUEST
  }

  /** Whether the slot no longer needs the answer. */
  get isCancelled(): boolean {
    return Atomics.load(this.#control, CONTROL.CANCEL) !== 0
  }

  /** Copies the request's numbers. Returns its operation. */
  take(): number {
    this.#numbers.set(this.#shared)
    return this.#control[CONTROL.OP] ?? 0
  }

  /** Sends the answer. @param error 0, an error number, or one of storage-door.ts's own */
  finish(error: number): void {
    this.#shared.set(this.#numbers)
    this.#control[CONTROL.ERROR] = error
    Atomics.store(this.#control, CONTROL.STATE, STATE.ANSWER)
    Atomics.notify(this.#control, CONTROL.STATE)
  }

  // Writing the answer.

  answer(...numbers: number[]): void {
    this.#numbers.set(numbers)
  }

  answerAt(index: number, value: number): void {
    this.#numbers[index] = value
  }

  status(status: NodeStatus): void {
    const { accessed, modified, changed } = status
    const { id, kind, mode, size, linked } = status
    this.answer(id, KINDS.indexOf(kind), mode, size, linked ? 1 : 0, accessed.seconds, accessed.nanoseconds)
    this.#numbers.set([modified.seconds, modified.nanoseconds, changed.seconds, changed.nanoseconds], 7)
  }

  say(text: string): void {
    this.window.write(text, 0, 'latin1')
    this.#numbers[TEXT] = text.length
  }

  // Reading the request.

  count(index: number): number {
    const value = this.#numbers[index] ?? Number.NaN
    if (!(value >= 0) || !Number.isInteger(value)) throw new Violation()
    return value <= Number.MAX_SAFE_INTEGER ? value : fail('EOVERFLOW')
  }

  limit(index: number): number {
    return this.#numbers[index] === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : this.count(index)
  }

  /** A number of bytes in the window. */
  length(index: number): number {
    const length = this.count(index)
    if (length > this.window.length) throw new Violation()
    return length
  }

  flags(index: number): number {
    const value = this.#numbers[index] ?? Number.NaN
    if (!Number.isInteger(value) || value !== (value | 0)) throw new Violation()
    return value
  }

  bits(index: number): number {
    return this.flags(index) & 0o7777
  }

  range(): LockRange {
    const [start, end] = [this.count(2), this.limit(3)]
    if (end <= start) throw new Violation()
    return { exclusive: this.count(1) !== 0, start, end }
  }

  time(index: number): FileTime | null {
    if (this.count(index) === 0) return null
    const seconds = this.#numbers[index + 1] ?? Number.NaN
    const nanoseconds = this.count(index + 2)
    if (!Number.isInteger(seconds) || nanoseconds > 999_999_999) throw new Violation()
    return { seconds, nanoseconds }
  }

  path(): string {
    return this.#textAt(0, this.length(TEXT))
  }

  secondPath(): string {
    const start = this.length(TEXT)
    return this.#textAt(start, start + this.length(SECOND_TEXT))
  }

  /** Copies a text. Refuses NUL bytes, because they would end a name on the host. */
  #textAt(start: number, end: number): string {
    if (end > this.window.length) throw new Violation()
    const text = this.window.toString('latin1', start, end)
    if (text.includes('\0')) throw new Violation()
    return text
  }
}
