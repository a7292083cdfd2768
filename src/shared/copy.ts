// Copies of large byte arrays, made bit by bit, so that other work goes on meanwhile (H1).
import type { Bytes } from './bytes.js'

/** Takes a millisecond or two. */
const COPIED_AT_ONCE_BYTES = 4 * 1024 * 1024

/** Puts the pieces one after the other. `to` has as many bytes as they have together. */
export async function copyInSlices(pieces: readonly Uint8Array[], to: Uint8Array): Promise<void> {
  let at = 0
  let left = COPIED_AT_ONCE_BYTES
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; ) {
      if (left === 0) {
        await new Promise((resolve) => setImmediate(resolve))
        left = COPIED_AT_ONCE_BYTES
      }
      const slice = piece.subarray(from, from + left)
      to.set(slice, at)
      at += slice.length
      from += slice.length
      left -= slice.length
    }
  }
}

/** @throws RangeError if there is no memory for it */
export async function copyOf(bytes: Uint8Array): Promise<Bytes> {
  return await joined([bytes])
}

/** The pieces in one. @throws RangeError if there is no memory for it */
export async function joined(pieces: readonly Uint8Array[]): Promise<Bytes> {
  const copy = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  await copyInSlices(pieces, copy)
  return copy
}
