// Reads an image's bytes in one thread: those of its memory, then those of its files. Memory is in a module's data segment
// (src/shared/image/data-module.ts), from which code can copy and to which nothing can write. Owns this thread's window into it;
// image-files.ts reads the contents of files.

import { BLOCK_HASH_BYTES, blockCount } from '../src/shared/image/file-blocks.js'
import { FileIndex } from '../src/shared/image/file-index.js'
import type { Image } from '../src/shared/image/image.js'
import { ImageFiles } from './image-files.js'
import { MAX_BLOCK_BYTES, PageXor } from './page-xor.js'
import { WasmInstance, WasmMemory } from './web-assembly.js'

/** Fits into a processor's cache, because a capture reads every byte of the window soon after writing it. */
const WINDOW_BYTES = 524_288
/** Largest view. */
export const MAX_VIEW_BYTES = MAX_BLOCK_BYTES

export interface ImageReader {
  /**
   * Returns `count` bytes of memory from `from` on, at most `MAX_VIEW_BYTES`. They are valid until the next call of either method.
   *
   * @param ahead - how many bytes after these will be needed next
   */
  view(from: number, count: number, ahead?: number): Uint8Array
  /**
   * Copies `count` bytes of memory or of files from `from` on to `into`, at `at`.
   *
   * @throws FsError if the image's file is damaged there
   */
  read(from: number, into: Uint8Array, at: number, count: number): void
}

/** Copies `count` bytes of the image from `from` on to address `target` of the memory that the function was made for. */
export type CopyImageBytes = (from: number, target: number, count: number) => void

/** An image whose bytes this thread can read. */
export interface ReadableImage extends Image {
  readonly bytes: ImageBytes
  readonly files: FileIndex
}

export function readable(image: Image): ReadableImage {
  const { fileTable, fileContents, fileSource } = image
  const data = new ImageBytes(image.dataModule, image.pageXorModule)
  const index = new Uint8Array(fileTable.length)
  data.read(fileTable.offset, index, 0, index.length)
  const hashes = new Uint8Array(blockCount(fileContents.length) * BLOCK_HASH_BYTES)
  data.read(fileContents.hashes, hashes, 0, hashes.length)
  const files = new ImageFiles(fileSource, fileContents.length, hashes)
  return { ...image, bytes: data.with(files, fileTable.offset), files: new FileIndex(index) }
}

/** Reads the contents of files, which `ImageBytes` has after the image's memory. */
export type FilesReader = Pick<ImageFiles, 'read'>

export class ImageBytes implements ImageReader {
  readonly #module: WebAssembly.Module
  readonly #copy: CopyImageBytes
  readonly #window: Uint8Array
  /** Compares pages with those of a `view`. */
  readonly pages: PageXor
  /** Range of bytes in the window. */
  #from = 0
  #to = 0
  #files: FilesReader | undefined
  #filesFrom = Number.POSITIVE_INFINITY

  constructor(module: WebAssembly.Module, pageXorModule: WebAssembly.Module) {
    const pages = (WINDOW_BYTES + PageXor.ROOM_BYTES) / 65_536
    const memory = new WasmMemory({ initial: pages, maximum: pages })
    this.#module = module
    this.#copy = this.into(memory)
    this.#window = new Uint8Array(memory.buffer, 0, WINDOW_BYTES)
    this.pages = new PageXor(pageXorModule, memory, WINDOW_BYTES)
  }

  /** Makes `read` return bytes of files, instead of the module's, from offset `from` on. */
  with(files: FilesReader, from: number): this {
    this.#files = files
    this.#filesFrom = from
    return this
  }

  /** Makes a function that copies directly into a memory, which may grow. */
  into(memory: WebAssembly.Memory): CopyImageBytes {
    return new WasmInstance(this.#module, { env: { memory } }).exports.copy as CopyImageBytes
  }

  view(from: number, count: number, ahead = 0): Uint8Array {
    if (from < this.#from || from + count > this.#to) {
      const length = Math.min(WINDOW_BYTES, count + ahead)
      this.#copy(from, 0, length)
      this.#from = from
      this.#to = from + length
    }
    return this.#window.subarray(from - this.#from, from - this.#from + count)
  }

  read(from: number, into: Uint8Array, at: number, count: number): void {
    if (from >= this.#filesFrom) {
      this.#files?.read(from - this.#filesFrom, into, at, count)
      return
    }
    for (let done = 0; done < count; ) {
      const length = Math.min(MAX_VIEW_BYTES, count - done)
      into.set(this.view(from + done, length), at + done)
      done += length
    }
  }
}

/** For a store without an image. */
export const NO_IMAGE: ImageReader = Object.freeze({
  view: () => new Uint8Array(0),
  read: () => {},
})
