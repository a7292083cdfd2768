import { describe, expect, it } from 'vitest'
import { errno } from '../../workers/host/errno.js'
import { Guest } from './guest.js'

const FIELDS = ['sec', 'min', 'hour', 'mday', 'mon', 'year', 'wday', 'yday', 'isdst', 'gmtoff']

function fields(guest: Guest, address: number): Record<string, number> {
  return Object.fromEntries(
    FIELDS.map((name, index) => [name, guest.view.getInt32(address + 4 * index, true)]),
  )
}

function split(guest: Guest, name: string, seconds: number | bigint): Record<string, number> {
  const address = guest.room(44)
  guest.call(name, BigInt(seconds), address)
  return fields(guest, address)
}

/** Calls mktime or timegm with a date given as year, month, day, hour, minute and second. */
function join(guest: Guest, name: string, date: number[], isdst = -1): number {
  const address = guest.room(44)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = date
  for (const [index, value] of [second, minute, hour, day, month - 1, year - 1900].entries()) {
    guest.view.setInt32(address + 4 * index, value, true)
  }
  guest.view.setInt32(address + 32, isdst, true)
  return Number(guest.call(name, address))
}

const at = (text: string) => Date.parse(text) / 1000

describe('calendars', () => {
  it('agree with Date in UTC, over 4,000 years', () => {
    const guest = new Guest()
    for (let seconds = -62_135_596_800; seconds < 64_000_000_000; seconds += 97_654_321) {
      guest.recycle()
      const date = new Date(seconds * 1000)
      expect(split(guest, '_gmtime_js', seconds)).toEqual({
        sec: date.getUTCSeconds(),
        min: date.getUTCMinutes(),
        hour: date.getUTCHours(),
        mday: date.getUTCDate(),
        mon: date.getUTCMonth(),
        year: date.getUTCFullYear() - 1900,
        wday: date.getUTCDay(),
        yday:
          Math.round(
            (Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0, 1)) / 86_400_000,
          ) - (isLeap(date.getUTCFullYear()) || date.getUTCMonth() < 2 ? 0 : 1),
        isdst: 0,
        gmtoff: 0,
      })
    }
  })

  it('convert fields back to the same time, in UTC', () => {
    const guest = new Guest()
    for (const seconds of [0, -1, 951_782_400, 4_102_444_799, -11_676_096_000]) {
      const { year = 0, mon = 0, mday = 0, hour = 0, min = 0, sec = 0 } = split(guest, '_gmtime_js', seconds)
      expect(join(guest, '_timegm_js', [year + 1900, mon + 1, mday, hour, min, sec])).toBe(seconds)
    }
  })

  it('normalize fields that are out of range', () => {
    expect(join(new Guest(), '_timegm_js', [2024, 14, -3, 25, 61, 61])).toBe(at('2025-01-29T02:02:01Z'))
  })

  it.each([
    ['Europe/Berlin', '2024-07-01T12:00:00Z', 14, 1, 7200],
    ['Europe/Berlin', '2024-01-01T12:00:00Z', 13, 0, 3600],
    ['America/New_York', '2024-03-10T06:59:59Z', 1, 0, -18_000],
    ['America/New_York', '2024-03-10T07:00:00Z', 3, 1, -14_400],
    ['Asia/Kolkata', '2024-01-01T00:00:00Z', 5, 0, 19_800],
    ['Australia/Lord_Howe', '2024-01-01T00:00:00Z', 11, 1, 39_600],
    ['Australia/Lord_Howe', '2024-07-01T00:00:00Z', 10, 0, 37_800],
    ['Pacific/Kiritimati', '2024-01-01T00:00:00Z', 14, 0, 50_400],
    ['UTC', '2024-01-01T00:00:00Z', 0, 0, 0],
  ])('are correct in %s at %s', (timeZone, text, hour, isdst, gmtoff) => {
    expect(split(new Guest({ timeZone }), '_localtime_js', at(text))).toMatchObject({ hour, isdst, gmtoff })
  })

  it.each(['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Apia'])(
    'convert fields back to the same time in %s for every hour of March, October and November, given isdst',
    (timeZone) => {
      const guest = new Guest({ timeZone })
      // In the other months, in which no clock changes, the steps still reach every hour of the day.
      const stepOf = (seconds: number) =>
        [2, 9, 10].includes(new Date(seconds * 1000).getUTCMonth()) ? 1 : 7
      for (
        let seconds = at('2023-01-01T00:30:00Z');
        seconds < at('2024-01-01T00:00:00Z');
        seconds += 3600 * stepOf(seconds)
      ) {
        guest.recycle()
        const {
          year = 0,
          mon = 0,
          mday = 0,
          hour = 0,
          min = 0,
          sec = 0,
          isdst = 0,
        } = split(guest, '_localtime_js', seconds)
        const date = [year + 1900, mon + 1, mday, hour, min, sec]
        expect(join(guest, '_mktime_js', date, isdst)).toBe(seconds)
        expect([seconds, seconds - 3600, seconds + 3600]).toContain(join(guest, '_mktime_js', date))
      }
    },
  )

  it('do not fail on times outside any calendar', () => {
    const guest = new Guest({ timeZone: 'Europe/Berlin' })
    for (const seconds of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 8_640_000_000_001n]) {
      expect(() => split(guest, '_localtime_js', seconds)).not.toThrow()
    }
    expect(typeof join(guest, '_mktime_js', [2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31])).toBe('number')
  })

  it.each([
    ['America/New_York', 18_000, 1, 'EST', 'EDT'],
    ['Europe/Berlin', -3600, 1, 'CET', 'CEST'],
    ['UTC', 0, 0, 'UTC', 'UTC'],
    ['Asia/Kathmandu', -20_700, 0, '+0545', '+0545'],
  ])('have the right names in %s', (timeZone, offset, hasDaylight, standard, daylight) => {
    const guest = new Guest({ timeZone })
    const [numbers, names] = [guest.room(8), guest.room(40)]
    guest.call('_tzset_js', numbers, numbers + 4, names, names + 20)
    expect(guest.view.getInt32(numbers, true)).toBe(offset)
    expect(guest.view.getInt32(numbers + 4, true)).toBe(hasDaylight)
    const text = (from: number) => guest.bytes.toString('latin1', from, guest.bytes.indexOf(0, from))
    expect([text(names), text(names + 20)]).toEqual([standard, daylight])
  })

  it('reject a zone that does not exist', () => {
    expect(() => new Guest({ timeZone: 'Mars/Olympus' })).toThrow(RangeError)
  })
})

describe('clocks', () => {
  const nanoseconds = (guest: Guest, id: number): bigint => {
    const address = guest.room(8)
    expect(guest.call('clock_time_get', id, 0n, address)).toBe(0)
    return guest.view.getBigInt64(address, true)
  }

  it('return the real time', () => {
    const guest = new Guest()
    expect(Math.abs(Number(nanoseconds(guest, 0) / 1_000_000n) - Date.now())).toBeLessThan(1000)
    expect(Math.abs((guest.call('emscripten_date_now') as number) - Date.now())).toBeLessThan(1000)
  })

  it('start the monotonic time with the host, and never go back', () => {
    const guest = new Guest()
    let last = nanoseconds(guest, 1)
    expect(last).toBeLessThan(10_000_000_000n)
    for (let i = 0; i < 1000; i += 1) {
      guest.recycle()
      const now = nanoseconds(guest, 1)
      expect(now).toBeGreaterThanOrEqual(last)
      last = now
    }
  })

  it('reject unknown ids', () => {
    const guest = new Guest()
    for (const id of [4, -1]) expect(guest.call('clock_time_get', id, 0n, guest.room(8))).toBe(errno.EINVAL)
    expect(guest.call('clock_res_get', 1, guest.room(8))).toBe(0)
  })
})

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}
