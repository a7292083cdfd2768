// Labels of stored sessions: strings by name, which `manager.list` shows and filters by. Owns their limits.
import { InvalidOptionError } from '../shared/errors.js'
import { isRecord } from './check.js'

export type Labels = Readonly<Record<string, string>>

const MAX_LABELS = 32
/** Shared by all sessions without labels, because there may be thousands. */
const NO_LABELS: Labels = Object.freeze({})
const MAX_NAME_LENGTH = 64
const MAX_VALUE_LENGTH = 256

/** Returns a validated copy. @throws InvalidOptionError */
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

/** Whether every store can keep the text and return it unchanged. */
function isExact(text: string, min: number, max: number): boolean {
  return text.length >= min && text.length <= max && !text.includes('\0') && text.isWellFormed()
}
