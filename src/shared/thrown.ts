// Reading what somebody else threw: it can be anything, a Proxy or an error with getters that throw again (ATTACKS.md D24). Owns
// the guards; everything here gives an answer and never throws.

type ErrorClass<E> = abstract new (...args: never[]) => E

/** `instanceof` for what may be a Proxy. */
export function isInstance<E>(thrown: unknown, type: ErrorClass<E>): thrown is E {
  try {
    return thrown instanceof type
  } catch {
    return false
  }
}

/** The message of an error; `otherwise` for anything else, and where there is none that can be read. */
export function messageOf(thrown: unknown, otherwise: string): string {
  return readText(() => (thrown instanceof Error ? thrown.message : undefined)) ?? otherwise
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
