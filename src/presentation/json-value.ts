// Values of Python as JSON for programs and models to read. Owns the form of what JSON does not have, and the bound on the size;
// src/shared/values/json.ts has the forms that are read back.
import { toBase64 } from '../shared/base64.js'
import type { Display } from '../shared/display.js'
import { isNdArray } from '../shared/values/value.js'

/** Thrown and caught here: the value is larger than the budget. */
const TOO_LARGE = new Error('the value is too large')
/** What brackets, commas and a short number take, about. */
const NODE_LENGTH = 8
type Elements = Iterable<unknown> & { readonly length: number }
const PLAIN = { configurable: true, enumerable: true, writable: true }

export interface JsonBounds {
  /** About the most characters that may come of it. Default: any number. */
  readonly maxLength?: number
  /** Default 1,000, more than a value from Python has. */
  readonly maxDepth?: number
}

/**
 * Integers past 2 ** 53, and floats that are not finite, are strings; bytes are base64, dates ISO 8601; a set is an array. A map is an
 * object if its keys are strings, else an array of pairs. An array of numbers is an array, one of numpy's `{ data, shape, dtype }`.
 *
 * @returns `undefined` for what would be larger, or is nested too deeply
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
      // Elements of an array of bytes are numbers, not text.
      return { data: convertElements(part.data, depth + 1), shape: [...part.shape], dtype: part.dtype }
    }
    if (ArrayBuffer.isView(part)) return convertElements(part as unknown as Elements, depth)
    const result: Record<string, unknown> = {}
    for (const [key, one] of Object.entries(part)) {
      spend(key.length)
      const converted = convert(one, depth + 1)
      // An assignment to `__proto__` would set the prototype.
      Object.defineProperty(result, key.toWellFormed(), { ...PLAIN, value: converted })
    }
    return result
  }
  const convertElements = (elements: Elements, depth: number): unknown => {
    // Before an array of that length is made.
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

/** Forms by MIME type; bytes as base64. */
export function jsonDisplay(display: Display): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(display).map(([type, content]) => [
      type,
      typeof content === 'string' ? content : toBase64(content),
    ]),
  )
}
