// Bytes of a caller's on their way to a storage's thread. Owns what of them a message may be given.
import { InvalidOptionError } from '../shared/errors.js'

/**
 * Bytes [start, end) as a message takes them. It takes a view with all of its buffer, which may be a pool or a whole file: what is
 * less than that is copied first. `slice` of the caller's own class may be none, as Buffer's is.
 *
 * @throws InvalidOptionError for an array whose buffer was transferred elsewhere: it would be an empty one
 */
export function messageBytes(name: string, bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  if (isDetached(bytes.buffer))
    throw new InvalidOptionError(
      name,
      'bytes that are there',
      bytes,
      `${name}: the buffer of this Uint8Array was transferred to another thread; pass a copy`,
    )
  if (end - start === bytes.buffer.byteLength) return bytes
  return Uint8Array.prototype.slice.call(bytes, start, end)
}

/** `ArrayBuffer.prototype.detached` is younger than Node 20. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}
