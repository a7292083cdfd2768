// Converts seconds to struct tm and back, in UTC or in the session's time zone. Owns the offsets of one zone, which come from Intl or from
// a rule (rule-zone.ts). Python's zoneinfo files are not read here. Imports run on whatever stack guest code has left, so all Intl objects
// are created when a zone is chosen, and no regular expression is used.
import { timeZoneNamed } from '../../src/shared/time-zone.js'
import { TM, ZONE_NAME_BYTES } from './abi.js'
import type { BoundExports } from './bound-exports.js'
import { type CivilDate, civilFromDays, daysFromCivil, SECONDS_PER_DAY } from './calendar.js'
import type { ImportFunction } from './guard.js'
import type { GuestMemory } from './guest-memory.js'
import { RuleZone } from './rule-zone.js'

/** The largest time that Date and Intl can represent, in seconds. */
const LARGEST_SECONDS = 8_640_000_000_000
/** Offsets change only on quarter hours. */
const CACHE_SECONDS = 900

/** Each locale knows the abbreviations of its part of the world. */
const NAME_LOCALES = ['en-US', 'en-GB', 'en-AU']

/** Three to five capital letters, not an offset such as "GMT+2". */
function isAbbreviation(name: string): boolean {
  if (name.length < 3 || name.length > 5) return false
  for (let at = 0; at < name.length; at++) {
    if (name.charCodeAt(at) < 0x41 || name.charCodeAt(at) > 0x5a) return false
  }
  return true
}

export class TimeZone {
  /** Undefined if the zone is a name. */
  readonly #rule: RuleZone | undefined
  /** Undefined for UTC, and for rules. */
  readonly #format: Intl.DateTimeFormat | undefined
  #cachedFrom = Number.NaN
  #cachedOffset = 0
  #cachedYear = Number.NaN
  #cachedYearOffsets = { standard: 0, daylight: 0 }
  readonly #nameFormats: readonly Intl.DateTimeFormat[] = []
  #cachedName = { year: Number.NaN, offset: 0, name: '' }

  /**
   * @param text - in the format of the environment variable TZ
   * @throws RangeError if there is no such zone
   */
  constructor(text = 'UTC') {
    const named = timeZoneNamed(text)
    if (named === undefined) throw new RangeError(`there is no time zone ${text}`)
    if (named.kind === 'rule') this.#rule = new RuleZone(named.rule)
    if (named.kind !== 'iana') return
    const zone = named.name
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    this.#nameFormats = NAME_LOCALES.map(
      (locale) => new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short' }),
    )
    // Intl creates some objects at a formatter's first use. Use each once, so that this happens now.
    for (const format of [this.#format, ...this.#nameFormats]) format.formatToParts(0)
  }

  /** Seconds east of UTC at `seconds` since 1970. */
  offsetAt(seconds: number): number {
    if (this.#rule !== undefined) return this.#rule.at(seconds).offset
    if (this.#format === undefined || !(Math.abs(seconds) <= LARGEST_SECONDS)) return 0
    const from = Math.floor(seconds / CACHE_SECONDS) * CACHE_SECONDS
    if (from !== this.#cachedFrom) {
      this.#cachedOffset = this.#lookUp(this.#format, from)
      this.#cachedFrom = from
    }
    return this.#cachedOffset
  }

  /** Offsets on January 1 and July 1. If they differ, the larger is daylight saving time. */
  yearOffsets(year: number): { readonly standard: number; readonly daylight: number } {
    if (this.#rule !== undefined) return this.#rule.offsets
    if (year !== this.#cachedYear) {
      const january = this.offsetAt(daysFromCivil(year, 0, 1) * SECONDS_PER_DAY)
      const july = this.offsetAt(daysFromCivil(year, 6, 1) * SECONDS_PER_DAY)
      this.#cachedYearOffsets = { standard: Math.min(january, july), daylight: Math.max(january, july) }
      this.#cachedYear = year
    }
    return this.#cachedYearOffsets
  }

  isDaylight(seconds: number, year: number): boolean {
    if (this.#rule !== undefined) return this.#rule.isDaylight(seconds)
    if (this.#format === undefined) return false
    const { standard, daylight } = this.yearOffsets(year)
    return standard !== daylight && this.offsetAt(seconds) === daylight
  }

  /** The zone's name at a time: an abbreviation if there is one, else its offset, as in the IANA database. */
  nameAt(seconds: number): string {
    if (this.#rule !== undefined) return this.#rule.at(seconds).name
    if (this.#format === undefined) return 'UTC'
    for (const format of this.#nameFormats) {
      const name =
        format.formatToParts(seconds * 1000).find((part) => part.type === 'timeZoneName')?.value ?? ''
      if (isAbbreviation(name)) return name
    }
    const minutes = Math.round(Math.abs(this.offsetAt(seconds)) / 60)
    const digits = String(Math.floor(minutes / 60) * 100 + (minutes % 60)).padStart(4, '0')
    return `${this.offsetAt(seconds) < 0 ? '-' : '+'}${digits.endsWith('00') ? digits.slice(0, 2) : digits}`
  }

  /** Like `nameAt`, but cached, because C code needs the name for every local time. */
  nameIn(year: number, seconds: number, offset: number): string {
    if (this.#rule !== undefined) return this.#rule.at(seconds).name
    if (this.#format === undefined || !(Math.abs(seconds) <= LARGEST_SECONDS)) return 'UTC'
    const cached = this.#cachedName
    if (cached.year === year && cached.offset === offset) return cached.name
    this.#cachedName = { year, offset, name: this.nameAt(seconds) }
    return this.#cachedName.name
  }

  #lookUp(format: Intl.DateTimeFormat, seconds: number): number {
    const fields = new Map(format.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]))
    const field = (type: Intl.DateTimeFormatPartTypes): number => Number(fields.get(type))
    // Years before year 1 count backwards from its start (1 BC, 2 BC …).
    const year = fields.get('era')?.startsWith('B') ? 1 - field('year') : field('year')
    const days = daysFromCivil(year, field('month') - 1, field('day'))
    const local = days * SECONDS_PER_DAY + field('hour') * 3600 + field('minute') * 60 + field('second')
    return Number.isFinite(local) ? local - seconds : 0
  }
}

export interface ZoneContext {
  readonly memory: GuestMemory
  readonly zone: TimeZone
  readonly exports: Pick<BoundExports, 'tzname'> | undefined
}

export function timeZoneImports(context: ZoneContext): Readonly<Record<string, ImportFunction>> {
  const { memory } = context

  /** Writes the fields of a local time that is `offset` seconds east of UTC. */
  const writeTm = (pointer: number, seconds: number, offset: number): CivilDate => {
    const at = memory.range(pointer, TM.BYTES)
    const local = seconds + offset
    const days = Math.floor(local / SECONDS_PER_DAY)
    const ofDay = local - days * SECONDS_PER_DAY
    const date = civilFromDays(days)
    memory.setU32(at + TM.sec, ofDay % 60)
    memory.setU32(at + TM.min, Math.floor(ofDay / 60) % 60)
    memory.setU32(at + TM.hour, Math.floor(ofDay / 3600))
    memory.setU32(at + TM.mday, date.day)
    memory.setU32(at + TM.mon, date.month)
    memory.setU32(at + TM.year, date.year - 1900)
    memory.setU32(at + TM.wday, (((days + 4) % 7) + 7) % 7)
    memory.setU32(at + TM.yday, days - daysFromCivil(date.year, 0, 1))
    return date
  }
  /** Converts the fields to seconds, as if they were UTC. Any field may be out of its range. */
  const readTm = (pointer: number): number => {
    const at = memory.range(pointer, TM.BYTES)
    const days = daysFromCivil(
      memory.i32(at + TM.year) + 1900,
      memory.i32(at + TM.mon),
      memory.i32(at + TM.mday),
    )
    const ofDay = memory.i32(at + TM.hour) * 3600 + memory.i32(at + TM.min) * 60 + memory.i32(at + TM.sec)
    return days * SECONDS_PER_DAY + ofDay
  }

  /** Writes the fields that only local time has. */
  const writeZone = (pointer: number, seconds: number, offset: number, year: number): void => {
    const isDaylight = context.zone.isDaylight(seconds, year)
    memory.setU32(pointer + TM.isdst, isDaylight ? 1 : 0)
    memory.setU32(pointer + TM.gmtoff, offset)
    // C code sets tm_zone to `tzname[tm_isdst]` when this returns. It asks `_tzset_js` for the names only once, and has done
    // so when the image was built. So write the current name into that text.
    const names = context.exports?.tzname?.value
    if (names === undefined) return
    const text = memory.u32(names + (isDaylight ? 4 : 0))
    const at = memory.range(text, ZONE_NAME_BYTES)
    const name = `${context.zone.nameIn(year, seconds, offset).slice(0, ZONE_NAME_BYTES - 1)}\0`
    if (memory.bytes.toString('latin1', at, at + name.length) !== name) memory.setText(text, name)
  }

  return {
    _gmtime_js: (time: bigint, pointer: number) => {
      writeTm(pointer, Number(time), 0)
      memory.setU32(pointer + TM.isdst, 0)
      memory.setU32(pointer + TM.gmtoff, 0)
    },
    _localtime_js: (time: bigint, pointer: number) => {
      const seconds = Number(time)
      const offset = context.zone.offsetAt(seconds)
      const { year } = writeTm(pointer, seconds, offset)
      writeZone(pointer, seconds, offset, year)
    },
    _timegm_js: (pointer: number) => {
      const seconds = readTm(pointer)
      writeTm(pointer, seconds, 0)
      return BigInt(seconds)
    },
    _mktime_js: (pointer: number) => {
      const { zone } = context
      const local = readTm(pointer)
      const wanted = memory.i32(pointer + TM.isdst)
      const { year } = civilFromDays(Math.floor(local / SECONDS_PER_DAY))
      const { standard, daylight } = zone.yearOffsets(year)
      // If the caller says whether daylight saving time applies, the offset is known. Otherwise use the offset that fits the local time,
      // and if two do, the one that gives the earlier moment.
      let offset = wanted > 0 ? daylight : standard
      if (wanted < 0 || (wanted > 0 && standard === daylight)) {
        offset = zone.offsetAt(local - zone.offsetAt(local))
        const earlier = zone.offsetAt(local - Math.max(offset, daylight))
        if (earlier !== offset && zone.offsetAt(local - earlier) === earlier)
          offset = Math.max(offset, earlier)
      }
      const seconds = local - offset
      const finalOffset = zone.offsetAt(seconds)
      const { year: finalYear } = writeTm(pointer, seconds, finalOffset)
      writeZone(pointer, seconds, finalOffset, finalYear)
      return BigInt(seconds)
    },
    _tzset_js: (
      offsetPointer: number,
      hasDaylightPointer: number,
      standardName: number,
      daylightName: number,
    ) => {
      const { zone } = context
      const year = new Date().getUTCFullYear()
      const { standard, daylight } = zone.yearOffsets(year)
      const january = daysFromCivil(year, 0, 1) * SECONDS_PER_DAY
      const july = daysFromCivil(year, 6, 1) * SECONDS_PER_DAY
      const [winter, summer] = zone.offsetAt(january) === standard ? [january, july] : [july, january]
      memory.range(standardName, ZONE_NAME_BYTES)
      memory.range(daylightName, ZONE_NAME_BYTES)
      // C's `timezone` counts seconds west.
      memory.setU32(offsetPointer, -standard)
      memory.setU32(hasDaylightPointer, standard === daylight ? 0 : 1)
      memory.setText(standardName, `${zone.nameAt(winter).slice(0, ZONE_NAME_BYTES - 1)}\0`)
      memory.setText(daylightName, `${zone.nameAt(summer).slice(0, ZONE_NAME_BYTES - 1)}\0`)
    },
  }
}
