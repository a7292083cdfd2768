// Reads thrown values of unknown origin, which can be anything, even a Proxy or an error with getters that throw again. Owns
// the guards: every function here returns a result and never throws.
import { isError } from './realms.js'

type ErrorClass<E> = abstract new (...args: never[]) => E

/** `instanceof` for a value that may be a Proxy. */
export function isInstance<E>(thrown: unknown, type: ErrorClass<E>): thrown is E {
  try {
    return thrown instanceof type
  } catch {
    return false
  }
}

/** In characters. An error from another thread can carry hundreds of megabytes of text. */
const MAX_MESSAGE_LENGTH = 10_000

/**
 * The message of an error, at most its first 10,000 characters. Returns `otherwise` if the value is not an error, or if its message
 * cannot be read.
 */
export function messageOf(thrown: unknown, otherwise: string): string {
  const message = readText(() => (isError(thrown) ? thrown.message : undefined))
  return message === undefined ? otherwise : startOf(message, MAX_MESSAGE_LENGTH)
}

/** A copy of the first characters. In V8, a plain slice refers to the whole text and keeps it alive. */
export function startOf(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  return Buffer.from(text.slice(0, maxLength), 'utf16le').toString('utf16le')
}

/** The text that `read` returns; undefined if it throws, or returns something else. */
export function readText(read: () => unknown): string | undefined {
  try {
    const text = read()
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
}
