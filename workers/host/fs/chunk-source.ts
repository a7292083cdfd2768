// Where files in memory get whole chunks and return them. Owns the interface between the bytes of a file and the provider of their
// memory, and the simplest provider: this thread's own memory, which is freed when nothing refers to it.
import { freeBuffer } from '../../memory/free-buffer.js'
import { fail } from '../errno.js'

export const CHUNK_BYTES = 65_536

/** Most chunks that one write allocates side by side in memory, so that they are copied in one go. */
export const MOST_NEIGHBOURS = 16

export interface ChunkSource {
  /**
   * Whether each allocation has a buffer of its own. If so, a file that has one of its chunks also has all that follow in that buffer, in
   * order. No list records that. To keep it true, code that takes a chunk out of a file moves the others out of the buffer (`cut`).
   */
  readonly keepsTogether: boolean
  /** Allocates `count` chunks that will be adjacent in a file. Their contents are undefined: the caller must overwrite all of them. */
  allocate(count: number): readonly Uint8Array[]
  /** False while others read the chunk: it must not change, so a writer has to use another chunk. */
  isWritable(chunk: Uint8Array): boolean
  /** Call when no file uses the chunk any more. Returns false if its memory is freed only with its whole buffer (`dispose`). */
  release(chunk: Uint8Array): boolean
  /** Frees a buffer, none of whose chunks is in use any more. */
  dispose(buffer: ArrayBufferLike): void
}

/** Memory for files that only this thread sees. */
export const OWN_MEMORY: ChunkSource = Object.freeze({
  keepsTogether: true,
  allocate: (count: number) => {
    // One buffer, so that they are copied in one go.
    const bytes = allocateBytes(count * CHUNK_BYTES)
    return Array.from({ length: count }, (_, at) => bytes.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES))
  },
  isWritable: () => true,
  release: () => false,
  dispose: freeBuffer,
})

export function allocateBytes(bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes)
  } catch {
    // The process is out of memory. Fail the guest's write, not the slot.
    return fail('ENOSPC')
  }
}
