// Zeroes parts of an interpreter's memory without writing to what is zero already: a page that was only read stays unmapped.
// Owns that loop.

const BLOCK_BYTES = 65_536
/** Ranges up to this size are written without a check: their page is in use anyway, and a call into Node would cost more. */
const SHORT_BYTES = 512

export class Clearing {
  readonly #bytes: Buffer
  readonly #words: Int32Array
  readonly #zeros = Buffer.alloc(BLOCK_BYTES)

  constructor(heap: Uint8Array) {
    this.#bytes = Buffer.from(heap.buffer as ArrayBuffer, heap.byteOffset, heap.length)
    this.#words = new Int32Array(heap.buffer, heap.byteOffset, Math.floor(heap.length / 4))
  }

  /** Addresses are multiples of 4; `to` is exclusive. */
  clear(from: number, to: number): void {
    if (to - from <= SHORT_BYTES) {
      for (let word = from / 4; word < to / 4; word++) this.#words[word] = 0
      return
    }
    for (let at = from; at < to; at += BLOCK_BYTES) {
      const end = Math.min(at + BLOCK_BYTES, to)
      if (this.#bytes.compare(this.#zeros, 0, end - at, at, end) !== 0) this.#bytes.fill(0, at, end)
    }
  }
}
