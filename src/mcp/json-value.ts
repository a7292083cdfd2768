// A value of Python's as JSON, for structured content. Owns the forms of what JSON does not have, and the bound on its size.
import { Buffer } from 'node:buffer'

/** Thrown and caught here: the value is larger than the budget. */
const TOO_LARGE = new Error('the value is too large')
/** What brackets, commas and a short number take, about. */
const NODE_LENGTH = 8
const MAX_DEPTH = 64
const PLAIN = { configurable: true, enumerable: true, writable: true }

/** JSON of about `maxLength` characters at most; `undefined` if it would be larger or nested too deeply. */
export function jsonValue(value: unknown, maxLength: number): unknown {
  let left = maxLength
  const spend = (length: number) => {
    left -= length
    if (left < 0) throw TOO_LARGE
  }
  const convert = (part: unknown, depth: number): unknown => {
    spend(NODE_LENGTH)
    if (depth > MAX_DEPTH) throw TOO_LARGE
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
    if (part instanceof Date) return part.toISOString()
    if (part instanceof Uint8Array) {
      spend(part.length)
      return Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('base64')
    }
    if (Array.isArray(part)) return part.map((one) => convert(one, depth + 1))
    if (part instanceof Set) return convert([...part], depth)
    if (part instanceof Map) return convertMap(part, depth)
    if (typeof part !== 'object') return null
    const result: Record<string, unknown> = {}
    for (const [key, one] of Object.entries(part)) {
      spend(key.length)
      const converted = convert(one, depth + 1)
      // An assignment to `__proto__` would set the prototype.
      Object.defineProperty(result, key.toWellFormed(), { ...PLAIN, value: converted })
    }
    return result
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
