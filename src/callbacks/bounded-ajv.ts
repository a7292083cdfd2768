// JSON Schema checks of a guest's values, in bounded time. Owns the budget of one check and the keywords that spend it: each evaluation of
// a subschema counts, and so does text that a pattern reads. `uniqueItems` compares keys made of the items, not all pairs. A check with a
// pattern that may take more than linear time also has a time limit.

import { createHash } from 'node:crypto'
import type { Ajv2020, AnySchemaObject, ErrorObject, KeywordCxt } from 'ajv/dist/2020.js'
import { toBase64 } from '../shared/base64.js'
import { isDate, isMap, isSet, isUint8Array } from '../shared/realms.js'
import { loadAjv } from './ajv.js'
import { addFormats } from './formats.js'
import { isLinear } from './linear-pattern.js'
import { TIME_LIMIT_MS, TimeLimit } from './time-limit.js'

/** Most evaluations of subschemas in one check. The slowest take a tenth of a microsecond. */
export const MAX_EVALUATIONS = 100_000
/** Longest text that a `pattern`, `format` or `patternProperties` reads. */
export const MAX_PATTERN_TEXT = 1024
/** Longest text whose characters are counted one by one, for `minLength` and `maxLength`. */
export const MAX_COUNTED_TEXT = 1_000_000

/** Characters that cost as much as one evaluation. */
const CHARACTERS_PER_EVALUATION = 32
/** Text for a pattern also costs the square of its length divided by this, for patterns that take quadratic time. */
const PATTERN_CHARACTERS = 64
/** Making the key of an object or array takes as long as this many evaluations, while the thread has made few keys so far. */
const EVALUATIONS_PER_OBJECT = 25
/** Longer keys of items are compared by their hash. */
const LONGEST_KEY = 1000

/** Arguments that are too large to be checked. */
export class TooLargeToCheck extends Error {
  constructor(
    /** JSON pointer to the value. */
    readonly instancePath: string,
    readonly bound: string,
  ) {
    super(bound)
  }
}

/** The time limit stopped the check, possibly only because the operating system gave this thread no CPU time. */
export class TookTooLong extends TooLargeToCheck {}

/** Our own keywords, which are added to each subschema. */
const Keyword = {
  evaluation: 'brumate:evaluation',
  text: 'brumate:text',
  keys: 'brumate:keys',
} as const

class Budget {
  /** Unlimited while a schema is compiled, because compiling also checks the schema. */
  left = Number.POSITIVE_INFINITY
  /** Path of the text that a pattern is reading or read last. */
  textPath = ''

  refill(): void {
    this.left = MAX_EVALUATIONS
  }

  fail(instancePath: string): never {
    throw new TooLargeToCheck(instancePath, `the schema takes more than ${MAX_EVALUATIONS} checks`)
  }

  spend(count: number, instancePath: string): void {
    this.left -= count
    if (this.left < 0) this.fail(instancePath)
  }

  spendText(text: string, instancePath: string): void {
    this.textPath = instancePath
    if (text.length > MAX_PATTERN_TEXT)
      throw new TooLargeToCheck(instancePath, `patterns read at most ${MAX_PATTERN_TEXT} characters`)
    this.spend(
      text.length / CHARACTERS_PER_EVALUATION + (text.length / PATTERN_CHARACTERS) ** 2,
      instancePath,
    )
  }

  spendKeys(object: Record<string, unknown>, patterns: number, instancePath: string): void {
    for (const key in object) {
      this.spend(4 * patterns, instancePath)
      for (let i = 0; i < patterns; i++) this.spendText(key, instancePath)
    }
  }
}

export interface BoundedCheck {
  /** Whether the schema has a pattern that may take more than linear time. Then a check may last up to `TIME_LIMIT_MS`. */
  readonly isTimed: boolean
  /** Whether the value is valid; fills in defaults. @throws TooLargeToCheck, TookTooLong, RangeError if it is nested too deeply */
  check(value: unknown): boolean
  /** The error of the last check, if the value was invalid. */
  readonly error: ErrorObject | undefined
}

/** @throws ajv's error for an invalid schema */
export function compileBounded(schema: Record<string, unknown>): BoundedCheck {
  const budget = new Budget()
  let isTimed = false
  const regExp = Object.assign(
    (pattern: string, flags: string) => {
      const compiled = new RegExp(pattern, flags)
      isTimed ||= !isLinear(pattern)
      return compiled
    },
    { code: 'new RegExp' },
  )
  const ajv = new (loadAjv().Ajv2020)({ strict: false, useDefaults: true, logger: false, code: { regExp } })
  addKeywords(ajv, budget)
  addFormats(ajv)
  const instrumented = structuredClone(schema)
  instrument(instrumented)
  const validate = ajv.compile(instrumented)
  const check = (value: unknown) => {
    budget.refill()
    return validate(value)
  }
  const timeLimit = new TimeLimit()
  return {
    get isTimed() {
      return isTimed
    },
    check(value) {
      if (!isTimed) return check(value)
      // A check that is stopped may have filled in defaults. That is harmless: a retry would fill in the same ones.
      const ended = timeLimit.run(() => check(value))
      if (ended === undefined)
        throw new TookTooLong(
          budget.textPath,
          `matching a pattern of the schema takes more than ${TIME_LIMIT_MS} ms`,
        )
      return ended.result
    },
    get error() {
      return validate.errors?.[0]
    },
  }
}

function addKeywords(ajv: Ajv2020, budget: Budget): void {
  const { _, Name, str } = loadAjv()
  // The name of this variable in the code that ajv generates.
  const instancePath = new Name('instancePath')
  const pathOf = ({ it }: KeywordCxt) => _`${instancePath} + ${it.errorPath}`
  const budgetIn = ({ gen }: KeywordCxt) => gen.scopeValue('obj', { ref: budget })
  ajv.addKeyword({
    keyword: Keyword.evaluation,
    schemaType: 'boolean',
    before: '$ref',
    code(cxt) {
      const scoped = budgetIn(cxt)
      cxt.gen.if(_`--${scoped}.left < 0`, () => cxt.gen.code(_`${scoped}.fail(${pathOf(cxt)})`))
    },
  })
  ajv.addKeyword({
    keyword: Keyword.text,
    type: 'string',
    schemaType: 'boolean',
    before: 'pattern',
    code: (cxt) => void cxt.gen.code(_`${budgetIn(cxt)}.spendText(${cxt.data}, ${pathOf(cxt)})`),
  })
  ajv.addKeyword({
    keyword: Keyword.keys,
    type: 'object',
    schemaType: 'number',
    before: 'patternProperties',
    code: (cxt) =>
      void cxt.gen.code(_`${budgetIn(cxt)}.spendKeys(${cxt.data}, ${cxt.schema}, ${pathOf(cxt)})`),
  })
  for (const keyword of ['minLength', 'maxLength'] as const) {
    ajv.removeKeyword(keyword)
    ajv.addKeyword({
      keyword,
      type: 'string',
      schemaType: 'number',
      error: {
        message: ({ schemaCode }) =>
          str`must NOT have ${keyword === 'maxLength' ? 'more' : 'fewer'} than ${schemaCode} characters`,
      },
      validate: (
        limit: number,
        text: string,
        _schema?: AnySchemaObject,
        context?: { instancePath: string },
      ) => {
        const is = keyword === 'maxLength' ? isAtMost(text, limit) : isAtLeast(text, limit)
        if (is !== undefined) return is
        budget.spend(text.length / CHARACTERS_PER_EVALUATION, context?.instancePath ?? '')
        const length = lengthOf(text, context?.instancePath ?? '')
        return keyword === 'maxLength' ? length <= limit : length >= limit
      },
    })
  }
  ajv.removeKeyword('uniqueItems')
  const unique = (
    isWanted: boolean,
    items: unknown[],
    _schema?: AnySchemaObject,
    context?: { instancePath: string },
  ) => {
    const pair = isWanted ? duplicate(items, budget, context?.instancePath ?? '') : undefined
    if (pair === undefined) return true
    const message = `must NOT have duplicate items (items ## ${pair[0]} and ${pair[1]} are identical)`
    unique.errors = [{ keyword: 'uniqueItems', message, params: { i: pair[1], j: pair[0] } }]
    return false
  }
  unique.errors = [] as { keyword: string; message: string; params: Record<string, unknown> }[]
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    errors: true,
    validate: unique,
  })
}

/** Decides by the number of UTF-16 units, if possible; undefined if the characters must be counted. */
function isAtMost(text: string, limit: number): boolean | undefined {
  if (text.length <= limit) return true
  return text.length > 2 * limit ? false : undefined
}

function isAtLeast(text: string, limit: number): boolean | undefined {
  if (text.length < limit) return false
  return text.length >= 2 * limit ? true : undefined
}

function lengthOf(text: string, instancePath: string): number {
  if (text.length > MAX_COUNTED_TEXT)
    throw new TooLargeToCheck(
      instancePath,
      `minLength and maxLength count at most ${MAX_COUNTED_TEXT} characters`,
    )
  let length = 0
  for (const _character of text) length++
  return length
}

/** The indexes of two equal items, if there are any. */
function duplicate(
  items: readonly unknown[],
  budget: Budget,
  instancePath: string,
): [number, number] | undefined {
  const seen = new Map<string, number>()
  for (const [i, item] of items.entries()) {
    const key = keyOf(item, budget, instancePath)
    const short =
      key.length > LONGEST_KEY ? `#${createHash('sha256').update(key, 'utf16le').digest('hex')}` : key
    const before = seen.get(short)
    if (before !== undefined) return [before, i]
    seen.set(short, i)
  }
  return undefined
}

/** A text that is the same for two values if and only if they are equal. */
function keyOf(value: unknown, budget: Budget, instancePath: string): string {
  budget.spend(1, instancePath)
  const nested = (member: unknown) => keyOf(member, budget, instancePath)
  if (typeof value === 'string') {
    budget.spend(value.length / CHARACTERS_PER_EVALUATION, instancePath)
    return JSON.stringify(value)
  }
  // -0 equals 0.
  if (typeof value === 'number') return `${value + 0}`
  if (typeof value === 'bigint') {
    budget.spend(1 + value.toString(16).length / CHARACTERS_PER_EVALUATION, instancePath)
    return `${value.toString(16)}n`
  }
  if (typeof value !== 'object' || value === null) return String(value)
  if (isUint8Array(value)) {
    budget.spend(value.length / CHARACTERS_PER_EVALUATION, instancePath)
    return `b${toBase64(value)}`
  }
  if (isDate(value)) return `d${value.getTime()}`
  budget.spend(EVALUATIONS_PER_OBJECT, instancePath)
  if (isSet(value)) return `s[${[...value].map(nested).sort().join()}]`
  if (isMap(value))
    return `m[${Array.from(value as ReadonlyMap<unknown, unknown>, (pair) => nested(pair))
      .sort()
      .join()}]`
  if (Array.isArray(value)) return `[${value.map(nested).join()}]`
  const members = Object.entries(value).map(([key, member]) => {
    budget.spend(key.length / CHARACTERS_PER_EVALUATION, instancePath)
    return `${JSON.stringify(key)}:${nested(member)}`
  })
  return `{${members.sort().join()}}`
}

/** Keywords whose value is a schema, a list of them, or an object of them. */
export const SCHEMA_KEYWORDS = [
  ...['additionalItems', 'additionalProperties', 'contains', 'contentSchema', 'else', 'if', 'items', 'not'],
  ...['propertyNames', 'then', 'unevaluatedItems', 'unevaluatedProperties'],
]
export const LIST_KEYWORDS = ['allOf', 'anyOf', 'items', 'oneOf', 'prefixItems']
export const MAP_KEYWORDS = [
  ...['$defs', 'definitions', 'dependencies', 'dependentSchemas', 'patternProperties', 'properties'],
]

/** Adds our own keywords to every subschema, including those that only a `$ref` leads to. */
function instrument(root: Record<string, unknown>): void {
  const done = new Set<unknown>()
  const visit = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema) || done.has(schema)) return
    done.add(schema)
    const fields = schema as Record<string, unknown>
    for (const name of SCHEMA_KEYWORDS) visit(fields[name])
    for (const name of LIST_KEYWORDS) for (const one of listOf(fields[name])) visit(one)
    for (const name of MAP_KEYWORDS) for (const one of valuesOf(fields[name])) visit(one)
    for (const name of ['$ref', '$dynamicRef'])
      if (typeof fields[name] === 'string') visit(resolvePointer(root, fields[name] as string))
    const patterns = valuesOf(fields.patternProperties).length
    if (patterns > 0) fields[Keyword.keys] = patterns
    if (fields.pattern !== undefined || fields.format !== undefined) fields[Keyword.text] = true
    fields[Keyword.evaluation] = true
  }
  visit(root)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function valuesOf(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.values(value) : []
}

/** Resolves a reference such as `#/a/b`. Other references lead to places that `instrument` visits anyway. */
function resolvePointer(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  let place = root
  for (const step of reference.slice(2).split('/')) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof place !== 'object' || place === null) return undefined
    place = (place as Record<string, unknown>)[name]
  }
  return place
}
