// Fields of a decoded document: each is what it must be, or the document is refused. Owns these checks and no format.
import { MsgpackError } from './msgpack.js'

/** @throws MsgpackError, as all of these */
export function fields(value: unknown): ReadonlyMap<unknown, unknown> {
  if (!(value instanceof Map)) throw new MsgpackError('something that is no map')
  return value
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new MsgpackError('something that is no array')
  return value
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new MsgpackError('something that is no text')
  return value
}

/** A whole number from 0 to 2^53 - 1 (ATTACKS.md E12). */
export function count(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new MsgpackError('something that is no count')
  return value as number
}

export function bytes(value: unknown, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length))
    throw new MsgpackError('something that is not the bytes it should be')
  return value
}
