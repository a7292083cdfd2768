// Where a large body's stream is cut into blocks: so that a change in one place leaves most other blocks as they are, and the next capture
// need not pack and send those again. Owns the lengths of blocks; body.ts owns the content of the stream.
import { DELTA_PAGE_BYTES, type MemoryCapture } from '../interpreter/memory-delta.js'
import { bitCount, MAP_BYTES } from '../page-xor.js'
import { BLOCK_BYTES } from './blocks.js'

/**
 * Pages per group, which is cut as a unit: 512 KiB of memory. Smaller blocks would take longer to pack, and data that rarely changes should
 * lie in few large blocks.
 */
const GROUP_PAGES = 128
const GROUP_BYTES = GROUP_PAGES * DELTA_PAGE_BYTES
/** A group with at least this many bytes becomes a block of its own, so that nothing before it moves its edges. */
const DENSE_BYTES = GROUP_BYTES / 2
/** There is an edge every this many groups, unless the block before it would be smaller than `LEAST_ANCHORED_BYTES`. */
const ANCHOR_GROUPS = 8
const LEAST_ANCHORED_BYTES = 32_768
const VECTOR_BYTES = 16
const MAP_WORDS = MAP_BYTES / 4
/** Bytes that a word of a map stands for if all of its bits are set. */
const WORD_BYTES = 32 * VECTOR_BYTES

/**
 * Returns the lengths of the blocks.
 *
 * @param beforeBytes length of the stream before the memory's parts
 * @param contents parts of files' contents; only their lengths are used
 */
export function cutLengths(
  beforeBytes: number,
  memory: Pick<MemoryCapture, 'pages' | 'maps'>,
  contents: readonly Uint8Array[],
): number[] {
  const cutter = new Cutter()
  cutter.add(beforeBytes, BLOCK_BYTES)
  addGroups(cutter, memory)
  if (contents.length > 0) cutter.anchor()
  for (const { length } of contents) {
    const rest = length % GROUP_BYTES
    cutter.add(length - rest, GROUP_BYTES)
    cutter.add(rest, GROUP_BYTES)
  }
  return cutter.finish()
}

/** Adds the bytes that the stream has of each group of pages. Not a generator: V8 has not optimized code in new threads yet. */
function addGroups(cutter: Cutter, { pages, maps }: Pick<MemoryCapture, 'pages' | 'maps'>): void {
  let index = 0
  let group = 0
  let groupBytes = 0
  for (const piece of maps) {
    const words = wordsOf(piece)
    for (let at = 0; at < words.length; at += MAP_WORDS, index += 1) {
      const next = Math.floor((pages[index] ?? 0) / GROUP_PAGES)
      if (next !== group) {
        cutter.add(groupBytes, GROUP_BYTES)
        if (Math.floor(next / ANCHOR_GROUPS) !== Math.floor(group / ANCHOR_GROUPS)) cutter.anchor()
        group = next
        groupBytes = 0
      }
      for (let word = at; word < at + MAP_WORDS; word += 1) {
        const bits = words[word] as number
        groupBytes += bits === -1 ? WORD_BYTES : bitCount(bits) * VECTOR_BYTES
      }
    }
  }
  cutter.add(groupBytes, GROUP_BYTES)
}

/** Copies the bytes if they are not aligned in their buffer. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Int32Array(buffer, byteOffset, length / 4)
}

class Cutter {
  readonly #lengths: number[] = []
  /** Bytes after the last edge. */
  #open = 0

  /** @param most longest block, if the bytes are a dense group */
  add(bytes: number, most: number): void {
    if (bytes < DENSE_BYTES) {
      if (this.#open + bytes > GROUP_BYTES) this.#cut()
      this.#open += bytes
      return
    }
    this.#cut()
    for (let left = bytes; left > 0; left -= most) this.#lengths.push(Math.min(left, most))
  }

  anchor(): void {
    if (this.#open >= LEAST_ANCHORED_BYTES) this.#cut()
  }

  finish(): number[] {
    this.#cut()
    return this.#lengths
  }

  #cut(): void {
    if (this.#open > 0) this.#lengths.push(this.#open)
    this.#open = 0
  }
}
