// The interpreter's memory on its way into the image. Owns the shape that malloc's heap gets and the form in which
// memory is recorded, runs of 4 KiB pages over zero; wiping what is dead is workers/interpreter/dead-memory.ts's.
import type { StockExports, StockInterpreter } from './realm.js'

const PAGE_BYTES = 4096
const LARGEST_CHUNK_BYTES = 8 << 20
/** The smallest that malloc has. */
const SMALLEST_CHUNK_BYTES = 8
const SMALLEST_HOLE_BYTES = 65_536
const WASM_PAGE_BYTES = 65_536
/** Leaves a session some 6 MB before its memory has to grow. Pages that nobody touches cost nothing. */
const SMALLEST_MEMORY_BYTES = 32 << 20

/**
 * Zeroes the memory on malloc's free lists: takes all there is without growing, from large to small, clears it and gives
 * it back. Holes smaller than `SMALLEST_HOLE_BYTES` are not given back (2.7 MB of them): what a session makes then lies
 * together in memory that is zero in the image, instead of being strewn over the image's pages. Fifty executions with
 * temporaries write to 97 pages so, and to 1,054 without.
 */
export function wipeFreeMemory(
  stock: Pick<StockInterpreter, 'growthAllowed'> & {
    readonly exports: Pick<StockExports, 'memory' | 'malloc' | 'free'>
  },
  smallestBytes = SMALLEST_MEMORY_BYTES,
): void {
  const { exports } = stock
  growTo(exports.memory, smallestBytes)
  const heap = new Uint8Array(exports.memory.buffer)
  stock.growthAllowed = false
  try {
    const given: number[] = []
    for (let size = LARGEST_CHUNK_BYTES; size >= SMALLEST_CHUNK_BYTES; size >>= 1) {
      for (;;) {
        const chunk = exports.malloc(size) >>> 0
        if (chunk === 0) break
        heap.fill(0, chunk, chunk + size)
        if (size >= SMALLEST_HOLE_BYTES) given.push(chunk)
      }
    }
    for (const chunk of given) exports.free(chunk)
  } finally {
    stock.growthAllowed = true
  }
}

/** Emscripten's JavaScript does not hear of this: nothing but `malloc` and `free` may be called afterwards. */
function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength
  if (missing > 0) memory.grow(missing / WASM_PAGE_BYTES)
}

/** The pages that are not all zero. */
export function recordRuns(memory: Uint8Array): { runs: Uint32Array; runBytes: Uint8Array } {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / 8)
  const runs: number[] = []
  let total = 0
  for (let offset = 0; offset < memory.length; offset += PAGE_BYTES) {
    const first = offset / 8
    if (words.subarray(first, first + PAGE_BYTES / 8).every((word) => word === 0n)) continue
    const last = runs.length - 2
    if (last >= 0 && (runs[last] ?? 0) + (runs[last + 1] ?? 0) === offset)
      runs[last + 1] = (runs[last + 1] ?? 0) + PAGE_BYTES
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
