// Memory that a storage's thread has in common with its sessions' slots, in extents of one chunk each: whole chunks of large files,
// which slots copy from and to by themselves. Owns which extent is whose, so that none is used twice at a time; which file it
// belongs to is contents.ts's, what a slot may do is share.ts's. Slots can write any byte of it, but nothing that is known about it:
// docs/storages.md says what follows from that.
import { allocateBytes, CHUNK_BYTES, type ChunkSource } from '../host/fs/chunk-source.js'

/** Memory is taken from the operating system in steps of it. */
const GROWTH_BYTES = 16 * CHUNK_BYTES

/** Where an extent begins, in chunks. */
export type Extent = number

/** Extents of a session that is gone, whose worker may still be writing to them. */
interface Retired {
  readonly extents: Uint32Array
  readonly isOver: () => boolean
}

export class Arena implements ChunkSource {
  /** All files have their chunks in the one buffer, and some are exchanged by themselves. */
  readonly keepsTogether = false
  readonly buffer: SharedArrayBuffer
  readonly #most: number
  /** Extents below it have been given out before. Never learnt from the buffer's size, which a slot can change. */
  #made = 0
  /** Free, with old bytes in them: the last one first, which is what the processors' caches still have. */
  readonly #used: Extent[] = []
  /** Free and zero. */
  readonly #clean: Extent[] = []
  #retired: Retired[] = []
  /** By extent: how many doors it is lent to. */
  readonly #lent: Uint32Array
  /** By extent: 1 when it is lent, and no file's any more. It is free with the last who has it. */
  readonly #left: Uint8Array
  /** By extent, made once: a view costs more than what is done with it. */
  readonly #chunks: Uint8Array[] = []

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#most = Math.floor(buffer.maxByteLength / CHUNK_BYTES)
    this.#lent = new Uint32Array(this.#most)
    this.#left = new Uint8Array(this.#most)
  }

  /** Up to `count` free extents, ascending, which are the caller's from now on, with any bytes in them. */
  take(count: number): Uint32Array {
    const taken = new Uint32Array(count)
    let length = 0
    while (length < count) {
      const extent = this.#used.pop() ?? this.#clean.pop() ?? this.#make()
      if (extent !== undefined) taken[length++] = extent
      else if (!this.#reclaim()) break
    }
    // Neighbours are copied in one go.
    return taken.subarray(0, length).sort()
  }

  /** Of whoever took them, or of a file. */
  give(extent: Extent): void {
    if (this.#lent[extent] === 0) this.#used.push(extent)
    else this.#left[extent] = 1
  }

  /** They become free when `isOver` says so, which is asked where they are needed. */
  retire(extents: Uint32Array, isOver: () => boolean): void {
    this.#retired.push({ extents, isOver })
    this.#reclaim()
  }

  /** Whether they are a part of it. */
  has(bytes: Uint8Array): boolean {
    return bytes.buffer === this.buffer
  }

  /** What bytes [place, place + length) are a part of is not written and not given to anybody until it is taken back as often. */
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
   * Zeroes one extent that is free, so that what was removed is not there for a slot to look at; false if none has to be. One
   * at a time, and when nothing else is to be done: nobody waits for it.
   */
  scrub(): boolean {
    this.#reclaim()
    const extent = this.#used.pop()
    if (extent === undefined) return false
    this.chunk(extent).fill(0)
    this.#clean.push(extent)
    return true
  }

  /** Nothing has to be zeroed. */
  get isClean(): boolean {
    return this.#used.length === 0 && this.#retired.length === 0
  }

  /** How many extents nobody has. */
  get free(): number {
    return this.#used.length + this.#clean.length + this.#most - this.#made
  }

  // As the source of a store's chunks.

  /** What is not to be had here is memory of this thread's own, each chunk by itself: some may be replaced, and not their neighbours. */
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

  /** What is not in the arena: somebody may still read it, and a storage's files are not a session's. */
  dispose(): void {}

  #make(): Extent | undefined {
    if (this.#made >= this.#most) return undefined
    const { buffer } = this
    const needed = (this.#made + 1) * CHUNK_BYTES
    try {
      if (buffer.byteLength < needed)
        buffer.grow(Math.min(needed - CHUNK_BYTES + GROWTH_BYTES, buffer.maxByteLength))
    } catch {
      // The operating system has no more, or a slot has grown it in between. What is there is enough, or has to be.
      if (buffer.byteLength < needed) return undefined
    }
    return this.#made++
  }

  /** False if nothing came free. */
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
