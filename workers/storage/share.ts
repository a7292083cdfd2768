// One session's share of a storage's arena: the extents lent to it for what it reads, until it asks for something else, and those
// reserved for what it writes. Owns both lists, which are never read from where the slot, which may be hostile, can write (R3): it
// names no extent, only how many of its own a write uses. Their bytes are the slot's to write, as a file's bytes are anyway.
import { wholeChunks } from '../host/fs/contents.js'
import type { NodeId } from '../host/fs/node-store.js'
import type { PrivateNodes } from '../host/fs/private-nodes.js'
import type { Arena } from './arena.js'
import { CONTROL, EXTENT_WORDS, EXTENTS_AT, MOST_RESERVED, NUMBERS_AT, PIECE_WORDS } from './wire.js'

/** Below it a copy through the window costs less. */
const LEAST_LENT_BYTES = 16_384
/** A slot whose worker was ended while it copied never says that it has done. No copy of a window's bytes takes so long. */
const LONGEST_COPY_MS = 10_000

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
  readonly #words: Uint32Array
  /** Place and length by turns. */
  readonly #lent: number[] = []
  /** Ascending: the slot knows them in this order, and uses them in this order. */
  #reserved: Uint32Array = new Uint32Array(0)

  constructor({ arena, nodes, changed }: Shared, door: SharedArrayBuffer) {
    this.#arena = arena
    this.#nodes = nodes
    this.#changed = changed
    this.#control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.#words = new Uint32Array(door, EXTENTS_AT, EXTENT_WORDS)
  }

  /** The slot has copied what it was lent: it asks for something else. */
  settle(): void {
    const lent = this.#lent
    for (let at = 0; at < lent.length; at += 2) this.#arena.takeBack(lent[at] ?? 0, lent[at + 1] ?? 0)
    lent.length = 0
  }

  /** How many bytes there were, and how many pieces of them are not in the window but lent. */
  read(node: NodeId, position: number, window: Uint8Array, length: number): readonly [number, number] {
    let words = 0
    const count = this.#nodes.read(node, position, window, 0, length, (bytes, at) => {
      const { byteOffset: place, length } = bytes
      if (length < LEAST_LENT_BYTES || !this.#arena.has(bytes) || words + PIECE_WORDS > EXTENT_WORDS)
        return false
      this.#arena.lend(place, length)
      this.#lent.push(place, length)
      this.#words[words++] = place
      this.#words[words++] = at
      this.#words[words++] = length
      return true
    })
    return [count, words / PIECE_WORDS]
  }

  /** Writes `length` bytes whose whole chunks are in the first `count` reserved extents; false if there are not as many of either. */
  exchange(node: NodeId, position: number, window: Uint8Array, length: number, count: number): boolean {
    if (count === 0 || count > this.#reserved.length || count !== wholeChunks(position, length)) return false
    const chunks: Uint8Array[] = []
    for (let at = 0; at < count; at += 1) chunks.push(this.#arena.chunk(this.#reserved[at] ?? 0))
    this.#nodes.exchange(node, position, window, 0, length, chunks)
    this.#reserved = this.#reserved.subarray(count)
    this.#changed(node)
    return true
  }

  /** Sees to it that a write of as many whole chunks finds extents, as far as there are any; how many there are now. */
  reserve(count: number): number {
    const kept = this.#reserved
    const taken = this.#arena.take(Math.max(0, Math.min(count, MOST_RESERVED) - kept.length))
    if (kept.length === 0) this.#reserved = taken
    else if (taken.length > 0) this.#reserved = Uint32Array.of(...kept, ...taken).sort()
    this.#words.set(this.#reserved)
    return this.#reserved.length
  }

  /** The session is gone. Its worker may not be, yet: what it is writing to comes free when it has done. */
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
