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

/** Deepest nesting of a value, both ways; CPython's marshal itself stops at 2,000. */
export const MAX_DEPTH = 1000

/**
 * Bounds of the main thread's time and memory for one value, which its bytes are not (an empty dict is two of them). The
 * kernel has the same (values.py) and refuses first, so more than this is a kernel that lies.
 */
export const MAX_CONTAINERS = 1_000_000
/** Members of all containers; one of a set or dict counts as `HASHED_MEMBER`. */
export const MAX_MEMBERS = 10_000_000
export const HASHED_MEMBER = 8

/**
 * Type codes of CPython's marshal format, from its Python/marshal.c. Version 2 of the format is spoken: no references,
 * binary floats.
 */
export const TypeCode = {
  null: 0x30,
  none: 0x4e,
  false: 0x46,
  true: 0x54,
  ellipsis: 0x2e,
  int32: 0x69,
  long: 0x6c,
  float: 0x67,
  bytes: 0x73,
  unicode: 0x75,
  interned: 0x74,
  tuple: 0x28,
  list: 0x5b,
  dict: 0x7b,
  set: 0x3c,
  frozenset: 0x3e,
} as const
