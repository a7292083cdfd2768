// JSON Schema formats that arguments are checked against. Owns the checks. Each takes linear time, and bounded-ajv.ts limits the text's
// length before.
import { isIPv4, isIPv6 } from 'node:net'
import type { Ajv2020 } from 'ajv/dist/2020.js'

type TextCheck = (text: string) => boolean

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|[+-](\d\d):(\d\d))$/i
const DURATION = /^P(?:\d+W|(?=[\dT])(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)$/
const HOST_LABEL = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i
const MAILBOX = /^[^\s@"(),:;<>[\\\]]{1,64}$/
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i
const SCHEME = /^[a-z][a-z\d+.-]*:/i
const URI_TEXT = /^(?:[!#$&-;=?-Z_a-z~[\]]|%[\da-f]{2})*$/i
const IRI_TEXT = /^(?:[!#$&-;=?-Z_a-z~[\]\u00a0-\uffff]|%[\da-f]{2})*$/i
const POINTER = /^(?:\/(?:[^~/]|~0|~1)*)*$/
const RELATIVE_POINTER = /^(?:0|[1-9]\d*)(?:#|(?:\/(?:[^~/]|~0|~1)*)*)$/
const BASE64 = /^[A-Za-z\d+/]*={0,2}$/

const any: TextCheck = () => true
const isUriReference: TextCheck = (text) => URI_TEXT.test(text)
const isIriReference: TextCheck = (text) => IRI_TEXT.test(text)

function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return day >= 1 && day <= (lengths[month - 1] ?? 0)
}

function isTime(text: string): boolean {
  const match = TIME.exec(text)
  if (match === null) return false
  const [, hour = 0, minute = 0, second = 0, zoneHour = 0, zoneMinute = 0] = match.map((part) =>
    Number(part ?? 0),
  )
  // 60 is a leap second.
  return hour <= 23 && minute <= 59 && second <= 60 && zoneHour <= 23 && zoneMinute <= 59
}

function isDateTime(text: string): boolean {
  return /^.{10}[t ]/i.test(text) && isDate(text.slice(0, 10)) && isTime(text.slice(11))
}

function isHostname(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  return name.length > 0 && name.length <= 253 && name.split('.').every((label) => HOST_LABEL.test(label))
}

function isIdnHostname(text: string): boolean {
  return (
    text.length > 0 &&
    text.length <= 253 &&
    !/[\s/?#@:]/.test(text) &&
    !text.split('.').slice(0, -1).includes('')
  )
}

function isEmail(text: string, isHost: TextCheck): boolean {
  const at = text.lastIndexOf('@')
  const mailbox = text.slice(0, at)
  return at > 0 && MAILBOX.test(mailbox) && !/^\.|\.\.|\.$/.test(mailbox) && isHost(text.slice(at + 1))
}

function isRegex(text: string): boolean {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}

const inRange = (bits: number) => (value: number) =>
  Number.isInteger(value) && value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1)

const TEXT_FORMATS: readonly (readonly [string, TextCheck])[] = [
  ['date', isDate],
  ['time', isTime],
  ['date-time', isDateTime],
  ['duration', (text) => DURATION.test(text)],
  ['email', (text) => /^[\0-\x7f]*$/.test(text) && isEmail(text, isHostname)],
  ['idn-email', (text) => isEmail(text, isIdnHostname)],
  ['hostname', isHostname],
  ['idn-hostname', isIdnHostname],
  ['ipv4', isIPv4],
  ['ipv6', (text) => isIPv6(text) && !text.includes('%')],
  ['uri', (text) => SCHEME.test(text) && isUriReference(text)],
  ['uri-reference', isUriReference],
  ['uri-template', (text) => isUriReference(text.replace(/\{[^{}\s]+\}/g, ''))],
  ['url', (text) => URL.canParse(text)],
  ['iri', (text) => SCHEME.test(text) && isIriReference(text)],
  ['iri-reference', isIriReference],
  ['uuid', (text) => UUID.test(text)],
  ['json-pointer', (text) => POINTER.test(text)],
  ['relative-json-pointer', (text) => RELATIVE_POINTER.test(text)],
  ['regex', isRegex],
  ['byte', (text) => text.length % 4 === 0 && BASE64.test(text)],
  // OpenAPI's formats for showing or storing text. They restrict nothing.
  ['binary', any],
  ['password', any],
]

const NUMBER_FORMATS: readonly (readonly [string, (value: number) => boolean])[] = [
  ['int32', inRange(32)],
  ['int64', inRange(64)],
  ['float', () => true],
  ['double', () => true],
]

/** Every known format. All others are rejected. */
export const FORMATS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...TEXT_FORMATS,
  ...NUMBER_FORMATS,
])

export function addFormats(ajv: Ajv2020): void {
  for (const [name, validate] of TEXT_FORMATS) ajv.addFormat(name, { type: 'string', validate })
  for (const [name, validate] of NUMBER_FORMATS) ajv.addFormat(name, { type: 'number', validate })
}
