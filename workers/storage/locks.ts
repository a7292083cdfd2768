// Advisory locks of POSIX on byte ranges of files, by session. Owns who has which range; waiting for one is the session's, so that
// nothing here ever waits and a session that is gone leaves nothing.
import { fail } from '../host/errno.js'
import type { LockRange, NodeId } from '../host/fs/node-store.js'

/** Of one file: more is a program that locks byte by byte. */
const MAX_RANGES = 4096

interface Lock extends LockRange {
  readonly owner: object
}

export class Locks {
  readonly #files = new Map<NodeId, Lock[]>()

  /** False if somebody else's is in the way; else the range is the owner's, in place of what it had there. */
  lock(node: NodeId, owner: object, range: LockRange): boolean {
    if (this.blocking(node, owner, range) !== undefined) return false
    const rest = this.#without(node, owner, range)
    if (rest.length >= MAX_RANGES) fail('ENOLCK')
    // Neighbours of the same kind become one.
    let { start, end } = range
    const kept = rest.filter((lock) => {
      const joins =
        lock.owner === owner && lock.exclusive === range.exclusive && lock.start <= end && lock.end >= start
      if (joins) {
        start = Math.min(start, lock.start)
        end = Math.max(end, lock.end)
      }
      return !joins
    })
    this.#files.set(node, [...kept, { owner, exclusive: range.exclusive, start, end }])
    return true
  }

  unlock(node: NodeId, owner: object, start: number, end: number): void {
    const rest = this.#without(node, owner, { start, end })
    if (rest.length > 0) this.#files.set(node, rest)
    else this.#files.delete(node)
  }

  blocking(node: NodeId, owner: object, { exclusive, start, end }: LockRange): LockRange | undefined {
    return this.#files
      .get(node)
      ?.find(
        (lock) =>
          lock.owner !== owner && (exclusive || lock.exclusive) && lock.start < end && lock.end > start,
      )
  }

  has(node: NodeId, owner: object): boolean {
    return this.#files.get(node)?.some((lock) => lock.owner === owner) ?? false
  }

  /** The owner is gone. */
  drop(owner: object): void {
    for (const node of [...this.#files.keys()]) this.unlock(node, owner, 0, Number.POSITIVE_INFINITY)
  }

  get size(): number {
    return this.#files.size
  }

  #without(node: NodeId, owner: object, { start, end }: Pick<LockRange, 'start' | 'end'>): Lock[] {
    return (this.#files.get(node) ?? []).flatMap((lock) => {
      if (lock.owner !== owner || lock.start >= end || lock.end <= start) return [lock]
      const left = lock.start < start ? [{ ...lock, end: start }] : []
      const right = lock.end > end ? [{ ...lock, start: end }] : []
      return [...left, ...right]
    })
  }
}
