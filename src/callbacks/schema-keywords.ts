// Finds unknown keywords and formats in a JSON Schema. ajv and the specification ignore them, so a misspelled one would check
// nothing. Owns the lists of known ones; keywords that begin with `x-` are the user's own.
import { didYouMean } from '../shared/close-names.js'
import { InvalidOptionError } from '../shared/errors.js'
import { LIST_KEYWORDS, MAP_KEYWORDS, SCHEMA_KEYWORDS } from './bounded-ajv.js'
import { FORMATS } from './formats.js'

/** Keywords of JSON Schema 2020-12, keywords that earlier drafts name differently, and OpenAPI's additions. */
const KEYWORDS: ReadonlySet<string> = new Set([
  ...SCHEMA_KEYWORDS,
  ...LIST_KEYWORDS,
  ...MAP_KEYWORDS,
  ...['$schema', '$id', 'id', '$anchor', '$ref', '$dynamicRef', '$dynamicAnchor', '$vocabulary', '$comment'],
  ...[
    '$recursiveRef',
    '$recursiveAnchor',
    'type',
    'enum',
    'const',
    'format',
    'default',
    'title',
    'description',
  ],
  ...['multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength', 'minLength'],
  ...['pattern', 'maxItems', 'minItems', 'uniqueItems', 'maxContains', 'minContains', 'maxProperties'],
  ...['minProperties', 'required', 'dependentRequired', 'deprecated', 'readOnly', 'writeOnly', 'examples'],
  ...['contentEncoding', 'contentMediaType', 'nullable', 'discriminator', 'example', 'externalDocs', 'xml'],
])

/**
 * @param option - path of the schema
 * @throws InvalidOptionError that names the path of the keyword
 */
export function requireKnownKeywords(option: string, schema: Readonly<Record<string, unknown>>): void {
  const todo: { readonly path: string; readonly value: unknown }[] = [{ path: option, value: schema }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { path, value } = next
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
    for (const [keyword, part] of Object.entries(value)) {
      requireKeyword(path, keyword)
      const at = `${path}.${keyword}`
      if (keyword === 'format') requireFormat(at, part)
      if (SCHEMA_KEYWORDS.includes(keyword)) todo.push({ path: at, value: part })
      if (LIST_KEYWORDS.includes(keyword) && Array.isArray(part))
        for (const [i, one] of part.entries()) todo.push({ path: `${at}[${i}]`, value: one })
      if (MAP_KEYWORDS.includes(keyword) && typeof part === 'object' && part !== null)
        for (const [name, one] of Object.entries(part)) todo.push({ path: `${at}.${name}`, value: one })
    }
  }
}

function requireKeyword(path: string, keyword: string): void {
  if (KEYWORDS.has(keyword) || keyword.startsWith('x-')) return
  const shown = keyword.slice(0, 60)
  const message = `${path}: unknown JSON Schema keyword ${JSON.stringify(shown)}${didYouMean(shown, KEYWORDS)}; names of your own begin with x-`
  throw new InvalidOptionError(`${path}.${shown}`, 'a keyword of JSON Schema 2020-12', keyword, message)
}

function requireFormat(path: string, format: unknown): void {
  if (typeof format === 'string' && FORMATS.has(format)) return
  const known = [...FORMATS.keys()]
  const meant = typeof format === 'string' ? didYouMean(format, known) : ''
  const shown = typeof format === 'string' ? JSON.stringify(format.slice(0, 60)) : typeof format
  const message = `${path}: unknown format ${shown}; known: ${known.join(', ')}${meant}`
  throw new InvalidOptionError(path, `one of ${known.join(', ')}`, format, message)
}
