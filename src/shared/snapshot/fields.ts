// Checks fields of a decoded document: if one has the wrong type, the document is rejected. Owns these checks and no format.
import { isPlainObject, isUint8Array } from '../realms.js'
import type { Value } from '../values/value.js'
import { MsgpackError } from './msgpack.js'

type Fields = Readonly<Record<string, Value>>

/** @throws MsgpackError, like all functions of this file */
export function fields(value: Value | undefined): Record<string, Value> {
  // Any other object is an instance of another kind of value, such as a Date or a Set.
  if (typeof value !== 'object' || value === null || !isPlainObject(value))
    throw new MsgpackError('something that is not a map')
  return value as Record<string, Value>
}

/** Own fields only: a name from the bytes never reaches a prototype. */
export function field(of: Fields, name: string): Value | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined
}

export function list(value: Value | undefined): readonly Value[] {
  if (!Array.isArray(value)) throw new MsgpackError('something that is not an array')
  return value
}

export function text(value: Value | undefined): string {
  if (typeof value !== 'string') throw new MsgpackError('something that is not text')
  return value
}

export function number(value: Value | undefined): number {
  if (typeof value !== 'number') throw new MsgpackError('something that is not a number')
  return value
}

/** A whole number from 0 to 2^53 - 1. */
export function count(value: Value | undefined): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new MsgpackError('something that is not a count')
  return value as number
}

export function bytes(value: Value | undefined, length?: number): Uint8Array {
  if (!isUint8Array(value) || (length !== undefined && value.length !== length))
    throw new MsgpackError('bytes that are missing or of a wrong length')
  return value
}
