// What a slot copies to and from a storage's arena itself, in one go instead of two through the window. Owns those copies and which
// extents the storage thread has reserved for the next; it never touches an extent that it was not told of.

import {
  CONTROL,
  LENT_AT,
  LENT_WORDS,
  MOST_RESERVED,
  NUMBERS_AT,
  PIECE_WORDS,
  RESERVED_AT,
} from '../../../src/shared/messages/storage-door.js'
import { copyBytes } from '../../copy.js'
import { fail } from '../errno.js'
import { CHUNK_BYTES } from '../fs/chunk-source.js'
import { wholeChunks } from '../fs/contents.js'

export class ArenaCopies {
  readonly #arena: SharedArrayBuffer
  readonly #control: Int32Array
  readonly #lentWords: Uint32Array
  readonly #reservedWords: Uint32Array
  readonly #window: Uint8Array
  /** The first of those that the storage knows to be reserved, in its order, or all of them. */
  #reserved: Uint32Array = new Uint32Array(0)
  /** It is all of them. */
  #knows = false

  constructor(arena: SharedArrayBuffer, door: SharedArrayBuffer, window: Uint8Array) {
    this.#arena = arena
    this.#control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.#lentWords = new Uint32Array(door, LENT_AT, LENT_WORDS)
    this.#reservedWords = new Uint32Array(door, RESERVED_AT, 1 + MOST_RESERVED)
    this.#window = window
  }

  /** What `read` was answered: `count` bytes, of which so many pieces are lent, and the rest is in the window. */
  take(count: number, pieces: number, into: Uint8Array, start: number): void {
    let done = 0
    const fromWindow = (end: number) => {
      if (done < end) copyBytes(this.#window.subarray(done, end), into, start + done)
    }
    for (let index = 0; index < pieces; index += 1) {
      const [place = 0, at = 0, length = 0] = this.#lentWords.subarray(index * PIECE_WORDS)
      fromWindow(at)
      copyBytes(new Uint8Array(this.#arena, place, length), into, start + at)
      done = at + length
    }
    fromWindow(count)
  }

  /**
   * Puts what is to be written at `position` where `exchange` finds it: whole chunks into reserved extents, what is before and
   * after them into the window. How many extents that takes; 0: too few are reserved, and nothing was done.
   */
  put(from: Uint8Array, start: number, count: number, position: number): number {
    const whole = wholeChunks(position, count)
    if (whole === 0) return 0
    this.#look()
    this.#knows = false
    if (whole > this.#reserved.length) return 0
    const head = Math.ceil(position / CHUNK_BYTES) * CHUNK_BYTES - position
    const tail = head + whole * CHUNK_BYTES
    if (head > 0) copyBytes(from.subarray(start, start + head), this.#window, 0)
    if (tail < count) copyBytes(from.subarray(start + tail, start + count), this.#window, tail)
    this.#fill(from, start + head, whole)
    return whole
  }

  /** So many were asked or posted to be a file's, and that was not refused: the storage's next one is ours, too. */
  used(extents: number): void {
    this.#reserved = this.#reserved.subarray(extents)
  }

  /** Not while something that was posted is not done, for the storage reserves others then. */
  #look(): void {
    const posted = Atomics.load(this.#control, CONTROL.POSTED)
    if (this.#knows || Atomics.load(this.#control, CONTROL.TAKEN) !== posted) return
    this.#reserved = this.#reservedWords.slice(1, 1 + (this.#reservedWords[0] ?? 0))
    this.#knows = true
  }

  #fill(from: Uint8Array, start: number, count: number): void {
    Atomics.store(this.#control, CONTROL.FILLING, 1)
    try {
      // The storage has forgotten this session: the extents may be others' by now.
      if (Atomics.load(this.#control, CONTROL.REVOKED) !== 0) fail('EIO')
      this.#copy(from, start, this.#reserved.subarray(0, count))
    } finally {
      Atomics.store(this.#control, CONTROL.FILLING, 0)
    }
  }

  /** Neighbours in one go. */
  #copy(from: Uint8Array, start: number, extents: Uint32Array): void {
    for (let at = 0, next = 1; at < extents.length; at = next, next += 1) {
      const first = extents[at] ?? 0
      while (extents[next] === first + next - at) next += 1
      const bytes = new Uint8Array(this.#arena, first * CHUNK_BYTES, (next - at) * CHUNK_BYTES)
      copyBytes(from.subarray(start + at * CHUNK_BYTES, start + next * CHUNK_BYTES), bytes, 0)
    }
  }
}
