// The nodes that one session has open or uses as its working directory. Owns how often it holds each, and the limit on all holds together.
import { fail } from '../host/errno.js'
import type { NodeId, NodeStore } from '../host/fs/node-store.js'

/** More than a slot ever needs: it has fewer descriptors than this. */
const MAX_HOLDS = 2048

export class Holds {
  readonly #store: NodeStore
  readonly #max: (() => number) | undefined
  readonly #counts = new Map<NodeId, number>()
  #total = 0

  /** @param max a limit lower than `MAX_HOLDS`, which may change */
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

  /** Counts a hold that the store already has. */
  add(node: NodeId): void {
    this.#counts.set(node, (this.#counts.get(node) ?? 0) + 1)
    this.#total += 1
  }

  /**
   * Counts one hold less. The caller releases it in the store.
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
