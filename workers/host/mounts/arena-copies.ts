// Copies between a slot's memory and a storage's arena, in one copy instead of two through the window. Owns those copies, and the list of
// extents that the storage thread has reserved for this slot. It never touches an extent that the storage did not name.

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
  /** Reserved extents, in the storage's order. The storage may have reserved more since the list was read. */
  #reserved: Uint32Array = new Uint32Array(0)
  /** Whether `#reserved` is known to be complete. */
  #knows = false

  constructor(arena: SharedArrayBuffer, door: SharedArrayBuffer, window: Uint8Array) {
    this.#arena = arena
    this.#control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.#lentWords = new Uint32Array(door, LENT_AT, LENT_WORDS)
    this.#reservedWords = new Uint32Array(door, RESERVED_AT, 1 + MOST_RESERVED)
    this.#window = window
  }

  /** Copies the answer to a `read`: `count` bytes, of which `pieces` pieces are lent from the arena, and the rest is in the window. */
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
   * Copies bytes to be written at `position` to where `exchange` expects them: whole chunks into reserved extents, what is before and
   * after them into the window. Returns how many extents it filled; 0 if too few are reserved, and then nothing was copied.
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

  /** Drops the first `extents` of the list, after they were passed to the storage for a file and it did not refuse. */
  used(extents: number): void {
    this.#reserved = this.#reserved.subarray(extents)
  }

  /** Reads the list of reserved extents. Not while the storage still has posts to process, because each makes it reserve other extents. */
  #look(): void {
    const posted = Atomics.load(this.#control, CONTROL.POSTED)
    if (this.#knows || Atomics.load(this.#control, CONTROL.TAKEN) !== posted) return
    this.#reserved = this.#reservedWords.slice(1, 1 + (this.#reservedWords[0] ?? 0))
    this.#knows = true
  }

  #fill(from: Uint8Array, start: number, count: number): void {
    Atomics.store(this.#control, CONTROL.FILLING, 1)
    try {
      // The storage has dropped this session, so the extents may belong to others by now.
      if (Atomics.load(this.#control, CONTROL.REVOKED) !== 0) fail('EIO')
      this.#copy(from, start, this.#reserved.subarray(0, count))
    } finally {
      Atomics.store(this.#control, CONTROL.FILLING, 0)
    }
  }

  /** Copies runs of adjacent extents in one go. */
  #copy(from: Uint8Array, start: number, extents: Uint32Array): void {
    for (let at = 0, next = 1; at < extents.length; at = next, next += 1) {
      const first = extents[at] ?? 0
      while (extents[next] === first + next - at) next += 1
      const bytes = new Uint8Array(this.#arena, first * CHUNK_BYTES, (next - at) * CHUNK_BYTES)
      copyBytes(from.subarray(start + at * CHUNK_BYTES, start + next * CHUNK_BYTES), bytes, 0)
    }
  }
}
