// Copying bytes where one side may be shared memory. Owns nothing.

/** Below it the call itself costs more. */
const LARGE_BYTES = 1024

/** TypedArray.set between shared and other memory goes byte by byte where the two are aligned differently; fill never does. */
export function copyBytes(from: Uint8Array, into: Uint8Array, at: number): void {
  if (from.length < LARGE_BYTES) into.set(from, at)
  else Buffer.prototype.fill.call(into, from, at, at + from.length)
}
