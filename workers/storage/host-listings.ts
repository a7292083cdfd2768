// Listings of host directories as of the last time each was read, with stable cookies. Owns reading a directory in steps, so that a large
// one does not make others wait, and how many entries are kept.
import { type Dir, type Dirent, opendirSync } from 'node:fs'
import { fail } from '../host/errno.js'
import { FIRST_COOKIE } from '../host/fs/inodes.js'
import type { DirectoryEntry, NodeKind } from '../host/fs/node-store.js'
import type { HostDirectories } from './host-directories.js'
import { onHost } from './host-error.js'
import type { HostNode } from './host-nodes.js'

/** Most listings that are kept. More directories than this are rarely listed at once. */
const MAX_LISTINGS = 64
/** Most entries of one directory (more gives EOVERFLOW), and of all kept listings together. */
const MAX_ENTRIES = 1024 * 1024
/** Only one directory with more entries than this is read at a time. */
const MANY_ENTRIES = 16_384
/** Entries read in one step, which takes less than a millisecond. */
const STEP_ENTRIES = 512

interface Listing {
  /** Sorted by cookie. */
  readonly entries: readonly DirectoryEntry[]
  readonly next: number
}

export class HostListings {
  readonly #directories: HostDirectories
  /** Least recently read first. */
  readonly #listings = new Map<HostNode, Listing>()
  #kept = 0
  readonly #beingRead = new Set<HostNode>()
  #largeIsRead = false

  constructor(directories: HostDirectories) {
    this.#directories = directories
  }

  get(directory: HostNode): Listing | undefined {
    return this.#listings.get(directory)
  }

  /** Up to `count` entries after a cookie. */
  after({ entries }: Listing, cookie: number, count: number): readonly DirectoryEntry[] {
    let [low, high] = [0, entries.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((entries[middle]?.cookie ?? 0) <= cookie) low = middle + 1
      else high = middle
    }
    return entries.slice(low, low + count)
  }

  /** Reads the directory as it is now. Until that is done, others see the previous listing. */
  *read(directory: HostNode): Generator<undefined, Listing> {
    // One after the other: a reading under way may have begun before this request, so it does not count.
    while (this.#beingRead.has(directory)) yield
    this.#beingRead.add(directory)
    try {
      return yield* this.#read(directory, true)
    } finally {
      this.#beingRead.delete(directory)
    }
  }

  /** Reads the directory in one step, even if others are reading it. */
  readAtOnce(directory: HostNode): Listing {
    const steps = this.#read(directory, false)
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
    }
  }

  *#read(directory: HostNode, takesTurns: boolean): Generator<undefined, Listing> {
    const names = yield* this.#names(directory, takesTurns)
    return this.#keep(directory, yield* this.#merge(directory, names))
  }

  /** Its first entry, if any. Tells whether the directory is empty. */
  first(directory: HostNode): readonly DirectoryEntry[] {
    const dir = this.#open(directory)
    try {
      for (;;) {
        const entry = onHost(() => dir.readSync())
        if (entry === null) return []
        const kind = kindOf(entry)
        if (kind !== undefined) return [{ name: entry.name, node: directory.id, kind, cookie: FIRST_COOKIE }]
      }
    } finally {
      dir.closeSync()
    }
  }

  *#names(directory: HostNode, takesTurns: boolean): Generator<undefined, Map<string, NodeKind>> {
    const names = new Map<string, NodeKind>()
    const dir = this.#open(directory)
    let isLarge = false
    try {
      for (let read = 1; ; read += 1) {
        const entry = onHost(() => dir.readSync())
        if (entry === null) return names
        const kind = kindOf(entry)
        if (kind !== undefined) names.set(entry.name, kind)
        if (names.size > MAX_ENTRIES) fail('EOVERFLOW')
        if (read % STEP_ENTRIES !== 0) continue
        if (takesTurns && !isLarge && names.size > MANY_ENTRIES) {
          while (this.#largeIsRead) yield
          isLarge = true
          this.#largeIsRead = true
        }
        yield
        // Check again after each pause: another program may have moved the directory out, and the open handle moves with it.
        this.#directories.within(directory, () => {})
      }
    } finally {
      if (isLarge) this.#largeIsRead = false
      dir.closeSync()
    }
  }

  /** Entries keep their cookies as long as they exist, so that a listing under way continues where it was. */
  *#merge(directory: HostNode, names: Map<string, NodeKind>): Generator<undefined, Listing> {
    const before = this.#listings.get(directory)
    const entries: DirectoryEntry[] = []
    let done = 0
    for (const entry of before?.entries ?? []) {
      if (++done % (8 * STEP_ENTRIES) === 0) yield
      const kind = names.get(entry.name)
      if (kind === undefined) continue
      entries.push(kind === entry.kind ? entry : { ...entry, kind })
      names.delete(entry.name)
    }
    let next = before?.next ?? FIRST_COOKIE
    for (const [name, kind] of names) {
      if (++done % (8 * STEP_ENTRIES) === 0) yield
      entries.push({ name, node: directory.id, kind, cookie: next++ })
    }
    return { entries, next }
  }

  #keep(directory: HostNode, listing: Listing): Listing {
    this.forget(directory)
    this.#listings.set(directory, listing)
    this.#kept += listing.entries.length
    for (const old of this.#listings.keys()) {
      if (this.#listings.size <= MAX_LISTINGS && this.#kept <= MAX_ENTRIES) break
      if (old !== directory) this.forget(old)
    }
    return listing
  }

  forget(directory: HostNode): void {
    this.#kept -= this.#listings.get(directory)?.entries.length ?? 0
    this.#listings.delete(directory)
  }

  #open(directory: HostNode): Dir {
    return this.#directories.within(directory, (at) =>
      opendirSync(at('.') as unknown as string, { encoding: 'latin1', bufferSize: STEP_ENTRIES }),
    )
  }
}

function kindOf(entry: Dirent): NodeKind | undefined {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'directory'
  return entry.isSymbolicLink() ? 'symlink' : undefined
}
