// Decodes a whole marshal document in one step, for documents known to be small. decode.ts decodes in slices of time.
import { type Decoded, Decoder } from './decode.js'

/** A decoded document. */
export interface Document {
  readonly tree: Decoded
  /**
   * False if a well-formed part has no JavaScript counterpart: a dict key that is not a str or is `__proto__` (its entry was left out), an
   * int or str that is too large (replaced by 0 or ''), or a set whose members' hashes collide.
   */
  readonly exact: boolean
}

/**
 * Decodes a whole marshal document in one step. Only for documents known to be small.
 *
 * @throws MalformedValueError if the bytes are not marshal version 2, end early, or continue after the value
 */
export function decode(bytes: Uint8Array): Document {
  const decoder = new Decoder(bytes)
  decoder.advance(Number.POSITIVE_INFINITY)
  decoder.end()
  return { tree: decoder.tree, exact: decoder.exact }
}
