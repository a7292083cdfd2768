// Requirements of PEP 508, such as `requests[socks]>=2.8; python_version < "4"`. Owns parsing them; requirements-file.ts owns files
// of requirements.
import { evaluateMarker, type Marker, type MarkerEnvironment, parseMarker } from './markers.js'
import { canonicalName, NAME } from './names.js'
import { RequirementSyntaxError, Scanner } from './scanner.js'
import { parseSpecifiers, type Specifier, specifiersText } from './specifiers.js'

export interface Requirement {
  /** Canonical name. */
  readonly name: string
  /** Canonical names, sorted, without duplicates. */
  readonly extras: readonly string[]
  readonly specifiers: readonly Specifier[]
  /** Address of the package, as in `name @ https://…`. */
  readonly url: string | undefined
  readonly marker: Marker | undefined
}

/** Longest text of a requirement. */
const MAX_LENGTH = 20_000
const SPECIFIERS = /[^;()]*/y
const URL_TEXT = /[^ \t]+/y

/** @throws RequirementSyntaxError */
export function parseRequirement(text: string): Requirement {
  if (text.length > MAX_LENGTH) throw new RequirementSyntaxError(`it is longer than ${MAX_LENGTH} characters`)
  const scanner = new Scanner(text)
  const name = canonicalName(scanner.take(NAME) ?? scanner.fail('the name of a package'))
  const extras = parseExtras(scanner)
  const url = scanner.skip('@') ? (scanner.take(URL_TEXT) ?? scanner.fail('a URL')) : undefined
  const specifiers = url === undefined ? parseVersions(scanner) : []
  const marker = scanner.skip(';') ? parseMarker(scanner) : undefined
  if (!scanner.isAtEnd) scanner.fail('the end of the requirement')
  return { name, extras, specifiers, url, marker }
}

function parseExtras(scanner: Scanner): string[] {
  if (!scanner.skip('[')) return []
  const extras = new Set<string>()
  if (scanner.skip(']')) return []
  do extras.add(canonicalName(scanner.take(NAME) ?? scanner.fail('the name of an extra')))
  while (scanner.skip(','))
  if (!scanner.skip(']')) scanner.fail('"," or "]"')
  return [...extras].sort()
}

function parseVersions(scanner: Scanner): readonly Specifier[] {
  const isEnclosed = scanner.skip('(')
  const text = (scanner.take(SPECIFIERS) ?? '').trim()
  const specifiers = /^,|,\s*,/.test(text) ? undefined : parseSpecifiers(text)
  if (specifiers === undefined)
    throw new RequirementSyntaxError(`expected versions such as ">=1.2,<2", found ${JSON.stringify(text)}`)
  if (isEnclosed && !scanner.skip(')')) scanner.fail('")"')
  return specifiers
}

/** Whether the requirement applies in this environment, for a package that is required with this extra (empty: none). */
export function applies({ marker }: Requirement, environment: MarkerEnvironment, extra = ''): boolean {
  return marker === undefined || evaluateMarker(marker, environment, extra)
}

/** Text such as `name[extra]>=1.2`, without the marker. */
export function requirementText({ name, extras, specifiers, url }: Requirement): string {
  const shownExtras = extras.length > 0 ? `[${extras.join(',')}]` : ''
  return `${name}${shownExtras}${url === undefined ? specifiersText(specifiers) : ` @ ${url}`}`
}
