// POSIX advisory locks on byte ranges of files. Owns which session has locked which range. Sessions wait and retry on their own side, so
// nothing here blocks, and a session that is gone leaves nothing behind. Quotas are per owner: no session can use up another's.
import { fail } from '../host/errno.js'
import type { LockRange, NodeId } from '../host/fs/node-store.js'

/** Ranges of one owner in one file; more gives ENOLCK. Only a program that locks byte by byte needs more. */
export const MAX_FILE_RANGES = 4096
/** Ranges of one owner in all files; more gives ENOLCK. */
export const MAX_OWNER_RANGES = 16_384

/** One owner's locks in one file, ascending. They do not overlap, and adjacent ones of the same kind are merged. */
type Ranges = readonly LockRange[]

export class Locks {
  readonly #files = new Map<NodeId, Map<object, Ranges>>()
  readonly #owners = new Map<object, Owned>()

  /** Locks the range, replacing the owner's locks there. Returns false if another owner's lock conflicts. */
  lock(node: NodeId, owner: object, range: LockRange): boolean {
    if (this.blocking(node, owner, range) !== undefined) return false
    const ranges = this.#of(node, owner)
    const { exclusive } = range
    let { start, end } = range
    // Merge with ranges of the same kind that it touches; cut it out of those of the other kind.
    const first = firstEndingAt(ranges, start)
    let last = first
    const kept: LockRange[] = []
    const rest: LockRange[] = []
    for (let lock = ranges[last]; lock !== undefined && lock.start <= end; lock = ranges[++last]) {
      if (lock.exclusive === exclusive) {
        start = Math.min(start, lock.start)
        end = Math.max(end, lock.end)
        continue
      }
      if (lock.start < range.start) kept.push({ ...lock, end: Math.min(lock.end, range.start) })
      if (lock.end > range.end) rest.push({ ...lock, start: Math.max(lock.start, range.end) })
    }
    this.#replace(node, owner, ranges, first, last, [...kept, { exclusive, start, end }, ...rest])
    return true
  }

  /** Unlocks the range. Fails with ENOLCK if splitting a lock would exceed a quota. */
  unlock(node: NodeId, owner: object, start: number, end: number): void {
    const ranges = this.#of(node, owner)
    // A range that ends exactly where this one starts is not affected.
    let first = firstEndingAt(ranges, start)
    if (ranges[first]?.end === start) first += 1
    let last = first
    const rest: LockRange[] = []
    for (let lock = ranges[last]; lock !== undefined && lock.start < end; lock = ranges[++last]) {
      if (lock.start < start) rest.push({ ...lock, end: start })
      if (lock.end > end) rest.push({ ...lock, start: end })
    }
    if (last > first) this.#replace(node, owner, ranges, first, last, rest)
  }

  /** Drops the owner's locks of a file that it has closed. */
  unlockAll(node: NodeId, owner: object): void {
    this.#put(node, owner, [])
  }

  /** The first conflicting lock of another owner. Binary search in each owner's ranges. */
  blocking(node: NodeId, owner: object, { exclusive, start, end }: LockRange): LockRange | undefined {
    let found: LockRange | undefined
    for (const [other, ranges] of this.#files.get(node) ?? []) {
      if (other === owner) continue
      for (let at = firstEndingAt(ranges, start + 1); at < ranges.length; at += 1) {
        const lock = ranges[at]
        if (lock === undefined || lock.start >= end) break
        if (!exclusive && !lock.exclusive) continue
        if (found === undefined || lock.start < found.start) found = lock
        break
      }
    }
    return found
  }

  has(node: NodeId, owner: object): boolean {
    return this.#of(node, owner).length > 0
  }

  /** Drops all locks of an owner that is gone. */
  drop(owner: object): void {
    for (const node of [...(this.#owners.get(owner)?.nodes ?? [])]) this.#put(node, owner, [])
  }

  /** Number of files with locks. */
  get size(): number {
    return this.#files.size
  }

  #of(node: NodeId, owner: object): Ranges {
    return this.#files.get(node)?.get(owner) ?? []
  }

  /** Replaces ranges [first, last) with `by`. */
  #replace(
    node: NodeId,
    owner: object,
    ranges: Ranges,
    first: number,
    last: number,
    by: readonly LockRange[],
  ): void {
    const more = by.length - (last - first)
    const total = this.#owners.get(owner)?.ranges ?? 0
    if (more > 0 && (ranges.length + more > MAX_FILE_RANGES || total + more > MAX_OWNER_RANGES))
      fail('ENOLCK')
    this.#put(node, owner, ranges.toSpliced(first, last - first, ...by))
  }

  #put(node: NodeId, owner: object, ranges: Ranges): void {
    const before = this.#of(node, owner).length
    const owned = this.#owners.get(owner) ?? { nodes: new Set<NodeId>(), ranges: 0 }
    const file = this.#files.get(node) ?? new Map<object, Ranges>()
    owned.ranges += ranges.length - before
    if (ranges.length > 0) {
      file.set(owner, ranges)
      owned.nodes.add(node)
      this.#files.set(node, file)
      this.#owners.set(owner, owned)
      return
    }
    file.delete(owner)
    owned.nodes.delete(node)
    if (file.size === 0) this.#files.delete(node)
    if (owned.nodes.size === 0) this.#owners.delete(owner)
  }
}

interface Owned {
  readonly nodes: Set<NodeId>
  ranges: number
}

/** Index of the first range that ends at or after `place`. Binary search. */
function firstEndingAt(ranges: Ranges, place: number): number {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle]?.end ?? 0) < place) low = middle + 1
    else high = middle
  }
  return low
}
