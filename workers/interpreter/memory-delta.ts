// The difference between an interpreter's memory and the image's: the 4 KiB pages that differ, each XORed with the image's page.
// Owns finding, checking and applying them; dead-memory.ts decides which bytes are live, workers/snapshot/blocks.ts packs them.
import { MAX_VIEW_BYTES } from '../image-bytes.js'
import { type PackingRoom, UNLIMITED_ROOM } from '../memory/packing-room.js'
import { bitCount, MAP_BYTES, type PageXor } from '../page-xor.js'
import { BaseCursor, type BaseMemory, NO_RUN } from './base-memory.js'
import { PieceReader } from './piece-reader.js'

export interface MemoryDelta {
  /** Size of the memory that it was taken from. */
  readonly memoryBytes: number
  /** Numbers of the pages that differ, ascending. */
  readonly pages: Uint32Array
  /** For each page, a map of 32 bytes: a bit for each 16 bytes, set if they differ, lowest bit first. Undefined: all of them differ. */
  readonly maps?: Uint8Array | undefined
  /**
   * The parts that differ, XORed with the image's. Where the image has no data, this is the memory itself. One piece, or several to be
   * concatenated.
   */
  readonly xored: Uint8Array | readonly Uint8Array[]
}

/** The delta does not fit this image (N2). */
export class DeltaError extends Error {
  override readonly name = 'DeltaError'
}

export const DELTA_PAGE_BYTES = 4096
const WASM_PAGE_BYTES = 65_536
const MOST_MEMORY_BYTES = 2 ** 32
/** Unit of comparison. If it differs, its parts are compared; single pages are compared only within parts that differ. */
const BLOCK_BYTES = MAX_VIEW_BYTES
const PART_BYTES = BLOCK_BYTES / 4
/** Memory for a page beside its bytes: its number, twice, and at worst a view of its own. */
const PAGE_COST_BYTES = 200
const PAGE_WORDS = DELTA_PAGE_BYTES / 4
const MAP_WORDS = MAP_BYTES / 4
const VECTOR_BYTES = 16
const VECTOR_WORDS = VECTOR_BYTES / 4
const PIECE_BYTES = 32_768
/** The map of a page in which everything differs. */
const WHOLE_MAP = new Uint8Array(MAP_BYTES).fill(0xff)

/** `to` is exclusive. */
type ByteRange = readonly [from: number, to: number]

/** A delta that has just been taken. */
export interface MemoryCapture {
  readonly memoryBytes: number
  readonly pages: Uint32Array
  /** Concatenated, the delta's `maps`. */
  readonly maps: readonly Uint8Array[]
  /**
   * Concatenated, the delta's `xored`. Pages where the image is zero are views of the memory itself, so that a capture takes little room
   * beside it. They are valid until the interpreter runs again.
   */
  readonly parts: readonly Uint8Array[]
}

/**
 * Captures the differences between `heap` and the image.
 *
 * @param zero - a range, in multiples of the page size, in which both are known to be zero
 * @throws NoRoomError
 */
export function captureMemory(
  heap: Uint8Array,
  image: BaseMemory,
  zero: ByteRange = [0, 0],
  room: PackingRoom = UNLIMITED_ROOM,
): MemoryCapture {
  const { runs, bytes } = image
  const changes = new Changes(heap, bytes.pages, zero, room)
  let ahead = 0
  for (let i = 1; i < runs.length; i += 2) ahead += runs[i] ?? 0
  let from = 0
  let source = 0
  for (let i = 0; i < runs.length; i += 2) {
    const offset = runs[i] ?? 0
    const length = runs[i + 1] ?? 0
    changes.addOverZero(from, offset)
    from = offset + length
    for (let at = offset; at < from; at += BLOCK_BYTES) {
      const count = Math.min(BLOCK_BYTES, from - at)
      ahead -= count
      changes.addOverRun(at, bytes.view(source, count, ahead))
      source += count
    }
  }
  changes.addOverZero(from, heap.length)
  return {
    memoryBytes: heap.length,
    pages: Uint32Array.from(changes.pages),
    maps: changes.maps,
    parts: changes.parts,
  }
}

/** Applies a checked delta. `heap` must be identical to the image, and at least `delta.memoryBytes` long. */
export function applyMemory(heap: Uint8Array, image: Pick<BaseMemory, 'runs'>, delta: MemoryDelta): void {
  const { pages } = delta
  const xored = new PieceReader(piecesOf(delta))
  const heapWords = words(heap)
  const scratch = new Uint8Array(DELTA_PAGE_BYTES)
  const scratchWords = words(scratch)
  const maps = new PageMaps(delta)
  const base = new BaseCursor(image)
  for (let i = 0; i < pages.length; i++) {
    const offset = (pages[i] ?? 0) * DELTA_PAGE_BYTES
    const isWhole = maps.isWhole(i)
    if (base.find(offset) === NO_RUN && isWhole) {
      const count = maps.wholeCount(i, stretch(pages, i, base.nextRun))
      xored.read(heap, offset, count * DELTA_PAGE_BYTES)
      i += count - 1
      continue
    }
    // Copy first: the bytes of `xored` may not be aligned in their buffer, as words must be.
    xored.read(scratch, 0, isWhole ? DELTA_PAGE_BYTES : maps.vectors(i) * VECTOR_BYTES)
    if (isWhole) xorInto(heapWords, offset / 4, scratchWords)
    else maps.xorInto(heapWords, offset / 4, scratchWords, i)
  }
}

/**
 * Checks everything that `applyMemory` relies on, for an untrusted delta.
 *
 * @throws DeltaError
 */
export function checkDelta(image: Pick<BaseMemory, 'memoryBytes'>, delta: MemoryDelta): void {
  const { memoryBytes, pages, maps } = delta
  if (!Number.isSafeInteger(memoryBytes) || memoryBytes % WASM_PAGE_BYTES !== 0)
    throw new DeltaError('the size of the memory is not a whole number of WebAssembly pages')
  if (memoryBytes < image.memoryBytes || memoryBytes > MOST_MEMORY_BYTES)
    throw new DeltaError(`a memory of ${memoryBytes} bytes, the image has ${image.memoryBytes}`)
  const pieces = piecesOf(delta)
  if (!(pages instanceof Uint32Array) || !pieces.every((piece) => piece instanceof Uint8Array))
    throw new DeltaError('pages or their bytes are of another type')
  if (maps !== undefined && (!(maps instanceof Uint8Array) || maps.length !== pages.length * MAP_BYTES))
    throw new DeltaError(`the maps are not those of ${pages.length} pages`)
  const xoredBytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (xoredBytes !== deltaBytes(pages.length, maps))
    throw new DeltaError(`${xoredBytes} bytes for ${pages.length} pages`)
  let previous = -1
  for (const page of pages) {
    if (page <= previous) throw new DeltaError(`page ${page} after page ${previous}`)
    previous = page
  }
  if (previous >= memoryBytes / DELTA_PAGE_BYTES)
    throw new DeltaError(`page ${previous} is beyond the memory`)
}

/** Length of `xored` for this many pages with these maps. */
export function deltaBytes(pageCount: number, maps: Uint8Array | undefined): number {
  if (maps === undefined) return pageCount * DELTA_PAGE_BYTES
  let vectors = 0
  for (let i = 0; i < maps.length; i++) vectors += bitCount(maps[i] as number)
  return vectors * VECTOR_BYTES
}

function piecesOf({ xored }: MemoryDelta): readonly Uint8Array[] {
  return Array.isArray(xored) ? xored : [xored as Uint8Array]
}

/** The maps of a delta's pages, as words. */
class PageMaps {
  readonly #words: Int32Array | undefined

  constructor({ maps }: MemoryDelta) {
    // Copied, because the bytes may not be aligned in their buffer.
    this.#words = maps && words(new Uint8Array(maps))
  }

  isWhole(index: number): boolean {
    if (this.#words === undefined) return true
    const from = index * MAP_WORDS
    for (let i = from; i < from + MAP_WORDS; i++) if (this.#words[i] !== -1) return false
    return true
  }

  /** How many consecutive pages from `index` on differ completely, at most `count`. The first one is known to. */
  wholeCount(index: number, count: number): number {
    let whole = 1
    while (whole < count && this.isWhole(index + whole)) whole++
    return whole
  }

  vectors(index: number): number {
    let count = 0
    for (let i = 0; i < MAP_WORDS; i++) count += bitCount(this.#words?.[index * MAP_WORDS + i] as number)
    return count
  }

  /** XORs the page at word `toAt` of `to` with `vectors`, at the places that the map of page `index` lists. */
  xorInto(to: Int32Array, toAt: number, vectors: Int32Array, index: number): void {
    let from = 0
    for (let i = 0; i < MAP_WORDS; i++) {
      let bits = this.#words?.[index * MAP_WORDS + i] as number
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        const at = toAt + (i * 32 + bit) * VECTOR_WORDS
        for (let word = 0; word < VECTOR_WORDS; word++)
          to[at + word] = (to[at + word] as number) ^ (vectors[from + word] as number)
        from += VECTOR_WORDS
      }
    }
  }
}

/** Collects the pages that differ, in ascending order. */
class Changes {
  readonly pages: number[] = []
  readonly #maps = new Pieces()
  readonly #parts = new Pieces()
  readonly #live: Buffer
  readonly #zero: ByteRange
  readonly #zeros = Buffer.alloc(BLOCK_BYTES)
  readonly #xor: PageXor
  readonly #room: PackingRoom

  constructor(heap: Uint8Array, xor: PageXor, zero: ByteRange, room: PackingRoom) {
    this.#room = room
    this.#xor = xor
    this.#live = Buffer.from(heap.buffer as ArrayBuffer, heap.byteOffset, heap.length)
    this.#zero = zero[0] < zero[1] ? zero : [0, 0]
  }

  get maps(): readonly Uint8Array[] {
    return this.#maps.all
  }

  get parts(): readonly Uint8Array[] {
    return this.#parts.all
  }

  addOverZero(from: number, to: number): void {
    const [zeroFrom, zeroTo] = this.#zero
    this.#addViews(from, Math.min(to, zeroFrom))
    this.#addViews(Math.max(from, zeroTo), to)
  }

  /** `base` has the image's bytes from `at` on. */
  addOverRun(at: number, base: Uint8Array): void {
    if (this.#live.compare(base, 0, base.length, at, at + base.length) === 0) return
    for (let from = 0; from < base.length; from += PART_BYTES) {
      const to = Math.min(from + PART_BYTES, base.length)
      if (this.#live.compare(base, from, to, at + from, at + to) === 0) continue
      const live = this.#live.subarray(at + from, at + to)
      const { pages, maps, xored } = this.#xor.differences(live, base.subarray(from, to))
      const count = this.#addPages(at + from, pages)
      this.#room.take(count * PAGE_COST_BYTES + xored.length)
      this.#maps.add(maps)
      this.#parts.add(xored)
    }
  }

  /** Adds pages that are not zero as views. Adjacent pages share one view. */
  #addViews(from: number, to: number): void {
    let viewFrom = from
    let viewTo = from
    const add = () => {
      if (viewTo > viewFrom) this.#parts.addView(this.#live.subarray(viewFrom, viewTo))
    }
    for (let at = from; at < to; at += BLOCK_BYTES) {
      const end = Math.min(at + BLOCK_BYTES, to)
      if (this.#live.compare(this.#zeros, 0, end - at, at, end) === 0) continue
      const before = this.pages.length
      const count = this.#addPages(at, this.#xor.notZero(this.#live.subarray(at, end)))
      this.#room.take(count * PAGE_COST_BYTES)
      for (let i = 0; i < count; i++) this.#maps.add(WHOLE_MAP)
      for (let i = before; i < this.pages.length; i++) {
        const page = (this.pages[i] ?? 0) * DELTA_PAGE_BYTES
        if (page !== viewTo) {
          add()
          viewFrom = page
        }
        viewTo = page + DELTA_PAGE_BYTES
      }
    }
    add()
  }

  /**
   * Adds pages. Returns how many.
   *
   * @param differing - a bit for each page from `at` on
   */
  #addPages(at: number, differing: number): number {
    for (let page = at / DELTA_PAGE_BYTES, left = differing; left !== 0; page++, left >>>= 1)
      if ((left & 1) !== 0) this.pages.push(page)
    return bitCount(differing)
  }
}

/** Collects bytes in a few large pieces: a buffer per page would cost more than copying its bytes. */
class Pieces {
  readonly #pieces: Uint8Array[] = []
  #open = new Uint8Array(0)
  /** How many bytes of the open piece are used, and how many of those are already in `#pieces`. */
  #used = 0
  #closed = 0

  get all(): readonly Uint8Array[] {
    this.#close()
    return this.#pieces
  }

  /** Adds a copy. */
  add(bytes: Uint8Array): void {
    if (this.#used + bytes.length > this.#open.length) {
      this.#close()
      this.#open = new Uint8Array(Math.max(PIECE_BYTES, bytes.length))
      this.#used = 0
      this.#closed = 0
    }
    this.#open.set(bytes, this.#used)
    this.#used += bytes.length
  }

  addView(bytes: Uint8Array): void {
    this.#close()
    this.#pieces.push(bytes)
  }

  #close(): void {
    if (this.#used > this.#closed) this.#pieces.push(this.#open.subarray(this.#closed, this.#used))
    this.#closed = this.#used
  }
}

/** How many pages from index `first` on are consecutive and before `end`, so that they can be copied at once. */
function stretch(pages: Uint32Array, first: number, end: number): number {
  const page = pages[first] ?? 0
  let count = 1
  while (pages[first + count] === page + count && (page + count) * DELTA_PAGE_BYTES < end) count++
  return count
}

/** XORs a whole page. Most of a delta is zeros, even in pages that differ, so the target is not even read where the delta is zero. */
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
