// An LRU cache of open descriptors of host directories. Owns closing them: on eviction, deletion and `clear`, but never while one is in
// use, because the OS could give its number to another file. host-directories.ts checks whether a directory is still in its place.
import { closeSync } from 'node:fs'

/** Enough for a walk of two hundred directories. */
export const MAX_DESCRIPTORS = 256

interface Kept {
  readonly fd: number
  uses: number
  isGone: boolean
}

export class DescriptorCache<Key> {
  readonly #max: number
  /** Least recently used first. */
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

  /** Calls `run` with a cached key's descriptor, which stays open until `run` returns. @throws if the key is not cached */
  use<T>(key: Key, run: (fd: number) => T): T {
    const kept = this.#kept.get(key)
    if (kept === undefined) throw new Error('there is no descriptor for this key')
    kept.uses += 1
    try {
      return run(kept.fd)
    } finally {
      kept.uses -= 1
      if (kept.isGone && kept.uses === 0) closeSync(kept.fd)
    }
  }

  /** Adds a descriptor, which the cache closes from now on. */
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
