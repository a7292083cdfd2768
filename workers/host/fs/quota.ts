// What the files of a session may take: bytes and number of nodes. Owns the two counters; who charges what is the store's.
import { fail } from '../errno.js'

/** Bounds what nodes cost outside their contents: names, targets, bookkeeping (ATTACKS.md G12). */
export const MAX_NODES = 65_536
/** Bound of one file when there is no quota: sizes must stay exact numbers. */
export const MAX_FILE_BYTES = 2 ** 43

export class Quota {
  /** Null: no bound. */
  maxBytes: number | null = null
  #usedBytes = 0
  #nodes = 0

  get usedBytes(): number {
    return this.#usedBytes
  }

  get nodes(): number {
    return this.#nodes
  }

  /** Takes `bytes` more, or gives them back when negative. Fails before anything is allocated. */
  charge(bytes: number): void {
    if (bytes > 0 && this.maxBytes !== null && this.#usedBytes + bytes > this.maxBytes) fail('ENOSPC')
    this.#usedBytes += bytes
  }

  /** Counts one more node. */
  addNode(): void {
    if (this.#nodes >= MAX_NODES) fail('ENOSPC')
    this.#nodes += 1
  }

  removeNode(): void {
    this.#nodes -= 1
  }
}
