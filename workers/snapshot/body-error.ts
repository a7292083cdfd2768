// What is wrong with a snapshot's body. Owns the error only.

/** The bytes are not a body, or not the one that the snapshot's head describes. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
}
