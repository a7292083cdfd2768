// Memory of a session's larger files, in whole pages of the operating system that are used again. Owns which buffers are free.
//
// Other buffers come from malloc, which keeps what was freed: a process would stay as large as its sessions' files ever were. Pages
// that are given back at once cost a fault each when they come again, so some are kept, and counted, as long as there is plenty.

import type { SlotBudget } from '../../memory/budget.js'
import { freeBuffer } from '../../memory/free-buffer.js'
import { fail } from '../errno.js'
import type { ChunkSource } from './chunk-source.js'
import { CHUNK_BYTES } from './chunk-source.js'

/** Most that is kept; as much as the private files of a session have by default. */
const MAX_FREE_BYTES = 64 * 1024 * 1024

type ResizableBuffer = new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer

export class PagePool implements ChunkSource {
  readonly keepsTogether = true
  readonly #budget: SlotBudget
  /** By their number of chunks. */
  readonly #free = new Map<number, ArrayBuffer[]>()
  #freeBytes = 0

  constructor(budget: SlotBudget) {
    this.#budget = budget
  }

  allocate(count: number): readonly Uint8Array[] {
    const buffer = this.#take(count) ?? allocatePages(count * CHUNK_BYTES)
    return Array.from({ length: count }, (_, at) => new Uint8Array(buffer, at * CHUNK_BYTES, CHUNK_BYTES))
  }

  isWritable(): boolean {
    return true
  }

  release(): boolean {
    return false
  }

  dispose(buffer: ArrayBufferLike): void {
    if (!(buffer instanceof ArrayBuffer)) return
    const bytes = buffer.byteLength
    const isOurs = bytes >= CHUNK_BYTES && bytes % CHUNK_BYTES === 0
    if (!isOurs || this.#freeBytes + bytes > MAX_FREE_BYTES || !this.#budget.takeSpare(bytes))
      return freeBuffer(buffer)
    this.#freeBytes += bytes
    const count = bytes / CHUNK_BYTES
    const others = this.#free.get(count)
    if (others) others.push(buffer)
    else this.#free.set(count, [buffer])
  }

  /** Gives back what is kept. */
  drop(): void {
    if (this.#freeBytes === 0) return
    for (const buffers of this.#free.values()) for (const buffer of buffers) freeBuffer(buffer)
    this.#free.clear()
    this.#budget.release(this.#freeBytes)
    this.#freeBytes = 0
  }

  #take(count: number): ArrayBuffer | undefined {
    const buffer = this.#free.get(count)?.pop()
    if (buffer === undefined) return undefined
    this.#freeBytes -= buffer.byteLength
    this.#budget.release(buffer.byteLength)
    return buffer
  }
}

function allocatePages(bytes: number): ArrayBuffer {
  try {
    return new (ArrayBuffer as ResizableBuffer)(bytes, { maxByteLength: bytes })
  } catch {
    // The process is out of memory: the guest's write fails, the slot does not.
    return fail('ENOSPC')
  }
}
