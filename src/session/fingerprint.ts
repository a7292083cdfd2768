// What a call with an idempotency key asks for, as a hash. Owns what counts: the code of `execute`, or the answers of `resume`. The time limit
// and the listeners do not: a caller that repeats a call may have less time left.
import { createHash } from 'node:crypto'
import { toJson } from '../shared/values/json.js'

/** More than 128 bits, so that no two requests of a session have the same hash. */
const LENGTH = 22
/** Limit in bytes for an answer's JSON. Of larger answers only the call's id counts, because hashing them would block this thread. */
const MOST_ANSWER_BYTES = 2 ** 20

type Answers = Readonly<Record<string, unknown>>

export function fingerprintOfCode(code: string): string {
  return hashOf('execute', code)
}

export function fingerprintOfAnswers(results: Answers, errors: Answers): string {
  const returned = Object.entries(results).map(([id, value]) => `${id} ${textOf(value)}`)
  const raised = Object.entries(errors).map(([id, error]) => `${id} ${textOf(errorText(error))}`)
  return hashOf('resume', JSON.stringify([returned.sort(), raised.sort()]))
}

function hashOf(kind: 'execute' | 'resume', text: string): string {
  return createHash('sha256').update(`${kind} `).update(text).digest('base64url').slice(0, LENGTH)
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(toJson(value, MOST_ANSWER_BYTES))
  } catch {
    // Too large, or without a form: then `resume` rejects it.
    return ''
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
