// Reads the heap of the C library's malloc (dlmalloc 2.8, 32 bit) from outside: where its state is, and which memory is free. Owns
// its layout; calls and changes nothing. CPython is built without an allocator of its own here, so this is the heap of every Python
// object. Whatever the memory contains, reading it ends and stays within bounds.

/** `struct malloc_state`. A free chunk's links begin at +8. Bins have the layout of chunks, so that lists end at them. */
const STATE = {
  smallMap: 0,
  treeMap: 4,
  victimBytes: 8,
  topBytes: 12,
  leastAddress: 16,
  victim: 20,
  top: 24,
  smallBins: 40,
  treeBins: 304,
  footprint: 432,
  segmentBase: 448,
  segmentBytes: 452,
  BYTES: 472,
} as const
const CHUNK = { previousBytes: 0, head: 4, forward: 8, backward: 12, left: 16, right: 20 } as const
/** How many bytes of a free chunk malloc uses itself. */
const KEPT_BYTES = { unlisted: 8, listed: 16, tree: 32 } as const
const BINS = 32
const ALIGNMENT = 8
const LEAST_CHUNK_BYTES = 16
const PREVIOUS_IN_USE = 1
const IN_USE = 2
const FLAGS = 7
/** A list of this many chunks, in an order that defeats the cache, takes most of a second. Ordinary programs leave fewer. */
export const MOST_CHUNKS = 2 ** 20

/** Called for each free range of memory, in no particular order. `to` is exclusive. Both are multiples of 4. */
export type FreeVisitor = (from: number, to: number) => void

/**
 * Visits free memory, without the words in it that malloc itself needs. Returns false, without visiting anything, if there is no malloc
 * state or the heap is not plausible: a program can have overwritten it, so none of it may be touched then. If a heap has more than
 * `MOST_CHUNKS` free chunks, small ones are left out.
 *
 * The lists are walked twice, first to check them and then to visit, so that no list of ranges has to be kept. Overlapping chunks are not
 * plausible, so every list ends, and no byte is visited twice.
 */
export function visitFree(heap: Uint8Array, state: number, visit: FreeVisitor): boolean {
  const seen = new SeenBytes(heap.length)
  const check = new FreeWalk(heap, state, MOST_CHUNKS)
  if (!check.run((chunk, end) => seen.add(chunk, end))) return false
  // The visitor may write to the ranges it gets. In a forged heap, those can contain what this walk has yet to read.
  new FreeWalk(heap, state, check.chunks).run((chunk, end, kept) => {
    if (end - chunk > kept) visit(chunk + kept, end)
    return true
  })
  return true
}

/** Address of malloc's state, or 0 if not exactly one place looks like it. */
export function findMallocState(memory: Uint8Array): number {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4)
  const word = (address: number) => words[address / 4] ?? 0
  let found = 0
  for (let at = ALIGNMENT; at + STATE.BYTES <= memory.length; at += 4) {
    // Bin 0 is always empty and links to itself.
    if (word(at + STATE.smallBins + CHUNK.forward) !== at + STATE.smallBins) continue
    if (word(at + STATE.smallBins + CHUNK.backward) !== at + STATE.smallBins) continue
    const base = word(at + STATE.segmentBase)
    const end = base + word(at + STATE.segmentBytes)
    const top = word(at + STATE.top)
    if (base === 0 || word(at + STATE.leastAddress) !== base || end > memory.length) continue
    if (top < base || top >= end || word(at + STATE.footprint) < end - base) continue
    if (!visitFree(memory, at, () => {})) continue
    if (found !== 0) return 0
    found = at
  }
  return found
}

/** Called for each free chunk. Returning false ends the walk. */
type ChunkVisitor = (chunk: number, end: number, keptBytes: number) => boolean

class FreeWalk {
  readonly #words: Uint32Array
  readonly #heapBytes: number
  readonly #state: number
  readonly #mostChunks: number
  #visit: ChunkVisitor = () => false
  #chunks = 0
  #isCutShort = false

  constructor(heap: Uint8Array, state: number, mostChunks: number) {
    this.#words = new Uint32Array(heap.buffer, heap.byteOffset, Math.floor(heap.length / 4))
    this.#heapBytes = heap.length
    this.#state = state
    this.#mostChunks = mostChunks
  }

  /** How many chunks were visited. */
  get chunks(): number {
    return this.#chunks
  }

  /** Visits large chunks first. Returns false if the part of the heap that was read is not consistent. */
  run(visit: ChunkVisitor): boolean {
    const state = this.#state
    if (state === 0 || state + STATE.BYTES > this.#heapBytes || state % 4 !== 0) return false
    this.#visit = visit
    const isWhole = this.#top() && this.#victim() && this.#trees() && this.#smallBins()
    return isWhole || this.#isCutShort
  }

  #word(address: number): number {
    return this.#words[address / 4] ?? 0
  }

  #field(offset: number): number {
    return this.#word(this.#state + offset)
  }

  /** The end of the heap, from which malloc takes when nothing else fits. */
  #top(): boolean {
    const top = this.#field(STATE.top)
    const bytes = this.#field(STATE.topBytes)
    if (top % ALIGNMENT !== 0 || bytes % ALIGNMENT !== 0 || top + bytes > this.#heapBytes) return false
    if (this.#word(top + CHUNK.head) !== bytes + PREVIOUS_IN_USE) return false
    return this.#accept(top, top + bytes, KEPT_BYTES.unlisted)
  }

  /** The chunk that the last small request was cut from; it is in no list. */
  #victim(): boolean {
    const victim = this.#field(STATE.victim)
    const bytes = this.#field(STATE.victimBytes)
    if (victim === 0) return bytes === 0
    return bytes >= LEAST_CHUNK_BYTES && this.#take(victim, KEPT_BYTES.unlisted) === bytes
  }

  /** Circular lists of chunks of one size. The map says which bins are empty; their links are stale. */
  #smallBins(): boolean {
    for (let index = 0; index < BINS; index++) {
      if ((this.#field(STATE.smallMap) & (1 << index)) === 0) continue
      const bytes = index * ALIGNMENT
      if (bytes < LEAST_CHUNK_BYTES) return false
      const bin = this.#state + STATE.smallBins + index * 8
      for (let at = this.#word(bin + CHUNK.forward); at !== bin; at = this.#word(at + CHUNK.forward))
        if (this.#take(at, KEPT_BYTES.listed) !== bytes) return false
    }
    return true
  }

  /** Search trees by size. Chunks of the same size are in a circular list with the one that is in the tree. */
  #trees(): boolean {
    const todo: number[] = []
    for (let index = 0; index < BINS; index++)
      if ((this.#field(STATE.treeMap) & (1 << index)) !== 0)
        todo.push(this.#field(STATE.treeBins + index * 4))
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      const bytes = this.#take(node, KEPT_BYTES.tree)
      if (bytes < KEPT_BYTES.tree) return false
      for (let at = this.#word(node + CHUNK.forward); at !== node; at = this.#word(at + CHUNK.forward))
        if (this.#take(at, KEPT_BYTES.tree) !== bytes) return false
      for (const child of [this.#word(node + CHUNK.left), this.#word(node + CHUNK.right)])
        if (child !== 0) todo.push(child)
    }
    return true
  }

  /** Size of the free chunk at an address; 0 if there is none. A free chunk has its size at both ends, and never touches another one. */
  #take(chunk: number, keptBytes: number): number {
    if (chunk % ALIGNMENT !== 0 || chunk + LEAST_CHUNK_BYTES > this.#heapBytes) return 0
    const head = this.#word(chunk + CHUNK.head)
    const bytes = head - (head & FLAGS)
    const end = chunk + bytes
    if ((head & IN_USE) !== 0 || (head & PREVIOUS_IN_USE) === 0 || bytes < LEAST_CHUNK_BYTES) return 0
    if (end + ALIGNMENT > this.#heapBytes || this.#word(end + CHUNK.previousBytes) !== bytes) return 0
    if ((this.#word(end + CHUNK.head) & PREVIOUS_IN_USE) !== 0) return 0
    return this.#accept(chunk, end, keptBytes) ? bytes : 0
  }

  #accept(chunk: number, end: number, keptBytes: number): boolean {
    this.#isCutShort = this.#chunks === this.#mostChunks
    if (this.#isCutShort || !this.#visit(chunk, end, keptBytes)) return false
    this.#chunks++
    return true
  }
}

/** Which bytes of the heap were part of a visited chunk: one bit per 8 bytes, because addresses are multiples of 8. */
class SeenBytes {
  readonly #bits: Int32Array

  constructor(heapBytes: number) {
    this.#bits = new Int32Array(Math.ceil(heapBytes / (ALIGNMENT * 32)) + 1)
  }

  /** Adds a range. Returns false if any of it was seen before; part of it may then have been added. */
  add(from: number, to: number): boolean {
    const [first, last] = [from / ALIGNMENT, to / ALIGNMENT]
    const lastWord = last >>> 5
    let word = first >>> 5
    let mask = -1 << (first & 31)
    for (; word < lastWord; word++, mask = -1) if (!this.#mark(word, mask)) return false
    return this.#mark(lastWord, mask & ((1 << (last & 31)) - 1))
  }

  #mark(word: number, mask: number): boolean {
    const bits = this.#bits[word] ?? 0
    if ((bits & mask) !== 0) return false
    this.#bits[word] = bits | mask
    return true
  }
}
