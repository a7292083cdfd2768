// Parses a TZ variable: the name of a zone of the IANA database, or a POSIX rule ("CET-1CEST,M3.5.0,M10.5.0/3"). Owns parsing only;
// workers/host/ owns calendars. Imports also call this on the stack of guest code, so it uses no regular expressions, which rules out the
// packages on npm. The zones' own tables come from Intl and, for Python's zoneinfo, from moment-timezone.

/** Most hours of an offset, and of the time of a change, which may extend over a week. */
const MAX_OFFSET_HOURS = 24
const MAX_CHANGE_HOURS = 167
/** Time of a change if a rule states none: two o'clock in the morning. */
const DEFAULT_CHANGE_SECONDS = 7200
/** The changes of a rule that states none, as in C libraries. */
const DEFAULT_CHANGES = 'M3.2.0,M11.1.0'
/** Longer than any zone needs. A snapshot stores up to this length. */
export const MAX_TIME_ZONE_LENGTH = 100

/** The day of the year on which the clocks change, and the time: seconds from that day's midnight, by the clocks before the change. */
export type ZoneChange =
  /** The `week`-th (5 is the last) `weekday` (0 is Sunday) of a month (1 to 12). */
  | {
      readonly on: 'weekday'
      readonly month: number
      readonly week: number
      readonly weekday: number
      readonly seconds: number
    }
  /** Day 1 to 365, where the 29th of February is never counted. */
  | { readonly on: 'julian'; readonly day: number; readonly seconds: number }
  /** Day 0 to 365. */
  | { readonly on: 'day'; readonly day: number; readonly seconds: number }

export interface ZoneTime {
  readonly name: string
  /** Seconds east of UTC. */
  readonly offset: number
}

export interface ZoneRule {
  readonly standard: ZoneTime
  readonly daylight: (ZoneTime & { readonly start: ZoneChange; readonly end: ZoneChange }) | undefined
}

export type NamedTimeZone =
  | { readonly kind: 'utc' }
  | { readonly kind: 'iana'; readonly name: string }
  | { readonly kind: 'rule'; readonly rule: ZoneRule }

/** Returns undefined if there is no such zone. An empty text means UTC. A colon before a name is ignored. */
export function timeZoneNamed(text: string): NamedTimeZone | undefined {
  if (text.length > MAX_TIME_ZONE_LENGTH) return undefined
  const name = text.startsWith(':') ? text.slice(1) : text
  if (name === '' || name === 'UTC' || name === 'Etc/UTC') return { kind: 'utc' }
  // Newer versions of Intl also accept "+01:00", which no C library does.
  if (isLetter(name.charCodeAt(0)) && isKnownToIntl(name)) return { kind: 'iana', name }
  const rule = new RuleReader(text).read()
  return rule && { kind: 'rule', rule }
}

function isKnownToIntl(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone }) !== undefined
  } catch {
    return false
  }
}

/** Parses a rule from left to right. A method returns undefined if the text is not what it expects. */
class RuleReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): ZoneRule | undefined {
    const standard = this.#time(undefined)
    if (standard === undefined) return undefined
    if (this.#isAtEnd) return { standard, daylight: undefined }
    const daylight = this.#time(standard.offset + 3600)
    if (daylight === undefined) return undefined
    const changes = this.#isAtEnd ? new RuleReader(`,${DEFAULT_CHANGES}`) : this
    const start = changes.#change()
    const end = changes.#change()
    if (start === undefined || end === undefined || !changes.#isAtEnd) return undefined
    return { standard, daylight: { ...daylight, start, end } }
  }

  get #isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** A name and its offset, which may be left out if there is a default. */
  #time(defaultOffset: number | undefined): ZoneTime | undefined {
    const name = this.#name()
    if (name === undefined) return undefined
    const next = this.#text[this.#at]
    if (defaultOffset !== undefined && (next === undefined || next === ',')) {
      return { name, offset: defaultOffset }
    }
    const west = this.#clock(MAX_OFFSET_HOURS)
    // Avoid -0, which tests and Object.is treat as a different number.
    return west === undefined ? undefined : { name, offset: 0 - west }
  }

  /** Three letters or more. Between angle brackets, digits, `+` and `-` are also allowed. */
  #name(): string | undefined {
    const isQuoted = this.#take('<')
    const from = this.#at
    for (; !this.#isAtEnd; this.#at++) {
      const code = this.#text.charCodeAt(this.#at)
      if (!isLetter(code) && !(isQuoted && (isDigit(code) || code === 0x2b || code === 0x2d))) break
    }
    const name = this.#text.slice(from, this.#at)
    if (name.length < 3 || (isQuoted && !this.#take('>'))) return undefined
    return name
  }

  /** Parses [+|-]hh[:mm[:ss]] to seconds. */
  #clock(maxHours: number): number | undefined {
    const sign = this.#take('-') ? -1 : 1
    if (sign === 1) this.#take('+')
    const hours = this.#number(maxHours)
    if (hours === undefined) return undefined
    let seconds = hours * 3600
    for (const unit of [60, 1]) {
      if (!this.#take(':')) break
      const part = this.#number(59)
      if (part === undefined) return undefined
      seconds += part * unit
    }
    return sign * seconds
  }

  #change(): ZoneChange | undefined {
    if (!this.#take(',')) return undefined
    const day = this.#day()
    if (day === undefined) return undefined
    const seconds = this.#take('/') ? this.#clock(MAX_CHANGE_HOURS) : DEFAULT_CHANGE_SECONDS
    return seconds === undefined ? undefined : ({ ...day, seconds } as ZoneChange)
  }

  #day():
    | { on: 'weekday'; month: number; week: number; weekday: number }
    | { on: 'julian' | 'day'; day: number }
    | undefined {
    if (this.#take('M')) {
      const month = this.#number(12)
      const week = this.#take('.') ? this.#number(5) : undefined
      const weekday = this.#take('.') ? this.#number(6) : undefined
      if (!month || !week || weekday === undefined) return undefined
      return { on: 'weekday', month, week, weekday }
    }
    const isJulian = this.#take('J')
    const day = this.#number(365)
    if (day === undefined || (isJulian && day === 0)) return undefined
    return { on: isJulian ? 'julian' : 'day', day }
  }

  #take(character: string): boolean {
    const is = this.#text[this.#at] === character
    if (is) this.#at++
    return is
  }

  #number(max: number): number | undefined {
    const from = this.#at
    let number = 0
    while (isDigit(this.#text.charCodeAt(this.#at)) && this.#at < from + 3) {
      number = number * 10 + this.#text.charCodeAt(this.#at++) - 0x30
    }
    return this.#at > from && number <= max ? number : undefined
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
}
