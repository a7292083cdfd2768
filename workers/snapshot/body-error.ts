// What is wrong with a snapshot's body. Owns the error only.

/** The bytes are no body, or not the one that the head speaks of. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
}
