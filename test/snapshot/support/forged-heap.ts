// A malloc heap written by hand, so that a test can put anything into it. Owns the layout of its words; the tests own the expected
// results.
import { visitFree } from '../../../workers/interpreter/malloc.js'

/** Address of malloc's state; chunks begin behind it. */
const STATE = 1024
export const FIRST_CHUNK = 4096
const SMALL_MAP = 0
const TREE_MAP = 4
const TOP_BYTES = 12
const TOP = 24
const SMALL_BINS = 40
const TREE_BINS = 304
const FORWARD = 8
const BACKWARD = 12
export const LEFT = 16
export const RIGHT = 20
const PREVIOUS_IN_USE = 1
const TOP_CHUNK_BYTES = 64

export interface Visited {
  readonly whole: boolean
  readonly ranges: number
  readonly bytes: number
}

/** A heap whose only free memory is a chunk of `TOP_CHUNK_BYTES` at its end. */
export class ForgedHeap {
  readonly heap: Uint8Array<ArrayBuffer>
  readonly state = STATE
  readonly #words: Uint32Array

  constructor(bytes: number) {
    this.heap = new Uint8Array(bytes)
    this.#words = new Uint32Array(this.heap.buffer)
    this.set(STATE + TOP, bytes - TOP_CHUNK_BYTES)
    this.set(STATE + TOP_BYTES, TOP_CHUNK_BYTES)
    this.set(bytes - TOP_CHUNK_BYTES + 4, TOP_CHUNK_BYTES + PREVIOUS_IN_USE)
  }

  set(address: number, word: number): void {
    this.#words[address / 4] = word
  }

  /** A free chunk between two used ones. */
  chunk(address: number, bytes: number): number {
    this.set(address + 4, bytes + PREVIOUS_IN_USE)
    this.set(address + bytes, bytes)
    return address
  }

  link(chunk: number, next: number): void {
    this.set(chunk + FORWARD, next)
    this.set(next + BACKWARD, chunk)
  }

  bin(index: number): number {
    return STATE + SMALL_BINS + index * 8
  }

  /** Links the chunks into the list of a bin. */
  list(index: number, chunks: readonly number[]): void {
    this.set(STATE + SMALL_MAP, 1 << index)
    let previous = this.bin(index)
    for (const chunk of chunks) {
      this.link(previous, chunk)
      previous = chunk
    }
    this.link(previous, this.bin(index))
  }

  /** Makes the chunk a tree's root, as the only one of its size. */
  root(index: number, chunk: number): void {
    this.set(STATE + TREE_MAP, 1 << index)
    this.set(STATE + TREE_BINS + index * 4, chunk)
    this.link(chunk, chunk)
  }

  visit(write = false): Visited {
    let ranges = 0
    let bytes = 0
    const whole = visitFree(this.heap, STATE, (from, to) => {
      if (!(from % 4 === 0 && to % 4 === 0 && from >= 0 && from < to && to <= this.heap.length))
        throw new Error(`a range from ${from} to ${to}`)
      ranges++
      bytes += to - from
      if (write) this.heap.fill(0, from, to)
    })
    return { whole, ranges, bytes }
  }
}
