// Versions of Python packages, as defined by PEP 440. Owns parsing, ordering and the canonical text; specifiers.ts owns which versions a
// requirement accepts.

/** A number that may exceed 2 ** 53, such as a date with a time. JavaScript compares numbers and BigInts exactly. */
type Count = number | bigint

export interface Version {
  /** The version as written. */
  readonly text: string
  readonly epoch: Count
  /** Numbers of the release, without trailing zeros. `length` is the count of numbers as written. */
  readonly release: readonly Count[]
  readonly length: number
  readonly pre: { readonly letter: 'a' | 'b' | 'rc'; readonly number: Count } | undefined
  readonly post: Count | undefined
  readonly dev: Count | undefined
  readonly local: readonly (Count | string)[] | undefined
}

/** Longest text of a version. */
const MAX_LENGTH = 300

/** The grammar of appendix B, in the order: epoch, release, pre-release, post-release, development release, local version. */
const PRE = `[-_.]?(?<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?<preNumber>[0-9]*)`
const POST = `-(?<implicitPost>[0-9]+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>[0-9]*)`
const DEV = `[-_.]?(?<dev>dev)[-_.]?(?<devNumber>[0-9]*)`
const LOCAL = String.raw`\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*)`
const PATTERN = new RegExp(
  String.raw`^v?(?:(?<epoch>[0-9]+)!)?(?<release>[0-9]+(?:\.[0-9]+)*)(?:${PRE})?(?:${POST})?(?:${DEV})?(?:${LOCAL})?$`,
  'i',
)

const PRE_LETTERS: Readonly<Record<string, 'a' | 'b' | 'rc'>> = {
  a: 'a',
  alpha: 'a',
  b: 'b',
  beta: 'b',
  c: 'rc',
  pre: 'rc',
  preview: 'rc',
  rc: 'rc',
}

/** Returns undefined if the text is not a version. */
export function parseVersion(text: string): Version | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const groups = PATTERN.exec(text.trim())?.groups
  if (groups === undefined) return undefined
  const numbers = (groups.release ?? '').split('.').map(count)
  const letter = groups.pre === undefined ? undefined : PRE_LETTERS[groups.pre.toLowerCase()]
  const post = groups.implicitPost ?? (groups.post === undefined ? undefined : groups.postNumber || undefined)
  return {
    text: text.trim(),
    epoch: count(groups.epoch ?? '0'),
    release: withoutTrailingZeros(numbers),
    length: numbers.length,
    pre: letter && { letter, number: count(groups.preNumber || '0') },
    post: post === undefined && groups.post === undefined ? undefined : count(post ?? '0'),
    dev: groups.dev === undefined ? undefined : count(groups.devNumber || '0'),
    local: groups.local
      ?.toLowerCase()
      .split(/[-_.]/)
      .map((part) => (/^[0-9]+$/.test(part) ? count(part) : part)),
  }
}

export function isPrerelease({ pre, dev }: Version): boolean {
  return pre !== undefined || dev !== undefined
}

/** The canonical text, such as `1!2.0rc1.post2.dev3+local.4`. Keeps trailing zeros of the release. */
export function canonicalVersion(version: Version): string {
  const { epoch, release, length, pre, post, dev, local } = version
  const zeros = Array<Count>(Math.max(0, length - release.length)).fill(0)
  return [
    Number(epoch) === 0 ? '' : `${epoch}!`,
    [...release, ...zeros].join('.'),
    pre ? `${pre.letter}${pre.number}` : '',
    post === undefined ? '' : `.post${post}`,
    dev === undefined ? '' : `.dev${dev}`,
    local === undefined ? '' : `+${local.join('.')}`,
  ].join('')
}

/** Negative, zero or positive, in the order of PEP 440. */
export function compareVersions(a: Version, b: Version): number {
  return (
    compareCounts(a.epoch, b.epoch) ||
    compareLists(a.release, b.release) ||
    comparePre(a, b) ||
    // A version without a post part precedes all post-releases; one without a dev part follows all development releases.
    compareOptional(a.post, b.post, -1) ||
    compareOptional(a.dev, b.dev, 1) ||
    compareLocal(a.local, b.local)
  )
}

/** The version without its local part. */
export function publicVersion(version: Version): Version {
  return version.local === undefined ? version : { ...version, local: undefined }
}

/** 1.0.dev1 < 1.0a1.dev1 < 1.0a1 < 1.0: a development release of the final version precedes all pre-releases. */
function comparePre(a: Version, b: Version): number {
  const [rankA, rankB] = [preRank(a), preRank(b)]
  if (rankA !== rankB) return rankA - rankB
  return a.pre && b.pre ? compareCounts(a.pre.number, b.pre.number) : 0
}

function preRank({ pre, post, dev }: Version): number {
  if (pre) return { a: 1, b: 2, rc: 3 }[pre.letter]
  return post === undefined && dev !== undefined ? 0 : 4
}

function compareOptional(a: Count | undefined, b: Count | undefined, absent: 1 | -1): number {
  if (a === undefined) return b === undefined ? 0 : absent
  return b === undefined ? -absent : compareCounts(a, b)
}

/** Text parts precede numbers, and a version with a local part follows the one without. */
function compareLocal(a: Version['local'], b: Version['local']): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one = '', other = ''] = [a[i], b[i]]
    const order =
      typeof one === 'string' && typeof other === 'string'
        ? Number(one > other) - Number(one < other)
        : typeof one === 'string'
          ? -1
          : typeof other === 'string'
            ? 1
            : compareCounts(one, other)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareLists(a: readonly Count[], b: readonly Count[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = compareCounts(a[i] ?? 0, b[i] ?? 0)
    if (order !== 0) return order
  }
  return 0
}

export function compareCounts(a: Count, b: Count): number {
  return Number(a > b) - Number(a < b)
}

function withoutTrailingZeros(numbers: readonly Count[]): readonly Count[] {
  let { length } = numbers
  while (length > 1 && Number(numbers[length - 1]) === 0) length--
  return numbers.slice(0, length)
}

function count(digits: string): Count {
  return digits.length > 15 ? BigInt(digits) : Number(digits)
}
