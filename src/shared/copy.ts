// Copies large byte arrays in slices, so that the thread can do other work in between (H1).
import type { Bytes } from './bytes.js'

/** Copying this much takes a millisecond or two. */
const COPIED_AT_ONCE_BYTES = 4 * 1024 * 1024

/** Copies the pieces to `to`, one after another. `to` is as long as all pieces together. */
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

/** @throws RangeError if there is not enough memory */
export async function copyOf(bytes: Uint8Array): Promise<Bytes> {
  return await joined([bytes])
}

/** Copies the pieces into one array. @throws RangeError if there is not enough memory */
export async function joined(pieces: readonly Uint8Array[]): Promise<Bytes> {
  const copy = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  await copyInSlices(pieces, copy)
  return copy
}
