// What an interpreter's memory has that the image's has not: the 4 KiB pages that differ, each as XOR with the image's
// page. Owns finding, checking and applying them; which bytes hold live data is dead-memory.ts's, packing is
// workers/snapshot/blocks.ts's.
import { BaseCursor, type BaseMemory, NO_RUN } from './base-memory.js'

export interface MemoryDelta {
  /** Size of the memory it was taken from. */
  readonly memoryBytes: number
  /** Numbers of the pages that differ, ascending. */
  readonly pages: Uint32Array
  /** Those pages one after the other, each XOR the image's page; where the image has no run, that is the page itself. */
  readonly xored: Uint8Array
}

/** It is no delta of this image (N2). */
export class DeltaError extends Error {
  override readonly name = 'DeltaError'
}

export const DELTA_PAGE_BYTES = 4096
const WASM_PAGE_BYTES = 65_536
const MOST_MEMORY_BYTES = 2 ** 32
/** What is compared at once: pages are looked at singly only where one of these differs. */
const BLOCK_BYTES = 65_536
const PAGE_WORDS = DELTA_PAGE_BYTES / 4

/** A delta that has just been taken. */
export interface MemoryCapture {
  readonly memoryBytes: number
  readonly pages: Uint32Array
  /**
   * One after the other they are the delta's `xored`. Pages over zero are views of the memory itself, so that a capture takes
   * little room beside it: they hold until the interpreter runs again.
   */
  readonly parts: readonly Uint8Array[]
}

export function captureMemory(heap: Uint8Array, image: BaseMemory): MemoryCapture {
  const pages = Uint32Array.from(differingPages(heap, image))
  const heapWords = words(heap)
  const imageWords = words(image.runBytes)
  const base = new BaseCursor(image)
  const parts: Uint8Array[] = []
  for (let i = 0; i < pages.length; i++) {
    const offset = (pages[i] ?? 0) * DELTA_PAGE_BYTES
    const source = base.find(offset)
    if (source === NO_RUN) {
      const length = stretch(pages, i, base.nextRun)
      parts.push(heap.subarray(offset, offset + length))
      i += length / DELTA_PAGE_BYTES - 1
    } else {
      const page = new Uint8Array(DELTA_PAGE_BYTES)
      xorPage(words(page), heapWords, offset / 4, imageWords, source / 4)
      parts.push(page)
    }
  }
  return { memoryBytes: heap.length, pages, parts }
}

/** `heap` is the image, and at least `delta.memoryBytes` long; the delta has been checked. */
export function applyMemory(heap: Uint8Array, image: BaseMemory, delta: MemoryDelta): void {
  const { pages, xored } = delta
  const heapWords = words(heap)
  const scratch = new Uint8Array(DELTA_PAGE_BYTES)
  const scratchWords = words(scratch)
  const base = new BaseCursor(image)
  for (let i = 0; i < pages.length; i++) {
    const offset = (pages[i] ?? 0) * DELTA_PAGE_BYTES
    const from = i * DELTA_PAGE_BYTES
    if (base.find(offset) === NO_RUN) {
      const length = stretch(pages, i, base.nextRun)
      heap.set(xored.subarray(from, from + length), offset)
      i += length / DELTA_PAGE_BYTES - 1
      continue
    }
    // By way of a copy: `xored` may lie anywhere in a larger buffer, words may not.
    scratch.set(xored.subarray(from, from + DELTA_PAGE_BYTES))
    xorInto(heapWords, offset / 4, scratchWords)
  }
}

/**
 * Everything that `applyMemory` relies on, for a delta that comes from outside.
 *
 * @throws DeltaError
 */
export function checkDelta(image: BaseMemory, delta: MemoryDelta): void {
  const { memoryBytes, pages, xored } = delta
  if (!Number.isSafeInteger(memoryBytes) || memoryBytes % WASM_PAGE_BYTES !== 0)
    throw new DeltaError('the size of the memory is no whole number of WebAssembly pages')
  if (memoryBytes < image.memoryBytes || memoryBytes > MOST_MEMORY_BYTES)
    throw new DeltaError(`a memory of ${memoryBytes} bytes, the image has ${image.memoryBytes}`)
  if (!(pages instanceof Uint32Array) || !(xored instanceof Uint8Array))
    throw new DeltaError('pages or their bytes are of another type')
  if (xored.length !== pages.length * DELTA_PAGE_BYTES)
    throw new DeltaError(`${xored.length} bytes for ${pages.length} pages`)
  let previous = -1
  for (const page of pages) {
    if (page <= previous) throw new DeltaError(`page ${page} after page ${previous}`)
    previous = page
  }
  if (previous >= memoryBytes / DELTA_PAGE_BYTES)
    throw new DeltaError(`page ${previous} is beyond the memory`)
}

function differingPages(heap: Uint8Array, image: BaseMemory): number[] {
  const live = buffer(heap)
  const runBytes = buffer(image.runBytes)
  const zeros = Buffer.alloc(BLOCK_BYTES)
  const pages: number[] = []
  const compare = (from: number, to: number, base: Buffer, start: number, step: number) => {
    for (let at = from; at < to; at += BLOCK_BYTES) {
      const end = Math.min(at + BLOCK_BYTES, to)
      const baseAt = start + (at - from) * step
      if (live.compare(base, baseAt, baseAt + end - at, at, end) === 0) continue
      for (let page = at; page < end; page += DELTA_PAGE_BYTES) {
        const pageAt = baseAt + page - at
        if (live.compare(base, pageAt, pageAt + DELTA_PAGE_BYTES, page, page + DELTA_PAGE_BYTES) !== 0)
          pages.push(page / DELTA_PAGE_BYTES)
      }
    }
  }
  let from = 0
  let source = 0
  for (let i = 0; i < image.runs.length; i += 2) {
    const offset = image.runs[i] ?? 0
    const length = image.runs[i + 1] ?? 0
    compare(from, offset, zeros, 0, 0)
    compare(offset, offset + length, runBytes, source, 1)
    source += length
    from = offset + length
  }
  compare(from, heap.length, zeros, 0, 0)
  return pages
}

/** Bytes that pages `first` and following have in one piece before `end`: they are copied at once. */
function stretch(pages: Uint32Array, first: number, end: number): number {
  const page = pages[first] ?? 0
  let count = 1
  while (pages[first + count] === page + count && (page + count) * DELTA_PAGE_BYTES < end) count++
  return count * DELTA_PAGE_BYTES
}

function xorPage(page: Int32Array, a: Int32Array, aAt: number, b: Int32Array, bAt: number): void {
  for (let i = 0; i < PAGE_WORDS; i++) page[i] = (a[aAt + i] as number) ^ (b[bAt + i] as number)
}

/** Most of a delta is zeros, also in pages that differ: what they would leave as it is is not even read. */
function xorInto(to: Int32Array, toAt: number, page: Int32Array): void {
  for (let i = 0; i < PAGE_WORDS; i += 4) {
    const a = page[i] as number
    const b = page[i + 1] as number
    const c = page[i + 2] as number
    const d = page[i + 3] as number
    if ((a | b | c | d) === 0) continue
    const at = toAt + i
    to[at] = (to[at] as number) ^ a
    to[at + 1] = (to[at + 1] as number) ^ b
    to[at + 2] = (to[at + 2] as number) ^ c
    to[at + 3] = (to[at + 3] as number) ^ d
  }
}

function words(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
}
