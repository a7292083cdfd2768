// Why a library cannot be linked. Owns the errors, and how names from hostile files appear in them.
import { WasmFormatError } from '../wasm/cursor.js'

const LONGEST_NAME = 200
const MOST_NAMES = 10

/** A library cannot be linked into the interpreter. The message says which library, of which wheel, and why. */
export class LinkError extends Error {
  override readonly name = 'LinkError'

  constructor(
    /** Path of the library in the image. */
    readonly library: string,
    /** File name of the wheel that it comes from. */
    readonly wheel: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${quote(library)} of ${quote(wheel)} cannot be linked: ${reason}`, options)
  }
}

/** A reason for a LinkError, thrown by code that does not know which library it concerns. */
export class Unlinkable extends Error {
  override readonly name = 'Unlinkable'
}

/** Runs `work`. If it fails because of the library's bytes, throws a LinkError that names the library. */
export function blaming<T>(library: { readonly path: string; readonly wheel: string }, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Unlinkable || error instanceof WasmFormatError)) throw error
    throw new LinkError(library.path, library.wheel, error.message, { cause: error })
  }
}

/** Quotes a name from a file, truncated. */
export function quote(name: string): string {
  return JSON.stringify(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name)
}

/** Quotes a list of names from a file, truncated. */
export function quoteAll(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES
  const shown = names.slice(0, MOST_NAMES).map(quote).join(', ')
  return rest > 0 ? `${shown} and ${rest} more` : shown
}
