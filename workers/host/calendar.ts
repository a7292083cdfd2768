// The Gregorian calendar: converts days since 1970 to dates and back, for any number of days. Owns that arithmetic only.

export const SECONDS_PER_DAY = 86_400
const DAYS_PER_ERA = 146_097
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719_468

export interface CivilDate {
  readonly year: number
  /** 0 to 11. */
  readonly month: number
  readonly day: number
}

/** Converts whole days since 1970 to a date. */
export function civilFromDays(days: number): CivilDate {
  const shifted = days + EPOCH_DAYS
  const era = Math.floor(shifted / DAYS_PER_ERA)
  const dayOfEra = shifted - era * DAYS_PER_ERA
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365)
  // Years here begin in March, so that the leap day is the last.
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = (monthFromMarch + 2) % 12
  const year = yearOfEra + era * 400 + (month < 2 ? 1 : 0)
  return { year, month, day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1 }
}

/** Converts a date to days since 1970. The month may be outside 0 to 11. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const years = year + Math.floor(month / 12)
  const monthOfYear = month - Math.floor(month / 12) * 12
  const marchYear = monthOfYear < 2 ? years - 1 : years
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * ((monthOfYear + 10) % 12) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * DAYS_PER_ERA + dayOfEra - EPOCH_DAYS
}
