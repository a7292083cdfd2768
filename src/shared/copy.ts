// Copies of large byte arrays, made bit by bit, so that other work goes on meanwhile (H1).
import type { Bytes } from './bytes.js'

/** Takes a millisecond or two. */
const COPIED_AT_ONCE_BYTES = 4 * 1024 * 1024

/** Both arrays have the same length. */
export async function copyInSlices(from: Uint8Array, to: Uint8Array): Promise<void> {
  for (let at = 0; at < from.length; at += COPIED_AT_ONCE_BYTES) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve))
    to.set(from.subarray(at, at + COPIED_AT_ONCE_BYTES), at)
  }
}

/** @throws RangeError if there is no memory for it */
export async function copyOf(bytes: Uint8Array): Promise<Bytes> {
  const copy = new Uint8Array(bytes.length)
  await copyInSlices(bytes, copy)
  return copy
}
