// One session's share of a storage's arena: extents lent to it for reading, until its next request, and extents reserved for its writes.
// Owns both lists, which are never read from memory that the slot, which may be hostile, can write (R3): a slot never names an extent, it
// only says how many of its own a write uses. It may write any bytes to those, just as it may write any bytes to a file.

import {
  CONTROL,
  LENT_AT,
  LENT_WORDS,
  MOST_RESERVED,
  NUMBERS_AT,
  PIECE_WORDS,
  RESERVED_AT,
} from '../../src/shared/messages/storage-door.js'
import { FsError } from '../host/errno.js'
import { CHUNK_BYTES } from '../host/fs/chunk-source.js'
import { wholeChunks } from '../host/fs/contents.js'
import type { NodeId } from '../host/fs/node-store.js'
import type { PrivateNodes } from '../host/fs/private-nodes.js'
import type { Arena } from './arena.js'

/** Below this size, copying through the window costs less. */
const LEAST_LENT_BYTES = 16_384
/** A worker that was terminated while it copied never reports that it is done. No copy of a window takes this long. */
const LONGEST_COPY_MS = 10_000

const NO_BYTES = new Uint8Array(0)

/** What sessions of a storage in memory have in common. */
export interface Shared {
  readonly arena: Arena
  readonly nodes: PrivateNodes
  /** Called with a node whose bytes have changed. */
  readonly changed: (node: NodeId) => void
}

export class Share {
  readonly #arena: Arena
  readonly #nodes: PrivateNodes
  readonly #changed: Shared['changed']
  readonly #control: Int32Array
  readonly #lentWords: Uint32Array
  readonly #reservedWords: Uint32Array
  /** Lent pieces: place and length alternate. */
  readonly #lent: number[] = []
  /** Reserved extents, in the order in which the slot uses them. It may not know the last ones yet, so new ones go to the end. */
  #reserved: Uint32Array = new Uint32Array(0)

  constructor({ arena, nodes, changed }: Shared, door: SharedArrayBuffer) {
    this.#arena = arena
    this.#nodes = nodes
    this.#changed = changed
    this.#control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.#lentWords = new Uint32Array(door, LENT_AT, LENT_WORDS)
    this.#reservedWords = new Uint32Array(door, RESERVED_AT, 1 + MOST_RESERVED)
  }

  /** Takes back what is lent. The slot has copied it, because it sends another request. */
  settle(): void {
    const lent = this.#lent
    for (let at = 0; at < lent.length; at += 2) this.#arena.takeBack(lent[at] ?? 0, lent[at + 1] ?? 0)
    lent.length = 0
  }

  /** Reads into the window, or lends pieces instead. Returns how many bytes there were, and how many pieces are lent. */
  read(node: NodeId, position: number, window: Uint8Array, length: number): readonly [number, number] {
    let words = 0
    const count = this.#nodes.read(node, position, window, 0, length, (bytes, at) => {
      const { byteOffset: place, length } = bytes
      if (length < LEAST_LENT_BYTES || !this.#arena.has(bytes) || words + PIECE_WORDS > LENT_WORDS)
        return false
      this.#arena.lend(place, length)
      this.#lent.push(place, length)
      this.#lentWords[words++] = place
      this.#lentWords[words++] = at
      this.#lentWords[words++] = length
      return true
    })
    return [count, words / PIECE_WORDS]
  }

  /**
   * Writes `length` bytes, whose whole chunks are the first `count` reserved extents. Returns false if fewer are reserved, or the write has
   * another number of whole chunks.
   */
  exchange(node: NodeId, position: number, window: Uint8Array, length: number, count: number): boolean {
    if (count === 0 || count > this.#reserved.length || count !== wholeChunks(position, length)) return false
    this.#nodes.exchange(node, position, window, 0, length, this.#chunks(this.#reserved.subarray(0, count)))
    this.#reserved = this.#reserved.subarray(count)
    this.#changed(node)
    this.reserve(count)
    return true
  }

  /** Like `exchange`, for a posted write of `count` whole chunks inside a file. It happened at `atMs`. */
  overwrite(node: NodeId, position: number, count: number, atMs: number): boolean {
    if (count > this.#reserved.length || position % CHUNK_BYTES !== 0) return false
    const used = this.#reserved.subarray(0, count)
    this.#reserved = this.#reserved.subarray(count)
    try {
      this.#nodes.exchange(node, position, NO_BYTES, 0, count * CHUNK_BYTES, this.#chunks(used), atMs)
      this.#changed(node)
    } catch (error) {
      if (!(error instanceof FsError)) throw error
      // Another session has cut the file at that moment, and there is no room left. The cut counts as later, so drop this write.
      for (const extent of used) this.#arena.give(extent)
    }
    this.reserve(count)
    return true
  }

  /** Reserves extents for a write of `count` whole chunks, as far as there are any. */
  reserve(count: number): void {
    const kept = this.#reserved
    const taken = this.#arena.take(Math.max(0, Math.min(count, MOST_RESERVED) - kept.length))
    if (kept.length === 0) this.#reserved = taken
    else if (taken.length > 0) this.#reserved = Uint32Array.of(...kept, ...taken)
    this.#reservedWords[0] = this.#reserved.length
    this.#reservedWords.set(this.#reserved, 1)
  }

  #chunks(extents: Uint32Array): Uint8Array[] {
    return Array.from(extents, (extent) => this.#arena.chunk(extent))
  }

  /** The session is gone. Its worker may still be writing to reserved extents, so those become free only when it is done. */
  drop(): void {
    this.settle()
    const control = this.#control
    Atomics.store(control, CONTROL.REVOKED, 1)
    const untilMs = performance.now() + LONGEST_COPY_MS
    const isOver = () => Atomics.load(control, CONTROL.FILLING) === 0 || performance.now() > untilMs
    this.#arena.retire(this.#reserved, isOver)
    this.#reserved = new Uint32Array(0)
  }
}
