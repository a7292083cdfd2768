// Writes dist/workers/tzdata.zip: the IANA time zones as the `tzdata` package that Python's zoneinfo looks for, created from
// moment-timezone's data (a development dependency). Everything is stored uncompressed, in a fixed order and with a fixed date, so that
// the same data gives the same bytes everywhere.
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { zip } from './zip.mjs'

const DAY_S = 86_400
/** Daylight saving time lasts less than this. A longer period with a higher offset is another standard time. */
const LONGEST_DST_S = 330 * DAY_S
const LARGEST_DST_S = 3 * 3600
/** In these years, the footer's rule must agree with the data. */
const [RULE_FROM_YEAR, RULE_TO_YEAR] = [2090, 2190]

const data = createRequire(import.meta.url)('moment-timezone/data/packed/latest.json')
const zones = new Map(data.zones.map((line) => [line.slice(0, line.indexOf('|')), tzif(unpack(line))]))
for (const link of data.links) {
  const [target, name] = link.split('|')
  const bytes = zones.get(target)
  if (bytes === undefined) throw new Error(`${name} links to ${target}, which is not there`)
  zones.set(name, bytes)
}
const target =
  process.argv[2] ?? join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist/workers/tzdata.zip')
mkdirSync(dirname(target), { recursive: true })
writeFileSync(target, zip(packageFiles()))

/** The files of the package `tzdata` on the Python package index: zoneinfo reads `tzdata/zones` and the files below it. */
function packageFiles() {
  const names = [...zones.keys()].sort()
  const text = (lines) => Buffer.from(lines)
  const files = new Map([
    ['tzdata/__init__.py', text(`IANA_VERSION = ${JSON.stringify(data.version)}\n`)],
    ['tzdata/zones', text(names.map((name) => `${name}\n`).join(''))],
    ['tzdata/zoneinfo/__init__.py', text('')],
  ])
  for (const name of names) {
    for (let folder = dirname(name); folder !== '.'; folder = dirname(folder))
      files.set(`tzdata/zoneinfo/${folder}/__init__.py`, text(''))
    files.set(`tzdata/zoneinfo/${name}`, zones.get(name))
  }
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** A zone as its periods: from `startS` (-Infinity for the first) on, `offsetS` seconds east of UTC. */
function unpack(line) {
  const [, abbreviations, offsets, indices, untils] = line.split('|')
  const names = abbreviations.split(' ')
  const offsetsS = offsets.split(' ').map((packed) => -Math.round(unpackNumber(packed) * 60))
  let startS = Number.NEGATIVE_INFINITY
  let minutes = 0
  const differences = untils.split(' ')
  return markDaylight(
    [...indices].map((digit, i) => {
      const type = unpackNumber(digit)
      const period = { startS, offsetS: offsetsS[type], name: names[type] }
      minutes += unpackNumber(differences[i] ?? '')
      startS = Math.round(minutes * 60)
      return period
    }),
  )
}

/** Reads moment-timezone's numbers: base 60 with digits 0-9 a-z A-X, and a fraction after the point. */
function unpackNumber(packed) {
  const digit = (c) => {
    const code = c.charCodeAt(0)
    return code > 96 ? code - 87 : code > 64 ? code - 29 : code - 48
  }
  const negative = packed.startsWith('-')
  const [whole = '', fraction = ''] = packed.slice(negative ? 1 : 0).split('.')
  let value = 0
  for (const c of whole) value = value * 60 + digit(c)
  let unit = 1
  for (const c of fraction) {
    unit /= 60
    value += digit(c) * unit
  }
  return negative ? -value : value
}

/**
 * The data does not say which periods are daylight saving time. These are the short periods that are ahead of both neighbours,
 * and the periods with the same name that are ahead of one: before or after double summer time, or where a zone changed its
 * standard time in that season. (Names that are numbers, such as -03, do not help here.)
 */
function markDaylight(periods) {
  const startOf = (i) => periods[i]?.startS ?? Infinity
  const isShort = (i) => startOf(i + 1) - startOf(i) < LONGEST_DST_S
  const ahead = (i, other) => {
    const difference = periods[i].offsetS - (periods[other]?.offsetS ?? Infinity)
    return difference > 0 && difference <= LARGEST_DST_S
  }
  const summer = periods.map((_, i) => isShort(i) && ahead(i, i - 1) && ahead(i, i + 1))
  const names = new Set(
    periods.filter(({ name }, i) => summer[i] && /^[A-Z]+$/.test(name)).map(({ name }) => name),
  )
  return periods.map((period, i) => {
    const alike = isShort(i) && names.has(period.name) && (ahead(i, i - 1) || ahead(i, i + 1))
    return { ...period, daylight: summer[i] || alike }
  })
}

/** Encodes a zone: RFC 9636, version 2, without the 32-bit block that nobody reads. */
function tzif(periods) {
  const rule = footer(periods)
  const kept = periods.filter(({ startS }) => startS < rule.fromS)
  const types = []
  const typeOf = ({ offsetS, daylight, name }) => {
    const found = types.findIndex((t) => t.offsetS === offsetS && t.daylight === daylight && t.name === name)
    return found >= 0 ? found : types.push({ offsetS, daylight, name }) - 1
  }
  const indices = kept.map(typeOf)
  const names = [...new Set(types.map(({ name }) => name))]
  const nameOffset = (name) => names.slice(0, names.indexOf(name)).reduce((at, n) => at + n.length + 1, 0)
  const transitions = Buffer.alloc((kept.length - 1) * 8)
  for (const [i, { startS }] of kept.slice(1).entries()) transitions.writeBigInt64BE(BigInt(startS), i * 8)
  const typeBytes = types.map(({ offsetS, daylight, name }) => {
    const bytes = Buffer.alloc(6)
    bytes.writeInt32BE(offsetS, 0)
    bytes[4] = daylight ? 1 : 0
    bytes[5] = nameOffset(name)
    return bytes
  })
  const nameBytes = Buffer.from(names.map((name) => `${name}\0`).join(''))
  return Buffer.concat([
    header(0, 1, 1),
    Buffer.alloc(7),
    header(kept.length - 1, types.length, nameBytes.length),
    transitions,
    Buffer.from(indices.slice(1)),
    ...typeBytes,
    nameBytes,
    Buffer.from(`\n${rule.text}\n`),
  ])
}

function header(transitions, types, characters) {
  const bytes = Buffer.alloc(44)
  bytes.write('TZif2')
  for (const [i, count] of [0, 0, 0, transitions, types, characters].entries())
    bytes.writeUInt32BE(count, 20 + i * 4)
  return bytes
}

/** The POSIX rule for the years after the data, and the time from which on it agrees with the data. */
function footer(periods) {
  const last = periods.filter(({ startS }) => startS < Date.UTC(RULE_TO_YEAR) / 1000)
  const recent = last.filter(({ startS }) => startS >= Date.UTC(RULE_FROM_YEAR) / 1000)
  const final = last.at(-1)
  if (recent.length === 0) return { text: `${quoted(final.name)}${posix(final.offsetS)}`, fromS: Infinity }
  const daylight = recent.find((p) => p.daylight)
  const standard = recent.find((p) => !p.daylight)
  const rules = [
    yearlyRule(
      recent.filter((p) => p.daylight),
      standard,
    ),
    yearlyRule(
      recent.filter((p) => !p.daylight),
      daylight,
    ),
  ]
  const saving = daylight.offsetS - standard.offsetS === 3600 ? '' : posix(daylight.offsetS)
  const text = [
    `${quoted(standard.name)}${posix(standard.offsetS)}${quoted(daylight.name)}${saving}`,
    ...rules.map((r) => r.text),
  ].join(',')
  let fromYear = RULE_FROM_YEAR
  const starts = new Map(periods.map((p) => [p.startS, p]))
  const inYear = (year) => {
    const [start, end] = [rules[0].startS(year), rules[1].startS(year)]
    const same = (at, p) => starts.get(at)?.name === p.name && starts.get(at)?.offsetS === p.offsetS
    return same(start, daylight) && same(end, standard) && countIn(periods, year) === 2
  }
  while (inYear(fromYear - 1)) fromYear--
  // Readers apply the rule from the last listed transition on, so the rule's first year must be listed.
  return { text, fromS: Date.UTC(fromYear + 1) / 1000 }
}

function countIn(periods, year) {
  return periods.filter(({ startS }) => startS >= Date.UTC(year) / 1000 && startS < Date.UTC(year + 1) / 1000)
    .length
}

/** The day of the month and the time at which these periods begin every year, on the clock that applied before. */
function yearlyRule(periods, before) {
  const month = new Date((periods[0].startS + before.offsetS) * 1000).getUTCMonth()
  let best
  for (let week = 1; week <= 5; week++) {
    for (let weekday = 0; weekday < 7; weekday++) {
      const times = new Set(
        periods.map(({ startS }) => {
          const year = new Date((startS + before.offsetS) * 1000).getUTCFullYear()
          return startS + before.offsetS - dayOf(year, month, week, weekday)
        }),
      )
      const [timeS] = times
      if (times.size > 1 || Math.abs(timeS) >= 7 * DAY_S) continue
      // A time on the same day is easiest to read, and every reader supports it.
      const cost = timeS >= 0 && timeS <= DAY_S ? 0 : Math.abs(timeS)
      if (best === undefined || cost < best.cost) best = { week, weekday, timeS, cost }
    }
  }
  if (best === undefined) throw new Error(`no rule for ${periods[0].name} found`)
  const { week, weekday, timeS } = best
  return {
    text: `M${month + 1}.${week}.${weekday}${timeS === 7200 ? '' : `/${clock(timeS)}`}`,
    startS: (year) => dayOf(year, month, week, weekday) + timeS - before.offsetS,
  }
}

/** Midnight, in seconds as if it were UTC, of the `week`-th (5: last) `weekday` of a month. */
function dayOf(year, month, week, weekday) {
  const first = new Date(Date.UTC(year, month, 1)).getUTCDay()
  let day = 1 + ((weekday - first + 7) % 7) + (week - 1) * 7
  if (day > new Date(Date.UTC(year, month + 1, 0)).getUTCDate()) day -= 7
  return Date.UTC(year, month, day) / 1000
}

function quoted(name) {
  return /^[A-Za-z]+$/.test(name) ? name : `<${name}>`
}

/** POSIX counts offsets west of UTC as positive. */
function posix(offsetS) {
  return clock(-offsetS)
}

function clock(seconds) {
  const sign = seconds < 0 ? '-' : ''
  const [h, m, s] = [3600, 60, 1].map((unit, i, units) =>
    Math.floor((Math.abs(seconds) % (units[i - 1] ?? Infinity)) / unit),
  )
  const two = (n) => String(n).padStart(2, '0')
  return `${sign}${h}${m || s ? `:${two(m)}` : ''}${s ? `:${two(s)}` : ''}`
}
