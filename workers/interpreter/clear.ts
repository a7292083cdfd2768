// Zeroing parts of an interpreter's memory without touching what is zero already: a page that was only read stays
// unmapped. Owns that loop.

/** Pairs of addresses, from and to; the second is not in it. A flat list, because a heap can have 100,000 holes. */
export type ByteRanges = readonly number[]

const BLOCK_BYTES = 65_536
/** Shorter ones are written without a look: their page is in use, and a call of Node's costs more. */
const SHORT_BYTES = 512

/** Addresses are multiples of 4. */
export function clearRanges(heap: Uint8Array, ranges: ByteRanges): void {
  const bytes = Buffer.from(heap.buffer as ArrayBuffer, heap.byteOffset, heap.length)
  const words = new Int32Array(heap.buffer, heap.byteOffset, Math.floor(heap.length / 4))
  const zeros = Buffer.alloc(BLOCK_BYTES)
  for (let i = 0; i < ranges.length; i += 2) {
    const from = ranges[i] ?? 0
    const to = ranges[i + 1] ?? 0
    if (to - from <= SHORT_BYTES) {
      for (let word = from / 4; word < to / 4; word++) words[word] = 0
      continue
    }
    for (let at = from; at < to; at += BLOCK_BYTES) {
      const end = Math.min(at + BLOCK_BYTES, to)
      if (bytes.compare(zeros, 0, end - at, at, end) !== 0) bytes.fill(0, at, end)
    }
  }
}
