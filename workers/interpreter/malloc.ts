// The heap of the C library's malloc (dlmalloc 2.8, 32 bit), read from outside: where its state lies and which memory is
// free. Owns its layout; calls and changes nothing. CPython is built without an allocator of its own here, so this is
// every Python object's heap. Whatever the memory holds, reading it ends and stays inside it.
import type { ByteRanges } from './clear.js'

/** `struct malloc_state`. A free chunk's links begin at +8; bins pretend to be chunks, so that lists end at them. */
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
/** What of a free chunk is malloc's own. */
const KEPT_BYTES = { unlisted: 8, listed: 16, tree: 32 } as const
const BINS = 32
const ALIGNMENT = 8
const LEAST_CHUNK_BYTES = 16
const PREVIOUS_IN_USE = 1
const IN_USE = 2
const FLAGS = 7

/**
 * Free memory without the words that malloc itself needs in it; undefined when the heap does not hold together, because
 * a program has overwritten it, or the state is not there.
 */
export function freeRanges(heap: Uint8Array, state: number): ByteRanges | undefined {
  const walk = new FreeWalk(heap, state)
  return walk.whole() ? walk.ranges : undefined
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
    if (freeRanges(memory, at) === undefined) continue
    if (found !== 0) return 0
    found = at
  }
  return found
}

class FreeWalk {
  readonly ranges: number[] = []
  readonly #words: Uint32Array
  readonly #heapBytes: number
  readonly #state: number
  /** Free bytes that the heap can still have: lists that have become cycles use it up. */
  #bytesLeft: number

  constructor(heap: Uint8Array, state: number) {
    this.#words = new Uint32Array(heap.buffer, heap.byteOffset, Math.floor(heap.length / 4))
    this.#heapBytes = heap.length
    this.#bytesLeft = heap.length
    this.#state = state
  }

  whole(): boolean {
    const state = this.#state
    if (state === 0 || state + STATE.BYTES > this.#heapBytes || state % 4 !== 0) return false
    return this.#top() && this.#victim() && this.#smallBins() && this.#trees()
  }

  #word(address: number): number {
    return this.#words[address >>> 2] ?? 0
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
    this.ranges.push(top + KEPT_BYTES.unlisted, top + bytes)
    return true
  }

  /** The chunk that the last small request was cut from; it is in no list. */
  #victim(): boolean {
    const victim = this.#field(STATE.victim)
    if (victim === 0) return this.#field(STATE.victimBytes) === 0
    return this.#take(victim, KEPT_BYTES.unlisted) === this.#field(STATE.victimBytes)
  }

  /** Circular lists of chunks of one size. What an empty bin has in it is stale: the map counts. */
  #smallBins(): boolean {
    for (let index = 0; index < BINS; index++) {
      if ((this.#field(STATE.smallMap) & (1 << index)) === 0) continue
      const bin = this.#state + STATE.smallBins + index * 8
      for (let at = this.#word(bin + CHUNK.forward); at !== bin; at = this.#word(at + CHUNK.forward))
        if (this.#take(at, KEPT_BYTES.listed) !== index * ALIGNMENT) return false
    }
    return true
  }

  /** Search trees by size; chunks of the same size are in a circular list with the one that is in the tree. */
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

  /** Size of the free chunk at an address; 0 if there is none. Its size is at both ends, and two free ones never touch. */
  #take(chunk: number, keptBytes: number): number {
    if (chunk % ALIGNMENT !== 0 || chunk + LEAST_CHUNK_BYTES > this.#heapBytes) return 0
    const head = this.#word(chunk + CHUNK.head)
    const bytes = head - (head & FLAGS)
    const end = chunk + bytes
    if ((head & IN_USE) !== 0 || (head & PREVIOUS_IN_USE) === 0 || bytes < LEAST_CHUNK_BYTES) return 0
    if (end + ALIGNMENT > this.#heapBytes || this.#word(end + CHUNK.previousBytes) !== bytes) return 0
    if ((this.#word(end + CHUNK.head) & PREVIOUS_IN_USE) !== 0) return 0
    this.#bytesLeft -= bytes
    if (this.#bytesLeft < 0) return 0
    if (bytes > keptBytes) this.ranges.push(chunk + keptBytes, end)
    return bytes
  }
}
