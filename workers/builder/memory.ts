// The interpreter's memory on its way into the image. Owns what is wiped (what malloc and the stack have left behind) and
// the form in which memory is recorded: runs of 4 KiB pages over zero.
import type { StockInterpreter } from './realm.js'

const PAGE_BYTES = 4096
const LARGEST_CHUNK_BYTES = 8 << 20
const SMALLEST_CHUNK_BYTES = 64

/**
 * Zeroes the memory on malloc's free lists: allocates all there is without growing, from large to small, clears it and
 * frees it again. The second time it also meets what the first left between its own chunks.
 */
export function wipeFreeMemory(stock: StockInterpreter): void {
  stock.growthAllowed = false
  try {
    inflate(stock)
    inflate(stock)
  } finally {
    stock.growthAllowed = true
  }
}

function inflate({ exports }: StockInterpreter): void {
  const heap = new Uint8Array(exports.memory.buffer)
  const chunks: number[] = []
  for (let size = LARGEST_CHUNK_BYTES; size >= SMALLEST_CHUNK_BYTES; size >>= 1) {
    for (;;) {
      const chunk = exports.malloc(size) >>> 0
      if (chunk === 0) break
      heap.fill(0, chunk, chunk + size)
      chunks.push(chunk)
    }
  }
  for (const chunk of chunks) exports.free(chunk)
}

/** Zeroes what returned calls left on the stack, in a copy of the memory. */
export function wipeDeadStack(memory: Uint8Array, stackLow: number, stackPointer: number): void {
  memory.fill(0, stackLow, stackPointer)
}

/** The pages that are not all zero. */
export function recordRuns(memory: Uint8Array): { runs: Uint32Array; runBytes: Uint8Array<ArrayBuffer> } {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / 8)
  const runs: number[] = []
  let total = 0
  for (let offset = 0; offset < memory.length; offset += PAGE_BYTES) {
    const first = offset / 8
    if (words.subarray(first, first + PAGE_BYTES / 8).every((word) => word === 0n)) continue
    const last = runs.length - 2
    if (last >= 0 && (runs[last] ?? 0) + (runs[last + 1] ?? 0) === offset) runs[last + 1] = (runs[last + 1] ?? 0) + PAGE_BYTES
    else runs.push(offset, PAGE_BYTES)
    total += PAGE_BYTES
  }
  const runBytes = new Uint8Array(total)
  let at = 0
  for (let i = 0; i < runs.length; i += 2) {
    const offset = runs[i] ?? 0
    const length = runs[i + 1] ?? 0
    runBytes.set(memory.subarray(offset, offset + length), at)
    at += length
  }
  return { runs: Uint32Array.from(runs), runBytes }
}
