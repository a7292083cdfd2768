// Moves bytes of files between the store's chunks and the state's `contents`. Owns the encoding of a sparse file there, and copying:
// captured bytes, restored bytes and live files never share memory.
import type { PackingRoom } from '../../memory/packing-room.js'
import { CHUNK_BYTES, MOST_NEIGHBOURS } from '../fs/chunk-source.js'
import type { Contents } from '../fs/contents.js'
import { corrupt, HostStateError } from './error.js'

/**
 * Pairs of numbers, ascending: the index of a chunk, and how many bytes of `contents` go into it and the chunks after it. The rest of the
 * last chunk of an extent is zeros. Everything outside the extents is the image's, or a hole. An extent of 0 bytes is a chunk of
 * zeros in place of the image's.
 */
export type Extents = readonly number[]

/** Longest list that is read. The largest file has that many chunks, but no snapshot can hold them. */
export const MAX_EXTENT_NUMBERS = 2 ** 28
const PART_BYTES = 1024 * 1024
/** Memory for a view that is kept. */
const VIEW_BYTES = 150

/** Collects views of bytes in order, and copies them once, at the end. */
export class ContentsWriter {
  readonly #views: Uint8Array[] = []

  addBytes(view: Uint8Array): void {
    if (view.length > 0) this.#views.push(view)
  }

  addFile({ size, imageBytes, chunks }: Contents): Extents {
    if (chunks.size === 0) return []
    const extents: number[] = []
    let full = -1
    for (const index of [...chunks.keys()].sort((a, b) => a - b)) {
      const start = index * CHUNK_BYTES
      const bytes = withoutZeros(chunks.get(index) ?? NOTHING, size - start)
      if (bytes.length === 0 && start >= imageBytes) continue
      if (full === index && bytes.length > 0)
        extents[extents.length - 1] = (extents.at(-1) ?? 0) + bytes.length
      else extents.push(index, bytes.length)
      full = bytes.length === CHUNK_BYTES ? index + 1 : -1
      this.addBytes(bytes)
    }
    return extents
  }

  /** Copies everything into parts of about a mebibyte. @throws NoRoomError */
  finish(room: PackingRoom): Uint8Array<ArrayBuffer>[] {
    room.take(this.#views.reduce((sum, { length }) => sum + length + VIEW_BYTES, 0))
    const parts: Uint8Array<ArrayBuffer>[] = []
    for (let first = 0; first < this.#views.length; ) {
      let length = 0
      let end = first
      for (; end < this.#views.length; end += 1) {
        const next = this.#views[end]?.length ?? 0
        if (end > first && length + next > PART_BYTES) break
        length += next
      }
      const part = new Uint8Array(length)
      let at = 0
      for (; first < end; first += 1) {
        const view = this.#views[first] ?? NOTHING
        part.set(view, at)
        at += view.length
      }
      parts.push(part)
    }
    return parts
  }
}

/** Returns bytes in order, as copies. */
export class ContentsReader {
  readonly #contents: Uint8Array
  #at = 0

  constructor(contents: Uint8Array) {
    this.#contents = contents
  }

  /** Copies the next `count` bytes into a new array of `capacity` bytes. */
  take(count: number, capacity = count): Uint8Array {
    if (count > this.#contents.length - this.#at) corrupt('the contents of files are incomplete')
    const bytes = allocate(capacity)
    bytes.set(this.#contents.subarray(this.#at, this.#at + count))
    this.#at += count
    return bytes
  }

  /** Fills a file that has its final size and no chunks. The caller has checked that `extents` fit it. */
  takeFile({ chunks }: Contents, extents: Extents): void {
    for (let at = 0; at < extents.length; at += 2) {
      let index = extents[at] ?? 0
      let left = extents[at + 1] ?? 0
      do {
        // Whole chunks are adjacent in one buffer, as if one write had made them (ChunkSource.keepsTogether).
        const whole = Math.min(MOST_NEIGHBOURS, Math.floor(left / CHUNK_BYTES))
        const bytes = this.take(whole === 0 ? left : whole * CHUNK_BYTES)
        left -= bytes.length
        if (whole === 0) chunks.set(index, bytes)
        for (let from = 0; from < whole; from += 1, index += 1)
          chunks.set(index, bytes.subarray(from * CHUNK_BYTES, (from + 1) * CHUNK_BYTES))
      } while (left > 0)
    }
  }

  /** Checks that everything was taken. */
  end(): void {
    if (this.#at !== this.#contents.length) corrupt('there are contents that belong to no file')
  }
}

export function readExtents(
  values: readonly unknown[],
  { size, imageBytes }: Pick<Contents, 'size' | 'imageBytes'>,
  node: number,
): Extents {
  const extents: number[] = []
  if (values.length % 2 !== 0) corrupt(`node ${node}: half an extent`)
  let free = 0
  for (let at = 0; at < values.length; at += 2) {
    const index = values[at]
    const bytes = values[at + 1]
    if (!isCount(index) || !isCount(bytes) || index < free) corrupt(`node ${node}: no such extent`)
    const start = index * CHUNK_BYTES
    if (start + bytes > size || (bytes === 0 && start >= imageBytes)) {
      corrupt(`node ${node}: an extent outside the file`)
    }
    free = index + Math.max(1, Math.ceil(bytes / CHUNK_BYTES))
    extents.push(index, bytes)
  }
  return extents
}

const NOTHING = new Uint8Array(0)

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** The file's part of a chunk, without trailing zeros, which need not be stored. */
function withoutZeros(chunk: Uint8Array, fileBytes: number): Uint8Array {
  let end = Math.min(chunk.length, fileBytes)
  while (end > 0 && chunk[end - 1] === 0) end -= 1
  return chunk.subarray(0, end)
}

function allocate(bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes)
  } catch {
    throw new HostStateError('too-large', 'no memory for the contents of files')
  }
}
