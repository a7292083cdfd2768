// Why a library cannot be linked. Owns the error and how names out of hostile files appear in it.
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

/** A reason for a LinkError, where the library is not known. */
export class Unlinkable extends Error {
  override readonly name = 'Unlinkable'
}

/** Runs `work`, and says of which library it was if it fails for a reason that lies in the library's bytes. */
export function blaming<T>(library: { readonly path: string; readonly wheel: string }, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Unlinkable || error instanceof WasmFormatError)) throw error
    throw new LinkError(library.path, library.wheel, error.message, { cause: error })
  }
}

/** A name out of a file, cut short. */
export function quote(name: string): string {
  return JSON.stringify(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name)
}

/** A list of names out of a file, cut short. */
export function quoteAll(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES
  const shown = names.slice(0, MOST_NAMES).map(quote).join(', ')
  return rest > 0 ? `${shown} and ${rest} more` : shown
}
