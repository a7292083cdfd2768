// Compares an interpreter's pages with an image's, using the module of src/shared/image/page-xor-module.ts. Owns the memory for a call:
// a copy of the pages to compare, and the result.
import type { XorPages } from '../src/shared/image/page-xor-module.js'
import { WasmInstance } from './web-assembly.js'

/** Most bytes that one call compares. */
export const MAX_BLOCK_BYTES = 65_536
const PAGE_BYTES = 4096
/** Bytes of a page's map: a bit for each 16 bytes. */
export const MAP_BYTES = 32
const VECTOR_BYTES = 16

/** How pages differ from others. Both parts are views that the next call overwrites. */
export interface PageDifferences {
  /** A bit for each page, set if it differs. The lowest bit is the first page. */
  readonly pages: number
  /** For each page that differs, a map with a bit for each 16 bytes, set if they differ, from the lowest bit of the first byte on. */
  readonly maps: Uint8Array
  /** The XOR of these parts, concatenated. */
  readonly xored: Uint8Array
}

export class PageXor {
  readonly #xor: XorPages
  readonly #buffer: ArrayBuffer
  readonly #live: Uint8Array
  readonly #zeros: Uint8Array
  readonly #maps: Uint8Array
  readonly #out: Uint8Array

  /** Bytes of `memory` needed in addition to the pages that are compared with. */
  static readonly ROOM_BYTES = 4 * MAX_BLOCK_BYTES

  /**
   * Call before the thread is sealed.
   *
   * @param memory - a memory to which only this thread's own code writes
   * @param at - offset of `ROOM_BYTES` free bytes in it, which must be zero; a multiple of 16
   */
  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, at: number) {
    this.#xor = new WasmInstance(module, { env: { memory } }).exports.xor as XorPages
    this.#buffer = memory.buffer as ArrayBuffer
    const mapsBytes = (MAX_BLOCK_BYTES / PAGE_BYTES + 1) * MAP_BYTES
    this.#live = new Uint8Array(this.#buffer, at, MAX_BLOCK_BYTES)
    this.#zeros = new Uint8Array(this.#buffer, at + MAX_BLOCK_BYTES, MAX_BLOCK_BYTES)
    this.#maps = new Uint8Array(this.#buffer, at + 2 * MAX_BLOCK_BYTES, mapsBytes)
    this.#out = new Uint8Array(
      this.#buffer,
      at + 2 * MAX_BLOCK_BYTES + mapsBytes,
      MAX_BLOCK_BYTES + VECTOR_BYTES,
    )
  }

  /**
   * Finds out how `live` differs from `base`.
   *
   * @param live - whole pages, at most `MAX_BLOCK_BYTES`, in any memory
   * @param base - the same number of pages, in the memory passed to the constructor
   */
  differences(live: Uint8Array, base: Uint8Array): PageDifferences {
    const found = this.#compare(live, base)
    const pages = found & 0xffff
    const count = bitCount(pages)
    return {
      pages,
      maps: this.#maps.subarray(0, count * MAP_BYTES),
      xored: this.#out.subarray(0, (found >>> 16) * VECTOR_BYTES),
    }
  }

  /** Which pages of `live` are not zero: a bit for each page. The lowest bit is the first page. */
  notZero(live: Uint8Array): number {
    return this.#compare(live, this.#zeros) & 0xffff
  }

  #compare(live: Uint8Array, base: Uint8Array): number {
    if (base.buffer !== this.#buffer || live.length === 0) throw new RangeError('pages of another memory')
    this.#live.set(live)
    const count = live.length / PAGE_BYTES
    const { byteOffset: at } = this.#live
    return this.#xor(at, base.byteOffset, count, this.#out.byteOffset, this.#maps.byteOffset)
  }
}

export function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555)
  const nibbles = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
