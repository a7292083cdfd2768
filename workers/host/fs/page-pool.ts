// Memory for a session's larger files, in whole pages of the operating system that are reused. Owns the list of free buffers.
//
// Ordinary buffers come from malloc, which keeps freed memory: a process would stay as large as its sessions' files ever were. Pages that
// are returned at once cost a page fault each when they are needed again, so some are kept, and counted, while memory is plentiful.

import type { SlotBudget } from '../../memory/budget.js'
import { freeBuffer } from '../../memory/free-buffer.js'
import { fail } from '../errno.js'
import type { ChunkSource } from './chunk-source.js'
import { CHUNK_BYTES } from './chunk-source.js'

/** Most bytes kept for reuse: the default limit of a session's private files. */
const MAX_FREE_BYTES = 64 * 1024 * 1024

type ResizableBuffer = new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer

export class PagePool implements ChunkSource {
  readonly keepsTogether = true
  readonly #budget: SlotBudget
  /** Free buffers by their number of chunks. */
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

  /** Frees all buffers kept for reuse. */
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
    // The process is out of memory. Fail the guest's write, not the slot.
    return fail('ENOSPC')
  }
}
