// Values of Python as JSON. Owns the form of what JSON lacks; docs/cli.md describes it.

import type { Display } from '../shared/display.js'
import { NdArray, type Value } from '../shared/values/value.js'

/** Integers past 2 ** 53, and floats that are not finite, are strings; bytes are base64, dates ISO 8601; a set is an array, a map an array of pairs. */
export function jsonValue(value: Value | undefined): unknown {
  switch (typeof value) {
    case 'bigint':
      return String(value)
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'object':
      return value === null ? null : jsonObject(value)
    default:
      return value
  }
}

function jsonObject(value: Exclude<Value, null | boolean | number | bigint | string>): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (ArrayBuffer.isView(value)) return Array.from(value as Iterable<number | bigint>, jsonValue)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (Array.isArray(value)) return value.map(jsonValue)
  if (value instanceof Set) return Array.from(value, jsonValue)
  if (value instanceof Map) return Array.from(value, ([key, one]) => [jsonValue(key), jsonValue(one)])
  if (value instanceof NdArray) {
    // Elements of an array of bytes are numbers, not text.
    const data = Array.from(value.data as Iterable<Value>, jsonValue)
    return { data, shape: value.shape, dtype: value.dtype }
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, jsonValue(one)]))
}

/** Forms by MIME type; bytes as base64. */
export function jsonDisplay(display: Display): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(display).map(([type, content]) => [
      type,
      typeof content === 'string' ? content : Buffer.from(content).toString('base64'),
    ]),
  )
}
