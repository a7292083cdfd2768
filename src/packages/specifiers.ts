// Version specifiers of PEP 440, such as `>=1.2,<2`. Owns parsing them, and which versions they accept; version.ts owns versions.
import {
  compareCounts,
  compareVersions,
  isPrerelease,
  parseVersion,
  publicVersion,
  type Version,
} from './version.js'

type Operator = '~=' | '==' | '!=' | '<=' | '>=' | '<' | '>' | '==='

export interface Specifier {
  readonly operator: Operator
  /** As written, with a trailing `.*` if there was one. */
  readonly text: string
  /** Undefined only for `===` with a text that is not a version. */
  readonly version: Version | undefined
  /** Whether `.*` follows: any version that starts with this release. */
  readonly isPrefix: boolean
}

/** Longest first: `===` starts with `==`. */
const PATTERN = /^(?<operator>===|~=|==|!=|<=|>=|<|>)\s*(?<text>[^\s,;()]+)$/

/** Returns undefined if the text is not a list of specifiers. An empty text accepts every version. */
export function parseSpecifiers(text: string): readonly Specifier[] | undefined {
  const parts = text.split(',').map((part) => part.trim())
  const found: Specifier[] = []
  for (const part of parts) {
    // A trailing comma is allowed.
    if (part === '') continue
    const specifier = parseSpecifier(part)
    if (specifier === undefined) return undefined
    found.push(specifier)
  }
  return found
}

function parseSpecifier(part: string): Specifier | undefined {
  const groups = PATTERN.exec(part)?.groups
  if (groups === undefined) return undefined
  const operator = groups.operator as Operator
  const text = groups.text ?? ''
  if (operator === '===') return { operator, text, version: parseVersion(text), isPrefix: false }
  const isEquality = operator === '==' || operator === '!='
  const isPrefix = text.endsWith('.*')
  if (isPrefix && !isEquality) return undefined
  const version = parseVersion(isPrefix ? text.slice(0, -2) : text)
  if (version === undefined) return undefined
  if (version.local && (!isEquality || isPrefix)) return undefined
  if (isPrefix && (version.pre || version.post !== undefined || version.dev !== undefined)) return undefined
  if (operator === '~=' && version.length < 2) return undefined
  return { operator, text, version, isPrefix }
}

/** The specifiers as text, in the order given: `>=1.2,<2`. */
export function specifiersText(specifiers: readonly Specifier[]): string {
  return specifiers.map(({ operator, text }) => `${operator}${text}`).join(',')
}

/** Whether all specifiers accept the version, which may be a pre-release. `acceptsPrereleases` tells whether to allow those. */
export function accepts(specifiers: readonly Specifier[], version: Version): boolean {
  return specifiers.every((specifier) => acceptsOne(specifier, version))
}

/** Whether one of the specifiers names a pre-release, which means that pre-releases are allowed. */
export function acceptsPrereleases(specifiers: readonly Specifier[]): boolean {
  return specifiers.some(
    ({ operator, version }) => operator !== '!=' && version !== undefined && isPrerelease(version),
  )
}

/** Whether the specifiers allow only one version. Such a requirement may get a yanked file (PEP 592). */
export function isPinned(specifiers: readonly Specifier[]): boolean {
  return specifiers.some(({ operator, isPrefix }) => operator === '===' || (operator === '==' && !isPrefix))
}

function acceptsOne({ operator, text, version: wanted, isPrefix }: Specifier, version: Version): boolean {
  if (operator === '===' || wanted === undefined) return version.text.toLowerCase() === text.toLowerCase()
  switch (operator) {
    case '==':
      return equals(wanted, isPrefix, version)
    case '!=':
      return !equals(wanted, isPrefix, version)
    case '~=':
      return (
        compareVersions(publicVersion(version), wanted) >= 0 && hasPrefix(version, wanted, wanted.length - 1)
      )
    case '<=':
      return compareVersions(publicVersion(version), wanted) <= 0
    case '>=':
      return compareVersions(publicVersion(version), wanted) >= 0
    case '<':
      return isBefore(version, wanted)
    case '>':
      return isAfter(version, wanted)
  }
}

/** `==1.0` accepts `1.0+local`: the local part is compared only if the specifier has one. */
function equals(wanted: Version, isPrefix: boolean, version: Version): boolean {
  if (isPrefix) return hasPrefix(version, wanted, wanted.length)
  return compareVersions(wanted.local ? version : publicVersion(version), wanted) === 0
}

/** Whether the first `length` numbers of the releases are the same. Missing ones count as zero. */
function hasPrefix(version: Version, wanted: Version, length: number): boolean {
  if (compareCounts(version.epoch, wanted.epoch) !== 0) return false
  for (let i = 0; i < length; i++)
    if (compareCounts(version.release[i] ?? 0, wanted.release[i] ?? 0) !== 0) return false
  return true
}

/** `<2.0` does not accept 2.0rc1, unless it names a pre-release itself. */
function isBefore(version: Version, wanted: Version): boolean {
  if (compareVersions(version, wanted) >= 0) return false
  if (isPrerelease(wanted) || !isPrerelease(version)) return true
  const earliest = { ...wanted, dev: 0, local: undefined }
  return compareVersions(version, earliest) < 0
}

/** `>1.0` does not accept 1.0.post1 or 1.0+local, unless it names a post-release itself. */
function isAfter(version: Version, wanted: Version): boolean {
  if (compareVersions(version, wanted) <= 0) return false
  const isPostOfWanted =
    wanted.post === undefined &&
    version.post !== undefined &&
    compareVersions({ ...version, post: undefined, dev: undefined, local: undefined }, wanted) === 0
  const isLocalOfWanted = version.local !== undefined && compareVersions(publicVersion(version), wanted) === 0
  return !isPostOfWanted && !isLocalOfWanted
}
