// The nodes that one session has open or is in. Owns how often it holds each, and the bound on all of them together.
import { fail } from '../host/errno.js'
import type { NodeId, NodeStore } from '../host/fs/node-store.js'

/** A slot of ours has at most as many descriptors, plus a few. */
const MAX_HOLDS = 2048

export class Holds {
  readonly #store: NodeStore
  readonly #max: (() => number) | undefined
  readonly #counts = new Map<NodeId, number>()
  #total = 0

  /** `max`: a lower bound than `MAX_HOLDS`, which may change. */
  constructor(store: NodeStore, max: (() => number) | undefined) {
    this.#store = store
    this.#max = max
  }

  has(node: NodeId): boolean {
    return this.#counts.has(node)
  }

  /** @throws FsError ENFILE if the session holds too many nodes */
  requireRoom(): void {
    if (this.#total >= MAX_HOLDS) fail('ENFILE')
    if (this.#max !== undefined && this.#total >= this.#max()) fail('ENFILE')
  }

  /** Counts a hold that the store has already. */
  add(node: NodeId): void {
    this.#counts.set(node, (this.#counts.get(node) ?? 0) + 1)
    this.#total += 1
  }

  /**
   * Counts one hold less; releasing it in the store is the caller's.
   *
   * @returns whether it was the last one
   * @throws FsError EBADF if the session does not hold the node
   */
  remove(node: NodeId): boolean {
    const count = this.#counts.get(node) ?? fail('EBADF')
    const isLast = count === 1
    if (isLast) this.#counts.delete(node)
    else this.#counts.set(node, count - 1)
    this.#total -= 1
    return isLast
  }

  /** Releases every hold in the store. */
  releaseAll(): void {
    for (const [node, count] of this.#counts) for (let i = 0; i < count; i += 1) this.#store.release(node)
    this.#counts.clear()
  }
}
