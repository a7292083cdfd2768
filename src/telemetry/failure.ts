// Names errors for telemetry: by few words that no guest has chosen. Owns the choice of those words.
import { BrumateError } from '../shared/errors.js'
import { isError } from '../shared/realms.js'
import { isInstance, readText } from '../shared/thrown.js'

const NAME = /^[A-Za-z_$][\w$]{0,63}$/
/** For what has no name: OpenTelemetry's word. */
const OTHER = '_OTHER'

/** An error's stable `code` if it is one of ours, else the name of its class. Its message may have texts of users, and is not looked at. */
export function failureOf(error: unknown): string {
  if (isInstance(error, BrumateError)) return error.code
  const name = readText(() => (isError(error) ? error.name : undefined))
  return name !== undefined && NAME.test(name) ? name : OTHER
}

/** What is left of a session after a call that failed, if the error says so. */
export function outcomeOf(error: unknown): string {
  if (!isInstance(error, BrumateError)) return 'failed'
  return 'outcome' in error && typeof error.outcome === 'string' ? error.outcome : 'failed'
}
