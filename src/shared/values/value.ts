// The values that cross between Python and JavaScript. Owns their types and the bounds that hold in both directions; encode.ts and
// decode.ts own the bytes.

import type { NdArray, TypedArray } from './arrays.js'

/** What a Python value looks like in JavaScript. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | TypedArray
  | NdArray
  | Date
  | Value[]
  | Set<Value>
  | { [key: string]: Value }

/** Means "no value" where a kernel message allows that. Never occurs inside a value. */
export const NO_VALUE: unique symbol = Symbol('no value')

/**
 * Bounds on the main thread's time and memory for one value; its size in bytes does not bound them (an empty dict takes two). The
 * kernel refuses larger values first (values.py), so only forged messages exceed these. weight.ts has the bounds of
 * single parts.
 */
export const MAX_CONTAINERS = 500_000
/** Members of all containers; one of a set or dict counts as `HASHED_MEMBER`. */
export const MAX_MEMBERS = 4_000_000
export const HASHED_MEMBER = 4
/** Added to these bounds for the message around a value. */
export const OUTCOME_CONTAINERS = 100
export const OUTCOME_MEMBERS = 10_000

export { MAX_DEPTH, TypeCode } from './weight.js'
