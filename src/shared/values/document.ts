// A whole marshal document decoded in one step, for bytes known to be few. Decoding in slices of time is decode.ts's.
import { type Decoded, Decoder } from './decode.js'

/** A decoded document. */
export interface Document {
  readonly tree: Decoded
  /**
   * False when a well-formed part has no JavaScript counterpart: a dict key that is not a str or is `__proto__`, whose entry was
   * left out, an int or str that is too large, which was replaced by 0 or '', or a set whose members' hashes collide.
   */
  readonly exact: boolean
}

/**
 * Decodes a whole marshal document in one step. Only for documents known to be small.
 *
 * @throws MalformedValueError when the bytes are not marshal version 2, end early or go on after the value
 */
export function decode(bytes: Uint8Array): Document {
  const decoder = new Decoder(bytes)
  decoder.advance(Number.POSITIVE_INFINITY)
  decoder.end()
  return { tree: decoder.tree, exact: decoder.exact }
}
