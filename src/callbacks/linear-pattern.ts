// Decides which regular expressions always run in linear time, so that guests' text can be matched without a time limit. Owns the
// analysis only, which is conservative: a pattern that it does not understand counts as slow.
//
// A backtracking matcher runs in linear time if it never has two ways to continue with the same character. Each character class of the
// pattern is a position. The classes that may follow a position must share no character, and each must be reachable in one way only.

/** Sets of characters as bits: one for each ASCII character, and one for all others together. */
type CharacterSet = bigint

const OTHERS = 128n
const ALL: CharacterSet = (1n << (OTHERS + 1n)) - 1n
const DIGITS = setOf('0-9')
const WORD = setOf('a-z', 'A-Z', '0-9', '_')
const SPACES = setOf('\t-\r', ' ')
const LINE_ENDS = setOf('\n', '\r')

/** Most character classes in a pattern, to limit the time of the analysis. A longer pattern counts as slow. */
const MAX_POSITIONS = 200
/** Most characters that an anchored pattern without repetition may read. */
const MAX_CHARACTERS_READ = 1024
/** The same for a pattern that is tried at each position of the text. */
const MAX_CHARACTERS_READ_UNANCHORED = 64

/** A part of a pattern. */
interface Part {
  /** Positions that the part can begin and end with. */
  readonly first: readonly number[]
  readonly last: readonly number[]
  /** The part matches the empty text. */
  readonly isNullable: boolean
  readonly maxLength: number
  /** Number of different ways through the part. */
  readonly ways: number
  /** Every way through the part begins with `^`. */
  readonly isAnchored: boolean
}

const EMPTY: Part = { first: [], last: [], isNullable: true, maxLength: 0, ways: 1, isAnchored: false }

/** Thrown for a pattern that may be slow. Never leaves this file. */
class MaybeSlow extends Error {}

/** @param pattern valid with the `u` flag */
export function isLinear(pattern: string): boolean {
  try {
    return new Analysis(pattern).isLinear()
  } catch (error) {
    if (error instanceof MaybeSlow) return false
    throw error
  }
}

class Analysis {
  readonly #pattern: string
  #at = 0
  readonly #sets: CharacterSet[] = []
  readonly #follow: number[][] = []
  /** Some part has two ways to match the empty text, or to repeat. */
  #isAmbiguous = false

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  isLinear(): boolean {
    const whole = this.#alternatives()
    if (this.#at < this.#pattern.length) throw new MaybeSlow()
    const read = whole.ways * whole.maxLength
    if (read <= (whole.isAnchored ? MAX_CHARACTERS_READ : MAX_CHARACTERS_READ_UNANCHORED)) return true
    const mayStartAnywhere = !whole.isAnchored && whole.maxLength > MAX_CHARACTERS_READ_UNANCHORED
    return !mayStartAnywhere && !this.#isAmbiguous && [whole.first, ...this.#follow].every(this.#areDisjoint)
  }

  readonly #areDisjoint = (positions: readonly number[]): boolean => {
    let seen = 0n
    for (const position of positions) {
      const set = this.#sets[position] ?? ALL
      if ((seen & set) !== 0n) return false
      seen |= set
    }
    return true
  }

  #alternatives(): Part {
    let whole = this.#sequence()
    while (this.#skip('|')) {
      const other = this.#sequence()
      if (whole.isNullable && other.isNullable) this.#isAmbiguous = true
      whole = {
        first: [...whole.first, ...other.first],
        last: [...whole.last, ...other.last],
        isNullable: whole.isNullable || other.isNullable,
        maxLength: Math.max(whole.maxLength, other.maxLength),
        ways: whole.ways + other.ways,
        isAnchored: whole.isAnchored && other.isAnchored,
      }
    }
    return whole
  }

  #sequence(): Part {
    let whole = EMPTY
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#pattern.charAt(this.#at))) {
      const next = this.#repeated()
      for (const position of whole.last) this.#follow[position]?.push(...next.first)
      whole = {
        first: whole.isNullable ? [...whole.first, ...next.first] : whole.first,
        last: next.isNullable ? [...whole.last, ...next.last] : next.last,
        isNullable: whole.isNullable && next.isNullable,
        maxLength: whole.maxLength + next.maxLength,
        ways: whole.ways * next.ways,
        isAnchored: whole.isAnchored || (whole === EMPTY && next.isAnchored),
      }
    }
    return whole
  }

  #repeated(): Part {
    const part = this.#atom()
    const bounds = this.#bounds()
    if (bounds === undefined) return part
    const [min, max] = bounds
    this.#skip('?')
    if (max === 0) throw new MaybeSlow()
    if (max > 1) {
      if (part.isNullable) this.#isAmbiguous = true
      // The analysis does not count repetitions: the part may repeat again, or end, at any time.
      for (const position of part.last) this.#follow[position]?.push(...part.first)
    }
    if (min === 0 && part.isNullable) this.#isAmbiguous = true
    return {
      ...part,
      isNullable: part.isNullable || min === 0,
      maxLength: part.maxLength * max,
      ways: waysToRepeat(part.ways, min, max),
      isAnchored: part.isAnchored && min > 0,
    }
  }

  /** Reads a quantifier, if one comes next. */
  #bounds(): readonly [min: number, max: number] | undefined {
    if (this.#skip('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.#skip('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.#skip('?')) return [0, 1]
    const counts = this.#match(/\{(\d+)(,?)(\d*)\}/y)
    if (counts === undefined) return undefined
    const min = Number(counts[1])
    if (counts[2] === '') return [min, min]
    return [min, counts[3] === '' ? Number.POSITIVE_INFINITY : Number(counts[3])]
  }

  #atom(): Part {
    if (this.#skip('^')) return { ...EMPTY, isAnchored: true }
    if (this.#skip('$') || this.#match(/\\[bB]/y)) return { ...EMPTY }
    if (this.#skip('(')) return this.#group()
    if (this.#skip('[')) return this.#position(this.#class())
    if (this.#skip('.')) return this.#position(ALL & ~LINE_ENDS)
    return this.#position(this.#character())
  }

  #group(): Part {
    // Lookaround and flags for a part of the pattern are not analysed.
    if (this.#match(/\?(?::|<\w+>)/y) === undefined && this.#pattern.charAt(this.#at) === '?')
      throw new MaybeSlow()
    const part = this.#alternatives()
    if (!this.#skip(')')) throw new MaybeSlow()
    return { ...part }
  }

  #class(): CharacterSet {
    const isNegated = this.#skip('^')
    let set = 0n
    while (!this.#skip(']')) {
      const low = this.#character()
      const isRange = this.#pattern.charAt(this.#at) === '-' && this.#pattern.charAt(this.#at + 1) !== ']'
      let members = low
      if (isRange) {
        this.#at += 1
        members = rangeOf(low, this.#character())
      }
      set |= members
    }
    if (!isNegated) return set
    // The set may contain some of the other characters, so its complement may contain the rest.
    return (ALL & ~set) | (1n << OTHERS)
  }

  /** One character, or an escape for several. */
  #character(): CharacterSet {
    const escaped = this.#match(
      /\\(?:([dDwWsS])|[pP]\{[^}]*\}|u\{([\da-fA-F]+)\}|u([\da-fA-F]{4})|x([\da-fA-F]{2})|c[A-Za-z]|([1-9k])|(.))/uy,
    )
    if (escaped === undefined) {
      const character = this.#match(/./suy)
      if (character === undefined) throw new MaybeSlow()
      return single(character[0].codePointAt(0) ?? 0)
    }
    const [, kind, braced, unit, byte, reference, letter] = escaped
    if (reference !== undefined) throw new MaybeSlow()
    if (kind !== undefined) return kindOf(kind)
    const code = braced ?? unit ?? byte
    if (code !== undefined) return single(Number.parseInt(code, 16))
    if (letter === undefined) return ALL
    const control = { n: 10, r: 13, t: 9, v: 11, f: 12, b: 8, 0: 0 }[letter]
    return single(control ?? letter.codePointAt(0) ?? 0)
  }

  #position(set: CharacterSet): Part {
    const position = this.#sets.length
    if (position === MAX_POSITIONS) throw new MaybeSlow()
    this.#sets.push(set)
    this.#follow.push([])
    const places = [position]
    return { first: places, last: places, isNullable: false, maxLength: 1, ways: 1, isAnchored: false }
  }

  #skip(character: string): boolean {
    if (this.#pattern.charAt(this.#at) !== character) return false
    this.#at += 1
    return true
  }

  /** `expression` is sticky. */
  #match(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at
    const match = expression.exec(this.#pattern)
    if (match === null) return undefined
    this.#at += match[0].length
    return match
  }
}

function waysToRepeat(ways: number, min: number, max: number): number {
  // Any number above the bounds will do, because the product is only compared with them.
  if (max > MAX_CHARACTERS_READ) return Number.POSITIVE_INFINITY
  let all = 0
  for (let times = min; times <= max; times++) all += ways ** times
  return all
}

function single(code: number): CharacterSet {
  return 1n << (code < Number(OTHERS) ? BigInt(code) : OTHERS)
}

/** The range between two characters. Either may be `OTHERS`, or a class escape, which stands for several characters. */
function rangeOf(low: CharacterSet, high: CharacterSet): CharacterSet {
  // From the lowest bit of `low` to the highest of `high`.
  const from = low & -low
  let to = from
  while (to <= high) to <<= 1n
  return (to - from) & ALL
}

function kindOf(letter: string): CharacterSet {
  switch (letter) {
    case 'd':
      return DIGITS
    case 'w':
      return WORD
    case 's':
      return SPACES | (1n << OTHERS)
    case 'D':
      return ALL & ~DIGITS
    case 'W':
      return ALL & ~WORD
    default:
      return ALL & ~SPACES
  }
}

function setOf(...ranges: string[]): CharacterSet {
  let set = 0n
  for (const range of ranges)
    set |= rangeOf(single(range.charCodeAt(0)), single(range.charCodeAt(range.length - 1)))
  return set
}
