// Descriptors of directories of the host that are kept for the next request. Owns closing each: the least recently used beyond a
// bound, one whose directory is gone, and all where nobody asks for a while; never one that is being used, whose number might be
// another file's by then. Whether a directory is still where it was is host-directories.ts's.
import { closeSync } from 'node:fs'

/** A walk of two hundred directories finds all of them. */
export const MAX_DESCRIPTORS = 256

interface Kept {
  readonly fd: number
  uses: number
  isGone: boolean
}

export class DescriptorCache<Key> {
  readonly #max: number
  /** The least recently used first. */
  readonly #kept = new Map<Key, Kept>()

  constructor(max = MAX_DESCRIPTORS) {
    this.#max = max
  }

  get(key: Key): number | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    return kept.fd
  }

  /** Runs with the descriptor of a key that has one, which stays open until then. */
  use<T>(key: Key, run: (fd: number) => T): T {
    const kept = this.#kept.get(key)
    if (kept === undefined) throw new Error('no descriptor is kept for it')
    kept.uses += 1
    try {
      return run(kept.fd)
    } finally {
      kept.uses -= 1
      if (kept.isGone && kept.uses === 0) closeSync(kept.fd)
    }
  }

  /** The descriptor is the cache's from now on. */
  add(key: Key, fd: number): void {
    this.delete(key)
    this.#kept.set(key, { fd, uses: 0, isGone: false })
    for (const [oldest, { uses }] of this.#kept) {
      if (this.#kept.size <= this.#max) return
      if (uses === 0 && oldest !== key) this.delete(oldest)
    }
  }

  delete(key: Key): void {
    const kept = this.#kept.get(key)
    if (kept === undefined) return
    this.#kept.delete(key)
    kept.isGone = true
    if (kept.uses === 0) closeSync(kept.fd)
  }

  clear(): void {
    for (const key of [...this.#kept.keys()]) this.delete(key)
  }

  get size(): number {
    return this.#kept.size
  }
}
