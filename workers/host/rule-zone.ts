// A time zone given as a POSIX rule. Owns which of its two times applies at a moment; src/shared/time-zone.ts parses the rule.
import type { ZoneChange, ZoneRule, ZoneTime } from '../../src/shared/time-zone.js'
import { civilFromDays, daysFromCivil, SECONDS_PER_DAY } from './calendar.js'

export class RuleZone {
  readonly #rule: ZoneRule
  readonly offsets: { readonly standard: number; readonly daylight: number }
  /** When daylight saving time starts and ends in a year, in seconds since 1970. */
  #cached = { year: Number.NaN, start: 0, end: 0 }

  constructor(rule: ZoneRule) {
    this.#rule = rule
    const { standard, daylight = standard } = rule
    this.offsets = { standard: standard.offset, daylight: daylight.offset }
  }

  at(seconds: number): ZoneTime {
    const { standard, daylight } = this.#rule
    return daylight !== undefined && this.isDaylight(seconds) ? daylight : standard
  }

  isDaylight(seconds: number): boolean {
    const { standard, daylight } = this.#rule
    if (daylight === undefined) return false
    const { year } = civilFromDays(Math.floor((seconds + standard.offset) / SECONDS_PER_DAY))
    if (year !== this.#cached.year) {
      // A rule gives each change in the local time that is in effect before the change.
      const start = changeAt(year, daylight.start) - standard.offset
      const end = changeAt(year, daylight.end) - daylight.offset
      this.#cached = { year, start, end }
    }
    const { start, end } = this.#cached
    // South of the equator, daylight saving time spans the turn of the year.
    return start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
  }
}

/** When a change happens, in seconds since 1970, as if its local time were UTC. */
function changeAt(year: number, change: ZoneChange): number {
  return dayOf(year, change) * SECONDS_PER_DAY + change.seconds
}

/** The day of a change, in days since 1970. */
function dayOf(year: number, change: ZoneChange): number {
  const newYear = daysFromCivil(year, 0, 1)
  if (change.on === 'day') return newYear + change.day
  if (change.on === 'julian') {
    const isAfterLeapDay = change.day > 59 && daysFromCivil(year, 2, 1) - newYear === 60
    return newYear + change.day - 1 + (isAfterLeapDay ? 1 : 0)
  }
  const first = daysFromCivil(year, change.month - 1, 1)
  // 1970-01-01 was a Thursday.
  const weekday = (((first + 4) % 7) + 7) % 7
  const day = first + ((change.weekday - weekday + 7) % 7) + (change.week - 1) * 7
  return day < daysFromCivil(year, change.month, 1) ? day : day - 7
}
