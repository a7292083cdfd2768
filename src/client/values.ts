// Encodes values for the server and decodes its answers. Owns rejecting values without a Python counterpart, as the library does;
// shared/values/json.ts has the formats.
import type { WireDisplay, WirePending } from '../presentation/wire.js'
import type { Display } from '../shared/display.js'
import { ConversionError } from '../shared/errors.js'
import { isAnyArrayBuffer, isDate, isMap, isPlainObject, isSet } from '../shared/realms.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import { fromJson, type Json, JsonValueError, toJson } from '../shared/values/json.js'
import { isNdArray, type Value } from '../shared/values/value.js'

/** @throws ConversionError */
export function encodeInput(value: unknown, name: string): Json {
  try {
    return toJson(plain(value, name, 0))
  } catch (error) {
    if (!(error instanceof JsonValueError)) throw error
    throw new ConversionError(`${name}: ${error.message}`, { cause: error })
  }
}

export function decodeValue(json: unknown): Value {
  return fromJson(json) as Value
}

export function decodeDisplay(display: WireDisplay): Display {
  return fromJson(display) as Display
}

export function decodePending({ id, name, args, reason }: WirePending): PendingCall {
  const values = fromJson(args) as PendingCall['args']
  return { id, name, args: values, ...(reason !== undefined && { reason }) }
}

const MAX_DEPTH = 1000

/** Copies the value, with bytes in place of buffers. @throws ConversionError for an instance of a custom class */
function plain(value: unknown, path: string, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw new ConversionError(`${path}: nested too deeply, or in itself`)
  if (isAnyArrayBuffer(value)) return new Uint8Array(new Uint8Array(value))
  if (Array.isArray(value)) return value.map((item, i) => plain(item, `${path}[${i}]`, depth + 1))
  if (isSet(value)) return new Set([...value].map((item) => plain(item, path, depth + 1)))
  if (isMap(value))
    return new Map(
      [...value].map(([key, item]) => [plain(key, path, depth + 1), plain(item, path, depth + 1)]),
    )
  if (isDate(value)) {
    if (Number.isNaN(value.getTime())) throw new ConversionError(`${path}: an invalid date`)
    return value
  }
  if (ArrayBuffer.isView(value) || isNdArray(value)) return value
  if (!isPlainObject(value))
    throw new ConversionError(
      `${path}: an object of class ${value.constructor?.name ?? 'unknown'} has no Python counterpart`,
    )
  const entries = Object.entries(value)
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item, `${path}.${key}`, depth + 1)]))
}
