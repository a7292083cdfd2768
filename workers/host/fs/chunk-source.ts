// Where files in memory get whole chunks from, and give them back to. Owns the line between the bytes of a file and who has memory
// for them, and the simplest side of it: memory of this thread's own, which goes when nothing refers to it.
import { freeBuffer } from '../../memory/free-buffer.js'
import { fail } from '../errno.js'

export const CHUNK_BYTES = 65_536

/** Chunks that one write makes at once are neighbours in memory, so many at most: they are copied in one go. */
export const MOST_NEIGHBOURS = 16

export interface ChunkSource {
  /**
   * What it allocates at once has one buffer, and nothing else is in it: a file that has one of these chunks has all that follow in
   * that buffer, in their order. Nobody keeps a list of that; who takes a chunk out of a file moves the others of its buffer (`cut`).
   */
  readonly keepsTogether: boolean
  /** `count` chunks that will be neighbours in a file, with any bytes in them: for who writes all of them at once. */
  allocate(count: number): readonly Uint8Array[]
  /** False while others read the chunk: it stays as it is, and who wants to change it takes another one. */
  isWritable(chunk: Uint8Array): boolean
  /** The chunk is no file's any more. False: its memory goes with the last chunk of the same buffer. */
  release(chunk: Uint8Array): boolean
  /** Nothing of what was allocated there is in use any more. */
  dispose(buffer: ArrayBufferLike): void
}

/** For files that only this thread sees. */
export const OWN_MEMORY: ChunkSource = Object.freeze({
  keepsTogether: true,
  allocate: (count: number) => {
    // In one piece, so that they are copied in one go.
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
    // The process is out of memory: the guest's write fails, the slot does not.
    return fail('ENOSPC')
  }
}
