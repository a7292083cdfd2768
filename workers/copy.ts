// Copying bytes where one side may be shared memory. Owns nothing.

/** Below it the call itself costs more. */
const LARGE_BYTES = 1024

/**
 * TypedArray.set between shared and other memory goes byte by byte where the two are aligned differently; fill never does, but costs
 * more to call.
 */
export function copyBytes(from: Uint8Array, into: Uint8Array, at: number): void {
  const isShared = from.buffer instanceof SharedArrayBuffer || into.buffer instanceof SharedArrayBuffer
  if (isShared && from.length >= LARGE_BYTES) Buffer.prototype.fill.call(into, from, at, at + from.length)
  else into.set(from, at)
}

/** Bytes `[start, end)` of `bytes`; `subarray` of a Buffer makes another Buffer of them, which costs several times as much. */
export function viewOf({ buffer, byteOffset }: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + start, end - start)
}
