// Callbacks as Python signatures with docstrings, for a prompt. Owns the conversion of JSON Schemas to annotations, and of text to valid
// Python.

import { isKeyword } from '../shared/python-keywords.js'
import type { ResolvedCallbacks } from './callbacks.js'
import type { JsonSchema } from './schema.js'

/** Most levels of nesting and of references to `$defs`. A type beyond them is `Any`. */
const MAX_DEPTH = 6

const TYPES: Readonly<Record<string, string>> = {
  string: 'str',
  integer: 'int',
  number: 'float',
  boolean: 'bool',
  null: 'None',
}

/** One `async def` for each callback, in the order in which they were given. */
export function toolStubs(callbacks: ResolvedCallbacks): string {
  return [...callbacks.values()]
    .map(({ name, description, parameters }) => toolStub(name, description, parameters.schema))
    .join('\n\n')
}

interface Parameter {
  readonly name: string
  readonly schema: unknown
  readonly isRequired: boolean
}

/** The `async def` of one callback. */
export function toolStub(name: string, description: string, schema: JsonSchema | undefined): string {
  const properties = Object.entries(record(schema?.properties))
  const required = new Set(list(schema?.required))
  const parameters = properties
    .filter(([key]) => isIdentifier(key))
    .map(([key, part]) => ({ name: key, schema: part, isRequired: required.has(key) }))
  const takesOthers = properties.length === 0 || parameters.length < properties.length
  const signature = [
    ...signatureOf(parameters, schema),
    ...(takesOthers || isOpen(schema?.additionalProperties) ? ['**arguments: Any'] : []),
  ]
  const head = `async def ${name}(${signature.join(', ')}) -> Any:`
  const doc = docstring(description, parameters)
  return doc === undefined ? `${head}\n    ...\n` : `${head}\n${doc}\n`
}

/**
 * The parameters as the kernel accepts them: in the schema's order, by position or by name. An optional one shows its default, or `...`
 * if that is unknown.
 */
function signatureOf(parameters: readonly Parameter[], root: JsonSchema | undefined): string[] {
  const parts: string[] = []
  const lastRequired = parameters.findLastIndex(({ isRequired }) => isRequired)
  let isByNameOnly = false
  for (const [i, { name, schema, isRequired }] of parameters.entries()) {
    // Python allows no parameter without a default after one with a default.
    if (!isRequired && i < lastRequired && !isByNameOnly) {
      parts.push('*')
      isByNameOnly = true
    }
    const preset = record(schema).default
    const suffix = isRequired ? '' : ` = ${preset === undefined ? '...' : literal(preset)}`
    parts.push(`${name}: ${typeOf(schema, root, 0)}${suffix}`)
  }
  return parts
}

function typeOf(schema: unknown, root: JsonSchema | undefined, depth: number): string {
  const fields = record(schema)
  if (depth > MAX_DEPTH) return 'Any'
  const inner = (part: unknown) => typeOf(part, root, depth + 1)
  if (typeof fields.$ref === 'string') return inner(definitionOf(fields.$ref, root))
  if ('const' in fields) return literalType([fields.const])
  if (Array.isArray(fields.enum)) return literalType(fields.enum)
  const choices = list(fields.anyOf ?? fields.oneOf)
  if (choices.length > 0) return union(choices.map(inner))
  const types = Array.isArray(fields.type) ? fields.type : [fields.type]
  const names = types.map((type) => {
    if (type === 'array') return arrayType(fields, inner)
    if (type === 'object') return objectType(fields, inner)
    return (typeof type === 'string' && TYPES[type]) || 'Any'
  })
  return union(fields.nullable === true ? [...names, 'None'] : names)
}

function arrayType(fields: JsonSchema, inner: (part: unknown) => string): string {
  const items = fields.items === undefined ? 'Any' : inner(fields.items)
  return items === 'Any' ? 'list' : `list[${items}]`
}

function objectType(fields: JsonSchema, inner: (part: unknown) => string): string {
  const members = Object.entries(record(fields.properties))
  if (members.length > 0) {
    const required = new Set(list(fields.required))
    const parts = members.map(([key, part]) => `${key}${required.has(key) ? '' : '?'}: ${inner(part)}`)
    // Python has no inline type for this. Readers of the prompt understand the text, and Python accepts any text here.
    return `Annotated[dict, ${JSON.stringify(`{${parts.join(', ')}}`)}]`
  }
  const values = typeof fields.additionalProperties === 'object' ? inner(fields.additionalProperties) : 'Any'
  return values === 'Any' ? 'dict' : `dict[str, ${values}]`
}

function union(types: readonly string[]): string {
  const different = [...new Set(types)]
  return different.includes('Any') ? 'Any' : different.join(' | ')
}

function literalType(values: readonly unknown[]): string {
  const isPlain = values.every(
    (value) => value === null || ['string', 'boolean'].includes(typeof value) || Number.isSafeInteger(value),
  )
  return isPlain && values.length > 0 ? `Literal[${values.map(literal).join(', ')}]` : 'Any'
}

function definitionOf(reference: string, root: JsonSchema | undefined): unknown {
  const [, place, name = ''] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference) ?? []
  return place === undefined ? undefined : record(root?.[place])[name]
}

/** A JSON value as a Python literal. */
function literal(value: unknown): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, part]) => `${literal(key)}: ${literal(part)}`)
      .join(', ')}}`
  return JSON.stringify(value)
}

/** The description of the callback and those of its parameters. Undefined if there are none. */
function docstring(description: string, parameters: readonly Parameter[]): string | undefined {
  const notes = parameters.flatMap(({ name, schema }) => {
    const { description: note } = record(schema)
    return typeof note === 'string' && note.trim() !== ''
      ? [`${name}: ${note.trim().replace(/\s+/g, ' ')}`]
      : []
  })
  const lines = [
    ...description.trim().split(/\r\n|\r|\n/),
    ...(description.trim() !== '' && notes.length > 0 ? ['', 'Args:'] : []),
    ...notes.map((note) => (description.trim() === '' ? note : `    ${note}`)),
  ].filter((line, i) => i > 0 || line !== '')
  if (lines.length === 0) return undefined
  const indented = lines
    .map((line) => (line === '' ? '' : `    ${escaped(line)}`))
    .join('\n')
    .trimStart()
  return lines.length === 1 ? `    """${indented}"""` : `    """${indented}\n    """`
}

/** Escapes a line for a string in triple quotes. */
function escaped(line: string): string {
  return line
    .replaceAll('\\', '\\\\')
    .replaceAll('"""', '\\"\\"\\"')
    .replace(/"$/, '\\"')
    .replace(/\p{Cc}/gu, ' ')
    .toWellFormed()
}

const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u

function isIdentifier(name: string): boolean {
  return IDENTIFIER.test(name) && !isKeyword(name)
}

function isOpen(additional: unknown): boolean {
  return additional === true || (typeof additional === 'object' && additional !== null)
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
