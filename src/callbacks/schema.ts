// Checks a callback's arguments against a JSON Schema or a Standard Schema (such as zod's). Turns either kind into one check, and owns the
// Python errors of failed checks. ajv implements JSON Schema.

import type { ErrorObject } from 'ajv/dist/2020.js'
import { didYouMean } from '../shared/close-names.js'
import { InvalidOptionError } from '../shared/errors.js'
import { isPromise, isRangeError } from '../shared/realms.js'
import { messageOf } from '../shared/thrown.js'
import type { Value } from '../shared/values/value.js'
import {
  type BoundedCheck,
  compileBounded,
  MAX_EVALUATIONS,
  TookTooLong,
  TooLargeToCheck,
} from './bounded-ajv.js'
import { describeForPython } from './describe-argument.js'
import { requireKnownKeywords } from './schema-keywords.js'

export type Arguments = Readonly<Record<string, Value>>

/** A JSON Schema of an object. Its properties are the parameters, in order. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The part of the Standard Schema interface (standardschema.dev, version 1) that brumate uses. */
// biome-ignore lint/suspicious/noExplicitAny: a schema of any type is a StandardSchema
export interface StandardSchema<Input = any, Output = any> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    validate(value: unknown): StandardResult<Output> | Promise<StandardResult<Output>>
    /** Tells TypeScript the input and output types of `validate`; not present at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /** Part of the Standard JSON Schema interface, if the library implements it. */
    readonly jsonSchema?: { input(options: { readonly target: string }): Record<string, unknown> }
  }
}

/** The result of a Standard Schema's `validate`: the value, or the reasons why it is invalid. */
export type StandardResult<Output = unknown> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[]
    }

/** Invalid arguments. `name` is the Python error class, and the message names the field. */
export class ArgumentsError extends Error {
  constructor(
    override readonly name: 'TypeError' | 'ValueError',
    message: string,
    /** The check ran out of time. A retry may succeed. */
    readonly isLate = false,
  ) {
    super(message)
  }
}

export interface ParameterCheck {
  /** The schema as JSON; undefined if its library cannot convert it. */
  readonly schema: JsonSchema | undefined
  /** A guest can make a check take several milliseconds, so each check should get its own turn of the event loop. */
  readonly isTimed: boolean
  /**
   * Returns the arguments for the function. `memberCount` is the number of members of all containers in `args`.
   *
   * @throws ArgumentsError, or a promise that rejects with one
   */
  check(args: Arguments, memberCount: number): unknown
}

/** Failures of these keywords are TypeErrors: they concern which arguments there are, and of what type. */
const TYPE_KEYWORDS: ReadonlySet<string> = new Set([
  'type',
  'required',
  'additionalProperties',
  'unevaluatedProperties',
])

/** Failures of these keywords concern a value as a whole, so messages describe it. With others, describing a container does not help. */
const VALUE_KEYWORDS: ReadonlySet<string> = new Set(['type', 'enum', 'const', 'minItems', 'maxItems'])

export function anyArguments(): ParameterCheck {
  return { schema: undefined, isTimed: false, check: (args) => args }
}

/** @throws InvalidOptionError */
export function resolveParameters(option: string, callback: string, parameters: unknown): ParameterCheck {
  if (typeof parameters !== 'object' && typeof parameters !== 'function')
    throw new InvalidOptionError(option, 'a JSON Schema or a Standard Schema', parameters)
  if (parameters === null)
    throw new InvalidOptionError(option, 'a JSON Schema or a Standard Schema', parameters)
  if (
    '~standard' in parameters &&
    typeof parameters['~standard'] === 'object' &&
    parameters['~standard'] !== null
  )
    return standard(option, callback, parameters as StandardSchema)
  return jsonSchema(option, callback, parameters as JsonSchema)
}

function jsonSchema(option: string, callback: string, given: JsonSchema): ParameterCheck {
  // A copy that is JSON by construction, because it is also sent to Python.
  const { $schema: _, ...schema } = copyOf(option, given)
  if (schema.type !== 'object') throw new InvalidOptionError(`${option}.type`, "'object'", schema.type)
  requireKnownKeywords(option, schema)
  const bounded = compile(option, schema)
  return {
    schema,
    get isTimed() {
      return bounded.isTimed
    },
    check(args) {
      if (isValid(callback, bounded, args)) return args
      throw faultOf(callback, schema, args, bounded.error)
    },
  }
}

/** @throws InvalidOptionError for anything without a JSON form: a function, a cycle, a bigint */
function copyOf(option: string, given: unknown): Record<string, unknown> {
  const expected = 'a JSON Schema: an object that JSON can hold'
  let copy: unknown
  try {
    const json = JSON.stringify(given) as string | undefined
    copy = json === undefined ? undefined : JSON.parse(json)
  } catch (error) {
    throw new InvalidOptionError(option, `${expected} (${messageOf(error, 'unknown')})`, given)
  }
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy))
    throw new InvalidOptionError(option, expected, given)
  return copy as Record<string, unknown>
}

function compile(option: string, schema: Record<string, unknown>): BoundedCheck {
  try {
    return compileBounded(schema)
  } catch (error) {
    throw new InvalidOptionError(option, `a valid JSON Schema (${messageOf(error, 'unknown')})`, schema)
  }
}

function isValid(callback: string, bounded: BoundedCheck, args: Arguments): boolean {
  try {
    return bounded.check(args)
  } catch (error) {
    if (error instanceof TooLargeToCheck)
      throw new ArgumentsError(
        'ValueError',
        `${callback}() argument '${fieldOf(error.instancePath)}' is too large to be checked: ${error.bound}`,
        error instanceof TookTooLong,
      )
    // V8's stack overflowed: a schema that refers to itself recurses as deeply as the arguments are nested.
    if (isRangeError(error))
      throw new ArgumentsError(
        'ValueError',
        `${callback}(): the arguments are nested too deeply to be checked`,
      )
    throw error
  }
}

function fieldOf(instancePath: string): string {
  return instancePath.slice(1).replaceAll('/', '.')
}

/** Makes the error for ajv's failure: it names the invalid field, and what is allowed there. */
function faultOf(
  callback: string,
  schema: JsonSchema,
  args: Arguments,
  error: ErrorObject | undefined,
): ArgumentsError {
  if (error === undefined)
    return new ArgumentsError('ValueError', `${callback}(): the arguments are not valid`)
  const kind = TYPE_KEYWORDS.has(error.keyword) ? 'TypeError' : 'ValueError'
  const params = error.params as {
    missingProperty?: string
    additionalProperty?: string
    allowedValues?: readonly unknown[]
    allowedValue?: unknown
  }
  const isTop = error.instancePath === ''
  if (params.missingProperty !== undefined && isTop)
    return new ArgumentsError(
      kind,
      `${callback}() is missing the argument '${params.missingProperty}'${unexpected(schema, args)}`,
    )
  const path = fieldOf(error.instancePath)
  if (params.additionalProperty !== undefined) {
    const allowed = propertiesAt(schema, error.schemaPath)
    const takes = allowed === undefined ? '' : `; it takes ${listOf(allowed, (name) => name)}`
    const what = isTop ? 'has no parameter' : `argument '${path}' has no field`
    return new ArgumentsError(kind, `${callback}() ${what} '${params.additionalProperty}'${takes}`)
  }
  let fault = error.message ?? 'it is not valid'
  if (params.allowedValues) fault = `must be one of ${listOf(params.allowedValues, JSON.stringify)}`
  else if ('allowedValue' in params) fault = `must be ${listOf([params.allowedValue], JSON.stringify)}`
  const got = valueAt(args, error.instancePath)
  const isShown = got && (typeof got.value !== 'object' || VALUE_KEYWORDS.has(error.keyword))
  const given = isShown ? `, got ${describeForPython(got.value)}` : ''
  return new ArgumentsError(kind, `${callback}() argument '${path}': ${fault}${given}`)
}

/** Lists the unknown arguments, for a message about a missing one: one of them may be that argument, misspelled. */
function unexpected({ properties }: JsonSchema, args: Arguments): string {
  const known = typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
  const strange = Object.keys(args).filter((name) => !known.includes(name))
  if (strange.length === 0) return ''
  const names = listOf(strange, (name) => `'${name}'`)
  return `; it got ${names}, which it has no parameter for${didYouMean(strange[0] ?? '', known)}`
}

/** @param pointer ajv's JSON pointer into the arguments */
function valueAt(args: Arguments, pointer: string): { readonly value: unknown } | undefined {
  let at: unknown = args
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[key]
  }
  return { value: at }
}

const MAX_LISTED = 30
const MAX_LISTED_LENGTH = 100

function listOf<T>(items: readonly T[], text: (item: T) => string): string {
  const shown = items.slice(0, MAX_LISTED).map((item) => {
    const whole = text(item)
    return whole.length > MAX_LISTED_LENGTH ? `${whole.slice(0, MAX_LISTED_LENGTH)}…` : whole
  })
  const rest = items.length - shown.length
  return shown.length === 0 ? 'none' : `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** The properties that the schema knows where it rejects others. `schemaPath` is the JSON pointer of the keyword that rejects them. */
function propertiesAt(schema: JsonSchema, schemaPath: string): readonly string[] | undefined {
  let at: unknown = schema
  for (const step of schemaPath.split('/').slice(1, -1)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[key]
  }
  const properties = typeof at === 'object' && at !== null && 'properties' in at ? at.properties : undefined
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : undefined
}

function standard(option: string, callback: string, schema: StandardSchema): ParameterCheck {
  const judge = (result: StandardResult): unknown => {
    if (result.issues === undefined) return result.value
    const [issue] = result.issues
    const path = (issue?.path ?? []).map(keyOf).join('.')
    throw new ArgumentsError(
      'ValueError',
      `${callback}() argument '${path}': ${issue?.message ?? 'it is not valid'}`,
    )
  }
  return {
    schema: standardJson(option, schema),
    isTimed: false,
    check(args, memberCount) {
      if (memberCount > MAX_EVALUATIONS)
        throw new ArgumentsError(
          'ValueError',
          `${callback}(): the arguments are too large to be checked: they have more than ${MAX_EVALUATIONS} members`,
        )
      const result = schema['~standard'].validate(args)
      return isPromise(result) ? result.then(judge) : judge(result)
    },
  }
}

/** A step of an issue's path is a key, or an object with a `key`. */
function keyOf(step: unknown): string {
  return String(typeof step === 'object' && step !== null && 'key' in step ? step.key : step)
}

/** @throws InvalidOptionError if the library cannot convert the schema */
function standardJson(option: string, schema: StandardSchema): JsonSchema | undefined {
  const { jsonSchema } = schema['~standard']
  if (jsonSchema === undefined) return undefined
  let input: unknown
  try {
    input = jsonSchema.input({ target: 'draft-2020-12' })
  } catch (error) {
    const expected = `a schema that can be converted to JSON Schema (${messageOf(error, 'unknown')})`
    throw new InvalidOptionError(option, expected, schema)
  }
  const { $schema: _, ...json } = copyOf(option, input)
  return json
}
