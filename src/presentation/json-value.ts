// Python values as JSON for programs and models to read. Owns how values without a JSON counterpart are written, and the limit on the size;
// src/shared/values/json.ts has the lossless format, which can be decoded.
import { toBase64 } from '../shared/base64.js'
import type { Display } from '../shared/display.js'
import { isNdArray } from '../shared/values/value.js'

/** Thrown and caught in this file: the value exceeds the budget. */
const TOO_LARGE = new Error('the value is too large')
/** Approximate length of brackets, commas and a short number. */
const NODE_LENGTH = 8
type Elements = Iterable<unknown> & { readonly length: number }
const PLAIN = { configurable: true, enumerable: true, writable: true }

export interface JsonBounds {
  /** Approximate limit for the length of the JSON, in characters. Default: none. */
  readonly maxLength?: number
  /** Default 1,000, deeper than any value from Python. */
  readonly maxDepth?: number
}

/**
 * Integers past 2 ** 53 and floats that are not finite become strings, bytes base64, dates ISO 8601, and sets arrays. A map becomes an
 * object if all its keys are strings, else an array of pairs. An array of numbers becomes an array; numpy's, `{ data, shape, dtype }`.
 *
 * @returns `undefined` if the result would be too large, or the value is nested too deeply
 */
export function jsonValue(value: unknown, bounds: JsonBounds = {}): unknown {
  const { maxLength = Number.POSITIVE_INFINITY, maxDepth = 1000 } = bounds
  let left = maxLength
  const spend = (length: number) => {
    left -= length
    if (left < 0) throw TOO_LARGE
  }
  const convert = (part: unknown, depth: number): unknown => {
    spend(NODE_LENGTH)
    if (depth > maxDepth) throw TOO_LARGE
    if (typeof part === 'string') {
      spend(part.length)
      return part.toWellFormed()
    }
    if (typeof part === 'bigint') {
      const text = part.toString()
      spend(text.length)
      return text
    }
    if (typeof part === 'number') return Number.isFinite(part) ? part : String(part)
    if (typeof part === 'boolean' || part === null) return part
    if (part instanceof Date) return Number.isNaN(part.getTime()) ? null : part.toISOString()
    if (part instanceof Uint8Array) {
      spend(part.length)
      return toBase64(part)
    }
    if (Array.isArray(part)) return part.map((one) => convert(one, depth + 1))
    if (part instanceof Set) return convert([...part], depth)
    if (part instanceof Map) return convertMap(part, depth)
    if (typeof part !== 'object') return null
    if (isNdArray(part)) {
      // The elements of a byte array are numbers, not text.
      return { data: convertElements(part.data, depth + 1), shape: [...part.shape], dtype: part.dtype }
    }
    if (ArrayBuffer.isView(part)) return convertElements(part as unknown as Elements, depth)
    const result: Record<string, unknown> = {}
    for (const [key, one] of Object.entries(part)) {
      spend(key.length)
      const converted = convert(one, depth + 1)
      // Assigning to `__proto__` would set the prototype.
      Object.defineProperty(result, key.toWellFormed(), { ...PLAIN, value: converted })
    }
    return result
  }
  const convertElements = (elements: Elements, depth: number): unknown => {
    // Checked before allocating an array of that length.
    if (elements.length * NODE_LENGTH > left) throw TOO_LARGE
    return Array.from(elements, (one) => convert(one, depth + 1))
  }
  const convertMap = (map: ReadonlyMap<unknown, unknown>, depth: number): unknown => {
    const entries = [...map]
    return convert(
      entries.every(([key]) => typeof key === 'string') ? Object.fromEntries(entries) : entries,
      depth,
    )
  }
  try {
    return convert(value, 0)
  } catch (error) {
    if (error === TOO_LARGE) return undefined
    throw error
  }
}

/** The display's data by MIME type; bytes as base64. */
export function jsonDisplay(display: Display): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(display).map(([type, content]) => [
      type,
      typeof content === 'string' ? content : toBase64(content),
    ]),
  )
}
