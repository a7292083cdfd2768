// The values that cross between Python and JavaScript. Owns their types and the bounds that hold in both directions; encode.ts and
// decode.ts own the bytes.

/** What a Python value looks like in JavaScript: docs/values.md has the form of each type. */
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
  | Map<Value, Value>
  | { [key: string]: Value }

/**
 * What `session.set` takes: values, and objects of any type whose members are values in turn. Fields that are `undefined` are left out, an
 * `ArrayBuffer` becomes bytes, and arrays and sets may be read-only. Objects with a class of their own, functions and symbols are refused
 * when they are met.
 */
export type InputValue = null | boolean | number | bigint | string | object

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

const ND_ARRAY = Symbol.for('brumate.NdArray')

/** A numpy array: `session.get` makes one of each, and `session.set` takes one to give an array a shape. */
export class NdArray {
  /**
   * The elements in C order, the last index changing fastest: a typed array, or an array of values if `dtype` is `str`, `bytes` or
   * `object`.
   */
  readonly data: TypedArray | Value[]
  /** Length of each dimension; empty for an array without dimensions, which has one element. */
  readonly shape: number[]
  /**
   * Element type by numpy's name. Of `bool` the elements are 0 and 1. Of `complex64` and `complex128` each has two numbers, the real part
   * first. Of `datetime64[ms]` and `timedelta64[ms]`, whatever their unit in Python, they are milliseconds, with NaN for NaT.
   */
  readonly dtype: string

  constructor(data: TypedArray | Value[], shape: readonly number[] = [data.length], dtype = dtypeOf(data)) {
    this.data = data
    this.shape = [...shape]
    this.dtype = dtype
  }

  /** @internal */
  get [ND_ARRAY](): true {
    return true
  }
}

/** Whether it is one, also of another copy of this module: an application may have several, each with a class of its own. */
export function isNdArray(value: object): value is NdArray {
  return (value as { readonly [ND_ARRAY]?: true })[ND_ARRAY] === true
}

/** The element type of a typed array, or of an array of values. Undefined for views that are none, such as a DataView. */
export function elementType(data: unknown): string | undefined {
  if (!ArrayBuffer.isView(data)) return undefined
  // The name also tells Float16Array, which only newer engines have, and arrays of other realms.
  const name = (data as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? ''
  if (name === 'Uint8ClampedArray') return 'uint8'
  const match = /^(?:Big)?(Int|Uint|Float)(8|16|32|64)Array$/.exec(name)
  return match === null ? undefined : `${match[1]?.toLowerCase()}${match[2]}`
}

function dtypeOf(data: TypedArray | Value[]): string {
  return elementType(data) ?? 'object'
}

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
