// The values that cross between Python and JavaScript (DESIGN.md 2, "Values"). Owns the types and the bounds that both
// directions share; the bytes are encode.ts and decode.ts.

/** What a Python value looks like in JavaScript. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | Value[]
  | Set<Value>
  | { [key: string]: Value }

/** Stands for "no value" where a message of the kernel allows it; never inside a value. */
export const NO_VALUE: unique symbol = Symbol('no value')

/**
 * Bounds of the main thread's time and memory for one value, which its bytes are not (an empty dict is two of them). The
 * kernel has the same (values.py) and refuses first, so more than this is a kernel that lies. Bounds of single parts are in
 * src/shared/values/weight.ts.
 */
export const MAX_CONTAINERS = 500_000
/** Members of all containers; one of a set or dict counts as `HASHED_MEMBER`. */
export const MAX_MEMBERS = 4_000_000
export const HASHED_MEMBER = 4

export { MAX_DEPTH, TypeCode } from './weight.js'
