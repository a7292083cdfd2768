// Names errors for telemetry, with a small set of words that guests cannot influence. Owns the choice of those words.
import { BrumateError } from '../shared/errors.js'
import { isError } from '../shared/realms.js'
import { isInstance, readText } from '../shared/thrown.js'

const NAME = /^[A-Za-z_$][\w$]{0,63}$/
/** OpenTelemetry's value for errors without a name. */
const OTHER = '_OTHER'

/** Returns the stable `code` of our errors, and the class name of others. Ignores the message, which may contain users' text. */
export function failureOf(error: unknown): string {
  if (isInstance(error, BrumateError)) return error.code
  const name = readText(() => (isError(error) ? error.name : undefined))
  return name !== undefined && NAME.test(name) ? name : OTHER
}

/** Returns the state that the session has after the failed call, if the error says so. */
export function outcomeOf(error: unknown): string {
  if (!isInstance(error, BrumateError)) return 'failed'
  return 'outcome' in error && typeof error.outcome === 'string' ? error.outcome : 'failed'
}
