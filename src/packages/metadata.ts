// A wheel's METADATA: name, version, dependencies. Owns parsing the text; the sources get it.
import { canonicalName } from './names.js'
import { parseRequirement, type Requirement } from './requirement.js'
import { RequirementSyntaxError } from './scanner.js'
import { parseSpecifiers, type Specifier } from './specifiers.js'

export interface Metadata {
  /** Canonical name. */
  readonly name: string
  readonly version: string
  readonly requires: readonly Requirement[]
  readonly requiresPython: readonly Specifier[]
  /** Canonical names of the extras that it offers. */
  readonly extras: readonly string[]
}

/** The text cannot be used. The message says why. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
}

/** A wheel's METADATA has a few kilobytes, or some hundred with a long description. */
export const MAX_METADATA_BYTES = 4 * 1024 * 1024
const MAX_REQUIREMENTS = 5_000

/** @throws MetadataError */
export function parseMetadata(text: string): Metadata {
  const fields = readFields(text)
  const [name = ''] = fields.get('name') ?? []
  const [version = ''] = fields.get('version') ?? []
  if (name === '' || version === '') throw new MetadataError('it has no name or no version')
  const requires = fields.get('requires-dist') ?? []
  if (requires.length > MAX_REQUIREMENTS)
    throw new MetadataError(`it has ${requires.length} requirements, more than ${MAX_REQUIREMENTS}`)
  return {
    name: canonicalName(name),
    version,
    requires: requires.map(readRequirement),
    requiresPython: readPython(fields.get('requires-python')?.[0] ?? ''),
    extras: (fields.get('provides-extra') ?? []).map(canonicalName),
  }
}

function readRequirement(text: string): Requirement {
  try {
    return parseRequirement(text)
  } catch (cause) {
    if (!(cause instanceof RequirementSyntaxError)) throw cause
    throw new MetadataError(
      `its requirement ${JSON.stringify(text.slice(0, 200))} cannot be read: ${cause.message}`,
    )
  }
}

/** Parses the headers, with names in lower case. As in e-mail, a line that starts with a space continues the one before it. */
function readFields(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  let values: string[] | undefined
  for (const line of text.split(/\r?\n/)) {
    // An empty line ends the headers. The description follows.
    if (line === '') break
    if (/^[ \t]/.test(line)) {
      values?.push(`${values.pop() ?? ''} ${line.trim()}`)
      continue
    }
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).toLowerCase()
    values = fields.get(name) ?? []
    fields.set(name, values)
    values.push(line.slice(colon + 1).trim())
  }
  return fields
}

/** Indexes and old packages have some that cannot be parsed. Like pip, accept any Python then. */
export function readPython(text: string): readonly Specifier[] {
  return parseSpecifiers(text) ?? []
}
