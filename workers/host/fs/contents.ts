// The bytes of one file: sparse chunks over a part of the image that is shared and never written (copy on write). Owns which chunks a file
// has; their source owns their memory, the store owns size limits and times. Plain data, so that capturing a file is a walk over its
// chunks (I1).
import { copyBytes, viewOf } from '../../copy.js'
import type { ImageReader } from '../../image-bytes.js'
import { allocateBytes, CHUNK_BYTES, type ChunkSource, MOST_NEIGHBOURS, OWN_MEMORY } from './chunk-source.js'

const SMALLEST_CHUNK_BYTES = 256

export interface Contents {
  size: number
  /** Offset of the file in the image's bytes. Bytes that no chunk replaces are read from there. */
  readonly imageOffset: number
  /** How many of the image's bytes the file still has. */
  imageBytes: number
  /**
   * Chunks by index. A chunk may be shorter than CHUNK_BYTES; the rest is zeros. A missing chunk is the image's, or zeros. Chunks may share
   * a buffer, but do not overlap.
   */
  readonly chunks: Map<number, Uint8Array>
}

export function emptyContents(): Contents {
  return { size: 0, imageOffset: 0, imageBytes: 0, chunks: new Map() }
}

export function imageContents(imageOffset: number, length: number): Contents {
  return { size: length, imageOffset, imageBytes: length, chunks: new Map() }
}

/** Lends bytes in place of copying them to `at` in the destination. Returns false if they have to be copied. */
export type Lend = (bytes: Uint8Array, at: number) => boolean

/** Copies from `position` to `into[start, end)`, except for bytes that `lend` takes. Returns how many bytes there were. */
export function readContents(
  contents: Contents,
  image: ImageReader,
  position: number,
  into: Uint8Array,
  start: number,
  end: number,
  source: ChunkSource = OWN_MEMORY,
  lend?: Lend,
): number {
  const count = Math.min(end - start, contents.size - position)
  if (count <= 0) return 0
  if (contents.chunks.size === 0 && position + count <= contents.imageBytes) {
    image.read(contents.imageOffset + position, into, start, count)
    return count
  }
  for (let done = 0; done < count; ) {
    const index = Math.floor((position + done) / CHUNK_BYTES)
    const inside = position + done - index * CHUNK_BYTES
    const wanted = inside + count - done
    const needed = Math.min(wanted, CHUNK_BYTES)
    const chunk = contents.chunks.get(index)
    const known = chunk === undefined ? 0 : lengthFrom(contents, index, chunk, wanted, source, false)
    if (chunk === undefined || known < needed) {
      readChunk(contents, image, index, inside, into, start + done, needed - inside)
      done += needed - inside
      continue
    }
    const bytes = viewOf(chunk, inside, Math.min(wanted, known))
    if (!lend?.(bytes, start + done)) copyBytes(bytes, into, start + done)
    done += bytes.length
  }
  return count
}

/**
 * How many bytes of the file are contiguous in memory from the start of chunk `index` on, which is `chunk`. Beyond `wanted`, not all of
 * them may be counted. If `isWritten`, counts only chunks that the source allows to be written.
 */
function lengthFrom(
  { chunks }: Contents,
  index: number,
  chunk: Uint8Array,
  wanted: number,
  source: ChunkSource,
  isWritten: boolean,
): number {
  // Most reads and writes stay inside one chunk.
  if (wanted <= CHUNK_BYTES) return chunk.length
  const { buffer, byteOffset } = chunk
  if (source.keepsTogether) return buffer.byteLength - byteOffset
  let length = chunk.length
  for (let next = index + 1; length < wanted; next += 1) {
    const neighbour = chunks.get(next)
    if (neighbour?.buffer !== buffer || neighbour.byteOffset !== byteOffset + length) break
    if (isWritten && !source.isWritable(neighbour)) break
    length += CHUNK_BYTES
  }
  return length
}

function readChunk(
  contents: Contents,
  image: ImageReader,
  index: number,
  inside: number,
  into: Uint8Array,
  at: number,
  count: number,
): void {
  const chunk = contents.chunks.get(index)
  const length = chunk?.length ?? imagePart(contents, index)
  const known = Math.max(0, Math.min(count, length - inside))
  if (chunk === undefined) image.read(contents.imageOffset + index * CHUNK_BYTES + inside, into, at, known)
  else if (known > 0) copyBytes(chunk.subarray(inside, inside + known), into, at)
  if (known < count) into.fill(0, at + known, at + count)
}

/** How many bytes of chunk `index` the image holds. */
function imagePart(contents: Contents, index: number): number {
  return Math.max(0, Math.min(CHUNK_BYTES, contents.imageBytes - index * CHUNK_BYTES))
}

/** Writes all of `from[start, end)` at `position`. Allocates at most about twice what is written, or a chunk. */
export function writeContents(
  contents: Contents,
  image: ImageReader,
  position: number,
  from: Uint8Array,
  start: number,
  end: number,
  source: ChunkSource = OWN_MEMORY,
): void {
  for (let at = start; at < end; ) {
    const place = position + at - start
    const index = Math.floor(place / CHUNK_BYTES)
    const inside = place - index * CHUNK_BYTES
    const wanted = inside + end - at
    const needed = Math.min(wanted, CHUNK_BYTES)
    let chunk = contents.chunks.get(index)
    if (chunk === undefined || chunk.length < needed || !source.isWritable(chunk)) {
      if (inside === 0) makeNeighbours(contents, index, Math.floor(wanted / CHUNK_BYTES), source)
      chunk = writableChunk(contents, image, index, needed, source)
    }
    const writable = lengthFrom(contents, index, chunk, wanted, source, true)
    const count = Math.min(wanted, writable) - inside
    copyBytes(viewOf(from, at, at + count), viewOf(chunk, inside, inside + count), 0)
    at += count
  }
  contents.size = Math.max(contents.size, position + end - start)
}

/** How many whole chunks there are in `length` bytes from `position` on. */
export function wholeChunks(position: number, length: number): number {
  const first = Math.ceil(position / CHUNK_BYTES)
  return Math.max(0, Math.floor((position + length) / CHUNK_BYTES) - first)
}

/**
 * Writes like `writeContents`, but takes over `whole` as the whole chunks, without copying: they must come from the same source, and belong
 * to the file from now on. The bytes before and after them are copied from `from`; the bytes that `from` has in their place are ignored.
 */
export function exchangeContents(
  contents: Contents,
  image: ImageReader,
  position: number,
  from: Uint8Array,
  start: number,
  end: number,
  whole: readonly Uint8Array[],
  source: ChunkSource,
): void {
  const first = Math.ceil(position / CHUNK_BYTES)
  const headEnd = start + first * CHUNK_BYTES - position
  const tail = headEnd + whole.length * CHUNK_BYTES
  // These may run out of memory, so they come before the steps that cannot fail.
  writeContents(contents, image, position, from, start, headEnd, source)
  writeContents(contents, image, position + tail - start, from, tail, end, source)
  for (const [at, chunk] of whole.entries()) {
    const old = contents.chunks.get(first + at)
    contents.chunks.set(first + at, chunk)
    if (old !== undefined) source.release(old)
  }
  contents.size = Math.max(contents.size, position + end - start)
}

/** Allocates adjacent chunks from `index` on, up to `count` and up to the first that exists. They are about to be written as a whole. */
function makeNeighbours({ chunks }: Contents, index: number, count: number, source: ChunkSource): void {
  let missing = 0
  while (missing < Math.min(count, MOST_NEIGHBOURS) && !chunks.has(index + missing)) missing += 1
  if (missing === 0) return
  for (const [at, chunk] of source.allocate(missing).entries()) chunks.set(index + at, chunk)
}

/** Returns chunk `index` with room for its first `needed` bytes. Its size doubles when it grows, so that appending stays linear. */
function writableChunk(
  contents: Contents,
  image: ImageReader,
  index: number,
  needed: number,
  source: ChunkSource,
): Uint8Array {
  const old = contents.chunks.get(index)
  if (old !== undefined && old.length >= needed) return writable(contents.chunks, index, old, source)
  const fromImage = old === undefined ? imagePart(contents, index) : 0
  const wanted =
    index > 0 ? CHUNK_BYTES : Math.max(needed, fromImage, (old?.length ?? 0) * 2, SMALLEST_CHUNK_BYTES)
  const chunk = wanted < CHUNK_BYTES ? allocateBytes(wanted) : zeroChunk(source)
  if (old !== undefined) {
    chunk.set(old)
    // A chunk that has to grow has a buffer of its own.
    if (!source.release(old)) source.dispose(old.buffer)
  } else {
    try {
      image.read(contents.imageOffset + index * CHUNK_BYTES, chunk, 0, fromImage)
    } catch (error) {
      if (!source.release(chunk)) source.dispose(chunk.buffer)
      throw error
    }
  }
  contents.chunks.set(index, chunk)
  return chunk
}

function zeroChunk(source: ChunkSource): Uint8Array {
  // A session's own memory is reused by no other. Shared memory of a storage is only taken to write a whole chunk.
  if (!source.keepsTogether) return allocateBytes(CHUNK_BYTES)
  const [chunk = allocateBytes(CHUNK_BYTES)] = source.allocate(1)
  return chunk.fill(0)
}

/** Returns chunk `index`, which is `chunk`. While others read it, replaces it by a copy. */
function writable(
  chunks: Contents['chunks'],
  index: number,
  chunk: Uint8Array,
  source: ChunkSource,
): Uint8Array {
  if (source.isWritable(chunk)) return chunk
  const [copy = allocateBytes(CHUNK_BYTES)] = source.allocate(1)
  copyBytes(chunk, copy, 0)
  chunks.set(index, copy)
  source.release(chunk)
  return copy
}

/** Cuts or extends a file. New bytes read as zeros and take no memory. */
export function resizeContents(contents: Contents, size: number, source: ChunkSource = OWN_MEMORY): void {
  if (size < contents.size) {
    cut(contents, size, source)
    contents.imageBytes = Math.min(contents.imageBytes, size)
  }
  contents.size = size
}

/** Frees the memory of a file that nobody reads or writes any more. */
export function freeContents({ chunks }: Contents, source: ChunkSource): void {
  const gone = new Set<ArrayBufferLike>()
  for (const chunk of chunks.values()) if (!source.release(chunk)) gone.add(chunk.buffer)
  chunks.clear()
  for (const buffer of gone) source.dispose(buffer)
}

/**
 * Drops the chunks beyond `size`. A file that was cut must not keep the memory of its former size, which is no longer charged: so when one
 * chunk of a buffer goes, the others move out of it. `ChunkSource.keepsTogether` relies on that, too.
 */
function cut({ chunks }: Contents, size: number, source: ChunkSource): void {
  const last = Math.floor(size / CHUNK_BYTES)
  const gone = new Set<ArrayBufferLike>()
  for (const [index, chunk] of chunks) {
    if (index * CHUNK_BYTES < size) continue
    chunks.delete(index)
    if (!source.release(chunk)) gone.add(chunk.buffer)
  }
  const chunk = chunks.get(last)
  const kept = size - last * CHUNK_BYTES
  if (chunk && kept < chunk.length / 2) {
    chunks.set(last, chunk.slice(0, kept))
    if (!source.release(chunk)) gone.add(chunk.buffer)
  } else if (chunk) writable(chunks, last, chunk, source).fill(0, kept)
  if (gone.size === 0) return
  for (const [index, left] of chunks) if (gone.has(left.buffer)) chunks.set(index, left.slice())
  for (const buffer of gone) source.dispose(buffer)
}
