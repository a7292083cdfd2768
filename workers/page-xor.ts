// Comparing an interpreter's pages with an image's, by the module of src/shared/image/page-xor-module.ts. Owns the memory around a
// call: a copy of the pages that are compared, and the XOR of those that differ.
import type { XorPages } from '../src/shared/image/page-xor-module.js'

const PAGE_BYTES = 4096
/** The most that one call compares. */
export const MAX_BLOCK_BYTES = 65_536

/** Both sides of a comparison, and what comes of it. */
export class PageXor {
  readonly #xor: XorPages
  readonly #buffer: ArrayBuffer
  readonly #live: Uint8Array
  readonly #out: Uint8Array
  readonly #zeros: Uint8Array

  /**
   * Call before the thread is sealed.
   *
   * @param memory - one that only this thread's own code writes to
   * @param at - where in it `ROOM_BYTES` are free, a multiple of 16; they are zero
   */
  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, at: number) {
    this.#xor = new WebAssembly.Instance(module, { env: { memory } }).exports.xor as XorPages
    this.#buffer = memory.buffer as ArrayBuffer
    this.#live = new Uint8Array(this.#buffer, at, MAX_BLOCK_BYTES)
    this.#out = new Uint8Array(this.#buffer, at + MAX_BLOCK_BYTES, MAX_BLOCK_BYTES)
    this.#zeros = new Uint8Array(this.#buffer, at + 2 * MAX_BLOCK_BYTES, MAX_BLOCK_BYTES)
  }

  static readonly ROOM_BYTES = 3 * MAX_BLOCK_BYTES

  /**
   * Which pages of `live` are not as in `base`: a bit for each, the first one the lowest.
   *
   * @param live - whole pages, at most `MAX_BLOCK_BYTES`; they may lie in any memory
   * @param base - as many, in the memory that this was made for, at a multiple of 16; or undefined: zeros
   */
  compare(live: Uint8Array, base: Uint8Array | undefined): number {
    const against = base ?? this.#zeros
    if (against.buffer !== this.#buffer || live.length === 0) throw new RangeError('pages of another memory')
    this.#live.set(live)
    const count = live.length / PAGE_BYTES
    return this.#xor(this.#live.byteOffset, against.byteOffset, count, this.#out.byteOffset)
  }

  /** A copy of the XOR of the `count` pages that differed in the last `compare`, one after the other. */
  differences(count: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#out.subarray(0, count * PAGE_BYTES))
  }
}
