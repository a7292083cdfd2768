// Which bytes of a message are moved to the other thread instead of copied. Owns that bound.

/** Smaller ones are sooner copied than moved. */
const LARGE_BYTES = 16_384

/** The buffers to transfer. Each array is all of its buffer, not shared, and the sender’s no more. */
export function movable(...arrays: readonly Uint8Array[]): ArrayBuffer[] {
  return arrays.filter(({ length }) => length >= LARGE_BYTES).map(({ buffer }) => buffer as ArrayBuffer)
}
