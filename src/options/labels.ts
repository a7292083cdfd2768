// Labels of stored sessions: texts by name, which `manager.list` shows and finds sessions by. Owns their bounds.
import { InvalidOptionError } from '../shared/errors.js'
import { isRecord } from './check.js'

export type Labels = Readonly<Record<string, string>>

const MAX_LABELS = 32
/** One for all sessions: there may be thousands. */
const NO_LABELS: Labels = Object.freeze({})
const MAX_NAME_LENGTH = 64
const MAX_VALUE_LENGTH = 256

/** A copy. @throws InvalidOptionError */
export function resolveLabels(name: string, value: unknown): Labels {
  if (value === undefined) return NO_LABELS
  const entries = Object.entries(isRecord(name, value))
  if (entries.length > MAX_LABELS)
    throw new InvalidOptionError(name, `at most ${MAX_LABELS} labels`, entries.length)
  return Object.fromEntries(
    entries.map(([label, text]) => {
      if (!isExact(label, 1, MAX_NAME_LENGTH))
        throw new InvalidOptionError(name, `names of 1 to ${MAX_NAME_LENGTH} characters without NUL`, label)
      if (typeof text !== 'string' || !isExact(text, 0, MAX_VALUE_LENGTH))
        throw new InvalidOptionError(
          `${name}.${label}`,
          `a string of at most ${MAX_VALUE_LENGTH} characters without NUL`,
          text,
        )
      return [label, text]
    }),
  )
}

/** Any store can keep it, and gives it back as it was. */
function isExact(text: string, min: number, max: number): boolean {
  return text.length >= min && text.length <= max && !text.includes('\0') && text.isWellFormed()
}
