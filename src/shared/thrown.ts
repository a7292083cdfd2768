// Reads thrown values of unknown origin: anything, even a Proxy or an error with getters that throw again. Owns
// the guards; everything here gives an answer and never throws.
import { isError } from './realms.js'

type ErrorClass<E> = abstract new (...args: never[]) => E

/** `instanceof` for what may be a Proxy. */
export function isInstance<E>(thrown: unknown, type: ErrorClass<E>): thrown is E {
  try {
    return thrown instanceof type
  } catch {
    return false
  }
}

/** Characters. An error that another thread sent can carry hundreds of megabytes of text. */
const MAX_MESSAGE_LENGTH = 10_000

/**
 * The message of an error, at most its first 10,000 characters; `otherwise` for anything else, and where there is none that
 * can be read.
 */
export function messageOf(thrown: unknown, otherwise: string): string {
  const message = readText(() => (isError(thrown) ? thrown.message : undefined))
  return message === undefined ? otherwise : startOf(message, MAX_MESSAGE_LENGTH)
}

/** The first characters, copied: V8 makes a slice a reference to the whole text, which then lives as long as the slice. */
export function startOf(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  return Buffer.from(text.slice(0, maxLength), 'utf16le').toString('utf16le')
}

/** The text that `read` gives, if it is text and can be had. */
export function readText(read: () => unknown): string | undefined {
  try {
    const text = read()
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
}
