// Glob patterns of file paths: `*`, `?`, `[a-z]`, `{a,b}` and `**`. Owns matching in bounded time, whatever pattern a model sends: regular
// expressions could backtrack for hours.

import { InvalidOptionError } from '../shared/errors.js'

export const MAX_PATTERN_LENGTH = 1000
const MAX_ALTERNATIVES = 100
/** Limit for one search over all files. */
const MAX_STEPS = 20_000_000

/**
 * Creates a matcher for one search.
 *
 * @param pattern relative; without `/` it only matches names in the first directory
 * @throws InvalidOptionError if the pattern is too long; the matcher throws it when the search has taken too many steps
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw new InvalidOptionError('pattern', `at most ${MAX_PATTERN_LENGTH} characters`, pattern)
  const steps = { left: MAX_STEPS }
  const alternatives = expandBraces(pattern).map((one) => one.split('/').filter((part) => part !== ''))
  return (path) => {
    const names = path.split('/').filter((part) => part !== '')
    return alternatives.some((parts) => matchesParts(parts, names, steps))
  }
}

interface Steps {
  left: number
}

function spend(steps: Steps, count: number): void {
  steps.left -= count
  if (steps.left >= 0) return
  const message =
    'pattern: the search takes too long; give a simpler pattern, or a directory with fewer files'
  throw new InvalidOptionError('pattern', 'a simpler pattern', MAX_STEPS, message)
}

/** Each `**` matches any number of names. Only the last `**` that matched is extended, as with `*` in a name. */
function matchesParts(parts: readonly string[], names: readonly string[], steps: Steps): boolean {
  const isAny = (at: number) => parts[at] === '**'
  const matches = (at: number, i: number) => matchesName(parts[at] ?? '', names[i] ?? '', steps)
  return matchesSequence(parts.length, names.length, isAny, matches, steps)
}

function matchesName(pattern: string, name: string, steps: Steps): boolean {
  spend(steps, pattern.length)
  const tokens = pattern.match(/\[[^\]]+\]|./gsu) ?? []
  const letters = [...name]
  return matchesSequence(
    tokens.length,
    letters.length,
    (at) => tokens[at] === '*',
    (at, i) => matchesLetter(tokens[at] ?? '', letters[i] ?? ''),
    steps,
  )
}

/** Whether a pattern with wildcards for any sequence matches a sequence. Takes at most the product of both lengths in steps. */
function matchesSequence(
  patternLength: number,
  length: number,
  isAny: (at: number) => boolean,
  matches: (at: number, i: number) => boolean,
  steps: Steps,
): boolean {
  let at = 0
  let i = 0
  let anyAt = -1
  let anyEnd = 0
  while (i < length) {
    spend(steps, 1)
    if (at < patternLength && isAny(at)) {
      anyAt = at++
      anyEnd = i
    } else if (at < patternLength && matches(at, i)) {
      at++
      i++
    } else if (anyAt >= 0) {
      at = anyAt + 1
      i = ++anyEnd
    } else return false
  }
  while (at < patternLength && isAny(at)) at++
  return at === patternLength
}

function matchesLetter(token: string, letter: string): boolean {
  if (token === '?') return true
  if (!/^\[.+\]$/su.test(token)) return token === letter
  const isNegated = /^\[[!^]/.test(token)
  const ranges = token.slice(isNegated ? 2 : 1, -1).match(/.-.|./gsu) ?? []
  const isListed = ranges.some((range) => {
    const [first = '', dash, last = first] = [...range]
    return dash === undefined ? letter === first : letter >= first && letter <= last
  })
  return isListed !== isNegated
}

function expandBraces(pattern: string): string[] {
  const done: string[] = []
  const todo = [pattern]
  for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
    const braces = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(one)
    if (braces === null || todo.length + done.length >= MAX_ALTERNATIVES) done.push(one)
    else {
      const [, before = '', list = '', after = ''] = braces
      todo.push(...list.split(',').map((part) => `${before}${part}${after}`))
    }
  }
  return done
}
