// Reads the contents of an image's files in one thread, block by block, on demand. Owns this thread's copies of the most recent blocks, and
// checking each one: the image's file may have been damaged or changed since it was opened, and what this thread runs must not depend on
// bytes that another thread or process can still write to (I1).
import { readSync } from 'node:fs'
import { FILE_BLOCK_BYTES, isBlock } from '../src/shared/image/file-blocks.js'
import type { FileSource } from '../src/shared/image/image.js'
import { fail } from './host/errno.js'
import { WasmInstance, WasmMemory } from './web-assembly.js'

/** Reading a zip archive or a package's modules alternates between a few blocks. */
const MAX_KEPT_BLOCKS = 4
const WASM_PAGE_BYTES = 65_536

/** Fills `block` with bytes from `position` on. Returns false if it cannot. */
type Load = (position: number, block: Uint8Array) => boolean

export class ImageFiles {
  readonly #load: Load
  readonly #length: number
  readonly #hashes: Uint8Array
  /** Checked blocks by index, least recently used first. */
  readonly #kept = new Map<number, Uint8Array>()
  #lastIndex = -1
  #last: Uint8Array = new Uint8Array(0)
  /** How many blocks were read from their source. */
  loadedBlocks = 0

  /**
   * @param length - length of all contents
   * @param hashes - hashes of their blocks
   */
  constructor(source: FileSource, length: number, hashes: Uint8Array) {
    this.#load = source.kind === 'file' ? fromFile(source) : fromModule(source.module)
    this.#length = length
    this.#hashes = hashes
  }

  /**
   * Copies `count` bytes from `from` on to `into`, at `at`.
   *
   * @throws FsError EIO if the source does not have the bytes that the image was made with
   */
  read(from: number, into: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count; ) {
      const index = Math.floor((from + done) / FILE_BLOCK_BYTES)
      const inside = from + done - index * FILE_BLOCK_BYTES
      const block = index === this.#lastIndex ? this.#last : this.#block(index)
      const part = block.subarray(inside, inside + count - done)
      if (part.length === 0) fail('EIO')
      into.set(part, at + done)
      done += part.length
    }
  }

  #block(index: number): Uint8Array {
    let block = this.#kept.get(index)
    if (block === undefined) block = this.#loaded(index)
    else this.#kept.delete(index)
    this.#kept.set(index, block)
    this.#lastIndex = index
    this.#last = block
    return block
  }

  #loaded(index: number): Uint8Array {
    const position = index * FILE_BLOCK_BYTES
    const length = Math.min(FILE_BLOCK_BYTES, this.#length - position)
    if (!(length > 0)) fail('EIO')
    const block = new Uint8Array(this.#buffer(), 0, length)
    this.loadedBlocks += 1
    if (!this.#load(position, block) || !isBlock(block, index, this.#hashes)) fail('EIO')
    return block
  }

  /** A buffer for a block: that of the least recently used one, if enough blocks are kept. */
  #buffer(): ArrayBuffer {
    const [oldest] = this.#kept
    if (this.#kept.size < MAX_KEPT_BLOCKS || oldest === undefined) return new ArrayBuffer(FILE_BLOCK_BYTES)
    const [index, block] = oldest
    this.#kept.delete(index)
    return block.buffer as ArrayBuffer
  }
}

/** Keeps a reference to `source`, because the main thread closes the file when `source` is collected (src/image/keep-open.ts). */
function fromFile(source: Extract<FileSource, { kind: 'file' }>): Load {
  return (position, block) => {
    const from = source.offset + position
    try {
      for (let at = 0; at < block.length; ) {
        const count = readSync(source.descriptor, block, at, block.length - at, from + at)
        if (count === 0) return false
        at += count
      }
      return true
    } catch {
      return false
    }
  }
}

function fromModule(module: WebAssembly.Module): Load {
  const memory = new WasmMemory({ initial: 1, maximum: 1 })
  const { copy } = new WasmInstance(module, { env: { memory } }).exports
  const page = new Uint8Array(memory.buffer, 0, WASM_PAGE_BYTES)
  return (position, block) => {
    ;(copy as (from: number, target: number, count: number) => void)(position, 0, block.length)
    block.set(page.subarray(0, block.length))
    return true
  }
}
