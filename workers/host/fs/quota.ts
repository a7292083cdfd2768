// What the files of a session may take: bytes and number of nodes. Owns the counters, and what both cost in memory; who charges what
// is the store's.
import { type MemoryBudget, UNBOUNDED } from '../../memory/budget.js'
import { fail } from '../errno.js'
import { CHUNK_BYTES } from './chunk-source.js'

/** Bounds what nodes cost outside their contents: names, targets, bookkeeping. */
export const MAX_NODES = 65_536
/** Bounds the targets of links, which are strings of V8's heap, whatever the quota is. */
const MAX_TARGET_BYTES = 64 * 1024 * 1024
/** Bound of one file when there is no quota: sizes must stay exact numbers. */
export const MAX_FILE_BYTES = 2 ** 43
/** Memory that a node takes at most beside its contents: an object, its name, an entry of a directory, tables of its own. */
export const NODE_BYTES = 2048

export class Quota {
  /** Null: no bound. */
  maxBytes: number | null = null
  #usedBytes = 0
  #targetBytes = 0
  #nodes = 0
  #memory: MemoryBudget = UNBOUNDED
  /** Of the budget. Below zero when files of the image are gone, which were there before. */
  #takenBytes = 0

  get usedBytes(): number {
    return this.#usedBytes
  }

  get nodes(): number {
    return this.#nodes
  }

  /** What comes from now on takes its memory from there. */
  countIn(memory: MemoryBudget): void {
    this.#memory = memory
  }

  /** The files are gone, all of them. */
  close(): void {
    this.#memory.release(this.#takenBytes)
    this.#takenBytes = 0
    this.#memory = UNBOUNDED
  }

  /** Takes `bytes` more, or gives them back when negative. Fails before anything is allocated. */
  charge(bytes: number): void {
    this.#charge(bytes, bytes)
  }

  /** The target of a link comes, or goes when negative. */
  chargeTarget(bytes: number): void {
    if (this.#targetBytes + bytes > MAX_TARGET_BYTES) fail('ENOSPC')
    this.#charge(bytes, bytes)
    this.#targetBytes += bytes
  }

  /** A file has another size. Its first chunk may be twice as large as what is in it. */
  chargeFile(fromBytes: number, toBytes: number): void {
    const slack = Math.min(toBytes, CHUNK_BYTES) - Math.min(fromBytes, CHUNK_BYTES)
    this.#charge(toBytes - fromBytes, toBytes - fromBytes + slack)
  }

  /** Nodes that came with an image, whose memory is the image's. */
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
