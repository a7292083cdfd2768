// Values as JSON, for stores and engines that keep text. A value that JSON cannot express becomes an object with one key that begins with
// `$`. Owns those forms, which docs/restate.md describes, and the limit on a text's size. Reads untrusted text; throws if it is malformed.
import { fromBase64, toBase64 } from '../base64.js'
import { isAnyArrayBuffer, isDate, isMap, isSet, isUint8Array } from '../realms.js'
import { elementType, isNdArray, NdArray, type TypedArray } from './value.js'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const MAX_DEPTH = 1000
/** Approximate size of the punctuation around a member. */
const MEMBER_BYTES = 2
const SCALAR_BYTES = 8

/** A value has no JSON form or is too large, or a text was not made by `toJson`. */
export class JsonValueError extends TypeError {}

/**
 * @param maxBytes approximate length of the longest text allowed; the conversion stops when it is exceeded
 * @throws JsonValueError
 */
export function toJson(value: unknown, maxBytes = Number.POSITIVE_INFINITY): Json {
  return new ToJson(maxBytes).convert(value, 0)
}

/** Converts back to the value that was given to `toJson`. @throws JsonValueError */
export function fromJson(json: unknown): unknown {
  return decoded(json, 0)
}

function decoded(json: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new JsonValueError('a value that is nested too deeply')
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map((item) => decoded(item, depth + 1))
  const entries = Object.entries(json)
  const [first] = entries
  if (first?.[0].startsWith('$')) return untag(first[0], first[1], depth)
  return Object.fromEntries(entries.map(([key, item]) => [key, decoded(item, depth + 1)]))
}

class ToJson {
  #leftBytes: number

  constructor(maxBytes: number) {
    this.#leftBytes = maxBytes
  }

  convert(value: unknown, depth: number): Json {
    if (depth > MAX_DEPTH) throw new JsonValueError('a value that is nested too deeply')
    switch (typeof value) {
      case 'string':
        this.#take(value.length + MEMBER_BYTES)
        return value
      case 'boolean':
        this.#take(SCALAR_BYTES)
        return value
      case 'number':
        this.#take(SCALAR_BYTES)
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : { $number: Object.is(value, -0) ? '-0' : String(value) }
      case 'bigint': {
        // In hexadecimal, because the time for decimal text grows with the square of its length.
        this.#take(SCALAR_BYTES)
        const text = value.toString(16)
        this.#take(text.length)
        return { $bigint: text }
      }
      case 'object':
        return value === null ? null : this.#object(value, depth)
      default:
        throw new JsonValueError(`${typeof value} has no JSON form`)
    }
  }

  #object(value: object, depth: number): Json {
    this.#take(MEMBER_BYTES)
    if (Array.isArray(value)) return value.map((item) => this.convert(item, depth + 1))
    if (isDate(value)) return { $date: value.toISOString() }
    if (isSet(value)) return { $set: Array.from(value, (item) => this.convert(item, depth + 1)) }
    if (isMap(value)) return { $map: this.#pairs(value, depth) }
    if (isUint8Array(value)) return { $bytes: this.#base64(value) }
    if (isAnyArrayBuffer(value)) return { $bytes: this.#base64(new Uint8Array(value)) }
    if (isNdArray(value)) {
      const { data, shape, dtype } = value
      return { $ndarray: { data: this.convert(data, depth + 1), shape: [...shape], dtype } }
    }
    const elements = elementType(value)
    if (elements !== undefined) return { $array: [elements, this.#base64(value as TypedArray)] }
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    if (entries[0]?.[0].startsWith('$')) return { $object: this.#pairs(entries, depth) }
    return Object.fromEntries(
      entries.map(([key, item]) => {
        this.#take(key.length + MEMBER_BYTES)
        return [key, this.convert(item, depth + 1)]
      }),
    )
  }

  #pairs(pairs: Iterable<readonly [unknown, unknown]>, depth: number): Json[] {
    return Array.from(pairs, ([key, item]) => [this.convert(key, depth + 1), this.convert(item, depth + 1)])
  }

  #base64({ buffer, byteOffset, byteLength }: TypedArray): string {
    this.#take(Math.ceil((byteLength * 4) / 3))
    return toBase64(new Uint8Array(buffer, byteOffset, byteLength))
  }

  #take(bytes: number): void {
    this.#leftBytes -= bytes
    if (this.#leftBytes < 0) throw new JsonValueError('a value that is too large')
  }
}

const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const

function untag(tag: string, json: unknown, depth: number): unknown {
  const inner = (item: unknown) => decoded(item, depth + 1)
  switch (tag) {
    case '$number':
      return Number(text(json))
    case '$bigint':
      return bigint(text(json))
    case '$date':
      return new Date(text(json))
    case '$bytes':
      return new Uint8Array(bytesOf(json))
    case '$set':
      return new Set(list(json).map(inner))
    case '$map':
      return new Map(pairs(json).map(([key, item]) => [inner(key), inner(item)]))
    case '$object':
      return Object.fromEntries(pairs(json).map(([key, item]) => [text(key), inner(item)]))
    case '$array': {
      const [name, data] = list(json)
      const type = Object.hasOwn(ARRAYS, String(name)) ? ARRAYS[name as keyof typeof ARRAYS] : undefined
      if (type === undefined) throw new JsonValueError('an array of unknown elements')
      return new type(bytesOf(data))
    }
    case '$ndarray': {
      const { data, shape, dtype } = Object(json) as Record<string, unknown>
      return new NdArray(inner(data) as TypedArray, list(shape).map(Number), text(dtype))
    }
    default:
      throw new JsonValueError(`an unknown form ${tag.slice(0, 20)}`)
  }
}

function bigint(hex: string): bigint {
  if (!/^-?[0-9a-f]+$/.test(hex)) throw new JsonValueError('not an integer')
  return hex.startsWith('-') ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`)
}

function bytesOf(json: unknown): ArrayBuffer {
  return fromBase64(text(json)).buffer
}

function text(json: unknown): string {
  if (typeof json !== 'string') throw new JsonValueError('a form that is not text')
  return json
}

function list(json: unknown): unknown[] {
  if (!Array.isArray(json)) throw new JsonValueError('a form that is not a list')
  return json
}

function pairs(json: unknown): [unknown, unknown][] {
  return list(json).map((pair) => list(pair) as [unknown, unknown])
}
