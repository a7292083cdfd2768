// Memory that a storage's thread shares with its sessions' slots, in extents of one chunk each: whole chunks of large files, which slots
// copy from and to directly. Owns which extent belongs to whom, so that none is used twice at the same time; contents.ts knows which file
// an extent belongs to, share.ts what a slot may do. Slots can write any byte of it, but not the bookkeeping: docs/storages.md explains
// what follows from that.
import { allocateBytes, CHUNK_BYTES, type ChunkSource } from '../host/fs/chunk-source.js'

/** The arena grows in steps of this size. */
const GROWTH_BYTES = 16 * CHUNK_BYTES

/** Number of an extent: its offset in chunks. */
export type Extent = number

/** Extents of a session that is gone, but whose worker may still be writing to them. */
interface Retired {
  readonly extents: Uint32Array
  readonly isOver: () => boolean
}

export class Arena implements ChunkSource {
  /** The chunks of all files are in one buffer, and single ones are exchanged. */
  readonly keepsTogether = false
  readonly buffer: SharedArrayBuffer
  readonly #most: number
  /** Extents with lower numbers have been handed out before. Never derived from the buffer's size, which a slot can change. */
  #made = 0
  /** Free extents with old bytes. Reused last in, first out, because the last ones are still in the processor's caches. */
  readonly #used: Extent[] = []
  /** Free extents that are zeroed. */
  readonly #clean: Extent[] = []
  #retired: Retired[] = []
  /** For each extent, how many doors it is lent to. */
  readonly #lent: Uint32Array
  /** For each extent, 1 if it is lent but no longer belongs to a file. It becomes free when the last door returns it. */
  readonly #left: Uint8Array
  /** Views by extent. Each is created once, because creating a view costs more than using it. */
  readonly #chunks: Uint8Array[] = []

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#most = Math.floor(buffer.maxByteLength / CHUNK_BYTES)
    this.#lent = new Uint32Array(this.#most)
    this.#left = new Uint8Array(this.#most)
  }

  /** Hands out up to `count` free extents, in ascending order. Their contents are undefined. */
  take(count: number): Uint32Array {
    const taken = new Uint32Array(count)
    let length = 0
    while (length < count) {
      const extent = this.#used.pop() ?? this.#clean.pop() ?? this.#make()
      if (extent !== undefined) taken[length++] = extent
      else if (!this.#reclaim()) break
    }
    // Sorted, because adjacent extents are copied in one go.
    return taken.subarray(0, length).sort()
  }

  /** Returns an extent that was taken, or that belonged to a file. */
  give(extent: Extent): void {
    if (this.#lent[extent] === 0) this.#used.push(extent)
    else this.#left[extent] = 1
  }

  /** Returns extents that become free once `isOver` returns true. It is checked when extents are needed. */
  retire(extents: Uint32Array, isOver: () => boolean): void {
    this.#retired.push({ extents, isOver })
    this.#reclaim()
  }

  /** Whether the bytes are in the arena. */
  has(bytes: Uint8Array): boolean {
    return bytes.buffer === this.buffer
  }

  /** Lends the extents of bytes [place, place + length). Until `takeBack` was called as often, they are not written or handed out. */
  lend(place: number, length: number): void {
    const end = (place + length) / CHUNK_BYTES
    for (let at = Math.floor(place / CHUNK_BYTES); at < end; at += 1)
      this.#lent[at] = (this.#lent[at] ?? 0) + 1
  }

  takeBack(place: number, length: number): void {
    const end = (place + length) / CHUNK_BYTES
    for (let at = Math.floor(place / CHUNK_BYTES); at < end; at += 1) {
      const count = (this.#lent[at] ?? 0) - 1
      this.#lent[at] = count
      if (count > 0 || this.#left[at] === 0) continue
      this.#left[at] = 0
      this.#used.push(at)
    }
  }

  chunk(extent: Extent): Uint8Array {
    this.#chunks[extent] ??= new Uint8Array(this.buffer, extent * CHUNK_BYTES, CHUNK_BYTES)
    return this.#chunks[extent]
  }

  /**
   * Zeroes one free extent, so that slots cannot read removed bytes. Returns false if there is none to zero. Zeroes only one at a time,
   * because it is done in idle time and must not delay requests.
   */
  scrub(): boolean {
    this.#reclaim()
    const extent = this.#used.pop()
    if (extent === undefined) return false
    this.chunk(extent).fill(0)
    this.#clean.push(extent)
    return true
  }

  /** Whether there is nothing to zero. */
  get isClean(): boolean {
    return this.#used.length === 0 && this.#retired.length === 0
  }

  /** How many extents are free. */
  get free(): number {
    return this.#used.length + this.#clean.length + this.#most - this.#made
  }

  // The methods of ChunkSource.

  /** If the arena is full, allocates this thread's own memory, a buffer per chunk: one may be replaced without its neighbours. */
  allocate(count: number): readonly Uint8Array[] {
    const chunks = Array.from(this.take(count), (extent) => this.chunk(extent))
    while (chunks.length < count) chunks.push(allocateBytes(CHUNK_BYTES))
    return chunks
  }

  isWritable(chunk: Uint8Array): boolean {
    return !this.has(chunk) || this.#lent[chunk.byteOffset / CHUNK_BYTES] === 0
  }

  release(chunk: Uint8Array): boolean {
    if (!this.has(chunk)) return false
    this.give(chunk.byteOffset / CHUNK_BYTES)
    return true
  }

  /** Does nothing: a buffer outside the arena may still be read, and is left to the garbage collector. */
  dispose(): void {}

  #make(): Extent | undefined {
    if (this.#made >= this.#most) return undefined
    const { buffer } = this
    const needed = (this.#made + 1) * CHUNK_BYTES
    try {
      if (buffer.byteLength < needed)
        buffer.grow(Math.min(needed - CHUNK_BYTES + GROWTH_BYTES, buffer.maxByteLength))
    } catch {
      // The operating system has no more memory, or a slot has grown the buffer meanwhile. Then its size may be enough after all.
      if (buffer.byteLength < needed) return undefined
    }
    return this.#made++
  }

  /** Frees retired extents that are over. Returns false if there are none. */
  #reclaim(): boolean {
    if (this.#retired.length === 0) return false
    const waiting: Retired[] = []
    let over = false
    for (const retired of this.#retired) {
      if (!retired.isOver()) waiting.push(retired)
      else for (const extent of retired.extents) this.give(extent)
      over ||= waiting.at(-1) !== retired
    }
    this.#retired = waiting
    return over
  }
}
