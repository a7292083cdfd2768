// A caller's bytes on their way to a storage's thread. Owns which part of their buffer is put into a message.
import { InvalidOptionError } from '../shared/errors.js'

/**
 * Returns the bytes [start, end) for a message. A message copies a view's whole buffer, which may be a pool or a whole file, so a part of a
 * buffer is copied first. Uses the `slice` of Uint8Array, because that of a subclass may not copy: Buffer's does not.
 *
 * @throws InvalidOptionError if the array's buffer was transferred elsewhere: the array would be empty
 */
export function messageBytes(name: string, bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  if (isDetached(bytes.buffer))
    throw new InvalidOptionError(
      name,
      'a Uint8Array whose buffer was not transferred',
      bytes,
      `${name}: the buffer of this Uint8Array was transferred to another thread; pass a copy`,
    )
  if (end - start === bytes.buffer.byteLength) return bytes
  return Uint8Array.prototype.slice.call(bytes, start, end)
}

/** Node 20 lacks `ArrayBuffer.prototype.detached`. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}
