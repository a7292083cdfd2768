// Reads the head of an image file: everything except the contents of files. Owns the order of the reads; format.ts parses the result.
import { FIXED_HEAD_BYTES, HASH_BYTES, headLength, ImageFormatError } from './format.js'

/** Reads up to `count` bytes at `position` of the file into `into`, at `at`. Returns how many were read. */
export type ReadFile = (
  into: Uint8Array,
  at: number,
  count: number,
  position: number,
) => number | Promise<number>

/**
 * Reads the head, unchecked, with the hash that follows it.
 *
 * @param size - of the file
 * @throws ImageFormatError if the file is not an image, or its head is not complete
 */
export async function readHead(read: ReadFile, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const start = new Uint8Array(Math.min(size, FIXED_HEAD_BYTES))
  await readAll(read, start, 0, 0)
  const length = headLength(start) + HASH_BYTES
  if (length > size) throw new ImageFormatError('the file is not a valid image: it is cut off')
  const head = new Uint8Array(length)
  head.set(start)
  await readAll(read, head, start.length, start.length)
  return head
}

async function readAll(read: ReadFile, into: Uint8Array, from: number, position: number): Promise<void> {
  for (let at = from, count = 1; at < into.length; at += count) {
    count = await read(into, at, into.length - at, position + at - from)
    if (count === 0) throw new ImageFormatError('the file is not a valid image: it got shorter')
  }
}
