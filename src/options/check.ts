// Checks of single option values: each returns the given value, typed, or throws InvalidOptionError with
// "expected X, got Y" or "unknown option". Owns no option and no default.

import { didYouMean } from '../shared/close-names.js'
import { Concealed } from '../shared/describe-value.js'
import { InvalidOptionError } from '../shared/errors.js'
import { isKeyword } from '../shared/python-keywords.js'
import { isUint8Array } from '../shared/realms.js'
import { timeZoneNamed } from '../shared/time-zone.js'

interface NumberRule {
  readonly min: number
  readonly max: number
  readonly unit?: string
  readonly integer?: boolean
  /** `null` is allowed and means "no limit". */
  readonly nullable?: boolean
  /** `Infinity` is allowed in addition to the range. */
  readonly infinite?: boolean
}

/** Checks one option and returns its value, or the fallback if it is undefined. */
type NumberCheck = <Fallback extends number | null>(
  name: string,
  value: number | null | undefined,
  fallback: Fallback,
) => number | Fallback

export function numberOption(rule: NumberRule): NumberCheck {
  const kind = rule.integer ? 'an integer' : 'a number'
  const isBytes = rule.unit === 'bytes'
  const unit = rule.unit === undefined || isBytes ? '' : ` of ${rule.unit}`
  const [min, max] = isBytes ? [inBytes(rule.min), inBytes(rule.max)] : [rule.min, rule.max]
  const extra = `${rule.infinite ? ' or Infinity' : ''}${rule.nullable ? ' or null' : ''}`
  const expected = `${kind}${unit} from ${min} to ${max}${extra}`
  return <Fallback extends number | null>(
    name: string,
    value: number | null | undefined,
    fallback: Fallback,
  ) => {
    if (value === undefined) return fallback
    // If null is allowed, the option's type includes it, and so does the fallback's.
    if (value === null && rule.nullable) return null as Fallback
    if (typeof value !== 'number' || Number.isNaN(value)) throw new InvalidOptionError(name, expected, value)
    if (rule.infinite && value === Number.POSITIVE_INFINITY) return value
    if (value < rule.min || value > rule.max || (rule.integer && !Number.isInteger(value))) {
      throw new InvalidOptionError(name, expected, value)
    }
    return value
  }
}

const BYTE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** For example `256 MiB (268435456 bytes)`: uses the largest unit in which the number is whole. */
function inBytes(bytes: number): string {
  let power = 0
  while (bytes > 0 && bytes % 1024 ** (power + 1) === 0 && power < BYTE_UNITS.length - 1) power += 1
  return power === 0 ? `${bytes} bytes` : `${bytes / 1024 ** power} ${BYTE_UNITS[power]} (${bytes} bytes)`
}

/** Name of a call's top-level options object. Option paths omit it: `slots`, but `limits.memoryBytes`. */
const ROOT = 'options'
const MAX_KEY_LENGTH = 60

/** Throws unless the value is an object whose own keys are all among `names`. */
export function known(name: string, value: unknown, names: readonly string[]): void {
  for (const key of Object.keys(isRecord(name, value))) {
    if (names.includes(key)) continue
    const shown = key.length > MAX_KEY_LENGTH ? `${key.slice(0, MAX_KEY_LENGTH)}…` : key
    const [option, prefix] = name === ROOT ? [shown, ''] : [`${name}.${shown}`, `${name}: `]
    const list = names.join(', ')
    const message = `${prefix}unknown option ${JSON.stringify(shown)}; known: ${list}${didYouMean(key, names)}`
    throw new InvalidOptionError(option, `one of ${list}`, key, message)
  }
}

/**
 * Whether the text has neither NUL, which ends a string for an operating system, nor lone surrogates, which UTF-8 cannot encode. Otherwise
 * two different texts could become the same path, tenant or variable.
 */
function isExactText(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed()
}

export function isText(
  name: string,
  value: unknown,
  rule: { readonly pattern?: RegExp; readonly expected?: string; readonly maxLength?: number },
): string | undefined {
  if (value === undefined) return undefined
  const expected =
    rule.expected ?? `a string of 1 to ${rule.maxLength} characters without NUL and lone surrogates`
  if (typeof value !== 'string') throw new InvalidOptionError(name, expected, value)
  const fits = rule.pattern
    ? rule.pattern.test(value)
    : value.length > 0 && value.length <= (rule.maxLength ?? Number.POSITIVE_INFINITY) && isExactText(value)
  if (!fits) throw new InvalidOptionError(name, expected, value)
  return value
}

// biome-ignore lint/suspicious/noExplicitAny: the caller's type says which function it is
export function isFunction<F extends (...args: any[]) => unknown>(
  name: string,
  value: F | undefined,
): F | undefined {
  if (value !== undefined && typeof value !== 'function')
    throw new InvalidOptionError(name, 'a function', value)
  return value
}

export function isRecord(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidOptionError(name, 'an object', value)
  return value as Readonly<Record<string, unknown>>
}

export function isTexts(
  name: string,
  value: readonly string[] | undefined,
  expected = 'an array of strings',
): readonly string[] | undefined {
  if (value === undefined || (Array.isArray(value) && value.every((one) => typeof one === 'string')))
    return value
  throw new InvalidOptionError(name, expected, value)
}

export function isBoolean(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw new InvalidOptionError(name, 'a boolean', value)
}

export function isOneOf<T extends string>(
  name: string,
  value: T | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined || allowed.includes(value)) return value
  throw new InvalidOptionError(name, allowed.map((one) => JSON.stringify(one)).join(' or '), value)
}

/** Checks a secret key, which errors do not show. Returns a copy, so that later changes by the caller have no effect. */
export function isSecretBytes(name: string, value: unknown, length: number): Uint8Array | undefined {
  if (value === undefined) return undefined
  if (isUint8Array(value) && value.length === length) return new Uint8Array(value)
  throw new InvalidOptionError(name, `a Uint8Array of ${length} bytes`, new Concealed(value))
}

/**
 * Returns a signal that follows the caller's. Callers use one signal for many calls, and Node 20 warns of a leak at the eleventh listener
 * on a signal.
 */
export function isSignal(name: string, value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined
  if (!(value instanceof AbortSignal)) throw new InvalidOptionError(name, 'an AbortSignal', value)
  return AbortSignal.any([value])
}

/** Limit for the characters of all names and values together. */
const MAX_ENVIRONMENT_LENGTH = 1_000_000
/** Shared by all sessions without an environment, because there may be thousands. */
const NO_ENVIRONMENT: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

/**
 * Requires names without `=`, names and values without NUL and lone surrogates, and a time zone that exists. Errors do not show values.
 * Returns a copy, so that later changes by the caller do not reach a session.
 */
export function isEnvironment(name: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return NO_ENVIRONMENT
  const copy: Record<string, string> = Object.create(null)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(name, 'an object of strings', new Concealed(value))
  }
  let length = 0
  for (const [key, text] of Object.entries(value)) {
    if (key === '' || key.includes('=') || !isExactText(key))
      throw new InvalidOptionError(name, 'names without "=", NUL and lone surrogates', new Concealed(key))
    if (typeof text !== 'string' || !isExactText(text)) {
      const expected = 'a string without NUL and lone surrogates'
      throw new InvalidOptionError(`${name}.${key}`, expected, new Concealed(text))
    }
    length += key.length + text.length
    if (length > MAX_ENVIRONMENT_LENGTH) {
      const expected = `at most ${MAX_ENVIRONMENT_LENGTH} characters of names and values`
      throw new InvalidOptionError(name, expected, new Concealed(value))
    }
    copy[key] = text
  }
  if (copy.TZ !== undefined && timeZoneNamed(copy.TZ) === undefined)
    throw new InvalidOptionError(
      `${name}.TZ`,
      'an IANA time zone such as Europe/Paris, or a POSIX rule such as CET-1CEST,M3.5.0,M10.5.0/3',
      new Concealed(copy.TZ),
    )
  return copy
}

/** Longest source text in characters. CPython's parser needs a multiple of it in memory. */
const MAX_CODE_LENGTH = 64 * 1024 * 1024

export function checkCode(code: unknown): asserts code is string {
  if (typeof code !== 'string') throw new InvalidOptionError('code', 'a string', code)
  if (code.length > MAX_CODE_LENGTH) {
    throw new InvalidOptionError('code', `a string of at most ${MAX_CODE_LENGTH} characters`, code)
  }
}

/** Checks the name of a Python variable by Unicode classes, because Python allows more characters than a list here could cover. */
export function checkName(name: unknown): asserts name is string {
  const expected = 'a Python identifier'
  if (
    typeof name !== 'string' ||
    name.length > 1000 ||
    !/^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*$/u.test(name)
  ) {
    throw new InvalidOptionError('name', expected, name)
  }
}

/** Python rejects an assignment to the first; without the second, no code runs. */
const RESERVED: ReadonlySet<string> = new Set(['__debug__', '__builtins__'])

/** Checks the name of a variable that Python code can assign to. */
export function checkVariable(name: unknown): asserts name is string {
  checkName(name)
  // Python's compiler normalizes identifiers in the same way.
  const normalized = name.normalize('NFKC')
  if (isKeyword(normalized))
    throw new InvalidOptionError('name', 'a Python identifier that is not a keyword', name)
  if (RESERVED.has(normalized))
    throw new InvalidOptionError('name', `a variable: ${normalized} is Python's own`, name)
}
