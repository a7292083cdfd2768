// The quota of a session's files: bytes and number of nodes. Owns the counters, and what both cost in memory; the store decides what to
// charge.
import { type MemoryBudget, UNBOUNDED } from '../../memory/budget.js'
import { fail } from '../errno.js'
import { CHUNK_BYTES } from './chunk-source.js'

/** Bounds the cost of nodes outside their contents: names, targets, bookkeeping. */
export const MAX_NODES = 65_536
/** Bounds the targets of links, whatever the quota is, because they are strings in V8's heap. */
const MAX_TARGET_BYTES = 64 * 1024 * 1024
/** Largest size of one file, even without a quota: sizes must stay exact numbers. */
export const MAX_FILE_BYTES = 2 ** 43
/** Most memory that a node takes beside its contents: an object, its name, an entry of a directory, tables of its own. */
export const NODE_BYTES = 2048

export class Quota {
  /** Null: no limit. */
  maxBytes: number | null = null
  #usedBytes = 0
  #targetBytes = 0
  #nodes = 0
  #memory: MemoryBudget = UNBOUNDED
  /** Bytes taken from the memory budget. Negative if files of the image were removed, because nothing was taken for those. */
  #takenBytes = 0

  get usedBytes(): number {
    return this.#usedBytes
  }

  get nodes(): number {
    return this.#nodes
  }

  /** Takes memory for all charges from now on from this budget. */
  countIn(memory: MemoryBudget): void {
    this.#memory = memory
  }

  /** Returns all memory to the budget, when all files are gone. */
  close(): void {
    this.#memory.release(this.#takenBytes)
    this.#takenBytes = 0
    this.#memory = UNBOUNDED
  }

  /** Charges `bytes` more, or returns them if negative. Call it before allocating: it fails if there is no room. */
  charge(bytes: number): void {
    this.#charge(bytes, bytes)
  }

  /** Charges the target of a link, or returns it if negative. */
  chargeTarget(bytes: number): void {
    if (this.#targetBytes + bytes > MAX_TARGET_BYTES) fail('ENOSPC')
    this.#charge(bytes, bytes)
    this.#targetBytes += bytes
  }

  /** Charges a change of a file's size. Its first chunk may be twice as large as what is in it. */
  chargeFile(fromBytes: number, toBytes: number): void {
    const slack = Math.min(toBytes, CHUNK_BYTES) - Math.min(fromBytes, CHUNK_BYTES)
    this.#charge(toBytes - fromBytes, toBytes - fromBytes + slack)
  }

  /** Counts nodes that came with the image, which owns their memory. */
  addImageNodes(nodes: number, targetBytes: number): void {
    this.#nodes += nodes
    this.#targetBytes += targetBytes
    this.#usedBytes += targetBytes
  }

  /** Counts one more node. */
  addNode(): void {
    if (this.#nodes >= MAX_NODES) fail('ENOSPC')
    this.#take(NODE_BYTES)
    this.#nodes += 1
  }

  removeNode(): void {
    this.#take(-NODE_BYTES)
    this.#nodes -= 1
  }

  #charge(bytes: number, memoryBytes: number): void {
    if (bytes > 0 && this.maxBytes !== null && this.#usedBytes + bytes > this.maxBytes) fail('ENOSPC')
    this.#take(memoryBytes)
    this.#usedBytes += bytes
  }

  #take(bytes: number): void {
    if (bytes < 0) this.#memory.release(-bytes)
    else if (!this.#memory.take(bytes)) fail('ENOSPC')
    this.#takenBytes += bytes
  }
}
