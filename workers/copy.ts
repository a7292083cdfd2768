// Copies bytes when one side may be shared memory. Owns nothing.

/** Below this size, the call itself costs more. */
const LARGE_BYTES = 1024

/**
 * Copies `from` into `into`. TypedArray.set copies byte by byte between shared and other memory if the two are aligned differently.
 * Buffer's fill never does, but costs more to call.
 */
export function copyBytes(from: Uint8Array, into: Uint8Array, at: number): void {
  const isShared = from.buffer instanceof SharedArrayBuffer || into.buffer instanceof SharedArrayBuffer
  if (isShared && from.length >= LARGE_BYTES) Buffer.prototype.fill.call(into, from, at, at + from.length)
  else into.set(from, at)
}

/** A view of bytes `[start, end)`. A Buffer's `subarray` would make another Buffer, which costs several times as much. */
export function viewOf({ buffer, byteOffset }: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + start, end - start)
}
