// The values that cross between Python and JavaScript. Owns their types and the bounds that apply in both directions; encode.ts and
// decode.ts own their bytes.

/** A Python value in JavaScript. docs/values.md lists the conversion of each type. */
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
 * What `session.set` accepts: values, and objects of any type whose members are values in turn. Fields that are `undefined` are left out,
 * an `ArrayBuffer` becomes bytes, and arrays and sets may be read-only. Instances of other classes, functions and symbols are rejected
 * at run time.
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

/** A numpy array. `session.get` returns one for every numpy array; pass one to `session.set` to give an array a shape. */
export class NdArray {
  /**
   * The elements in C order (the last index changes fastest): a typed array, or an array of values if `dtype` is `str`, `bytes` or
   * `object`.
   */
  readonly data: TypedArray | Value[]
  /** Length of each dimension; empty for a zero-dimensional array, which has one element. */
  readonly shape: number[]
  /**
   * numpy's name of the element type. Elements of `bool` are 0 and 1. Each element of `complex64` and `complex128` takes two numbers, the
   * real part first. Elements of `datetime64[ms]` and `timedelta64[ms]` are milliseconds, whatever their unit in Python, with NaN for NaT.
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

/** Also accepts arrays of another copy of this module: an application may load several, each with its own class. */
export function isNdArray(value: object): value is NdArray {
  return (value as { readonly [ND_ARRAY]?: true })[ND_ARRAY] === true
}

/** numpy's element type for a typed array; undefined for anything else, such as an array of values or a DataView. */
export function elementType(data: unknown): string | undefined {
  if (!ArrayBuffer.isView(data)) return undefined
  // By name, which also works for Float16Array, which only newer engines have, and for arrays of other realms.
  const name = (data as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? ''
  if (name === 'Uint8ClampedArray') return 'uint8'
  const match = /^(?:Big)?(Int|Uint|Float)(8|16|32|64)Array$/.exec(name)
  return match === null ? undefined : `${match[1]?.toLowerCase()}${match[2]}`
}

function dtypeOf(data: TypedArray | Value[]): string {
  return elementType(data) ?? 'object'
}

/** Stands for "no value" where a kernel message allows that. Never occurs inside a value. */
export const NO_VALUE: unique symbol = Symbol('no value')

/**
 * Limits the main thread's time and memory for one value. Its size in bytes does not limit them: an empty dict takes two bytes. The
 * kernel rejects larger values first (values.py), so only forged messages exceed this. weight.ts has the bounds of
 * single parts.
 */
export const MAX_CONTAINERS = 500_000
/** Members of all containers together; a member of a set or dict counts as `HASHED_MEMBER`. */
export const MAX_MEMBERS = 4_000_000
export const HASHED_MEMBER = 4
/** Added to the two bounds above, for the message around a value. */
export const OUTCOME_CONTAINERS = 100
export const OUTCOME_MEMBERS = 10_000

export { MAX_DEPTH, TypeCode } from './weight.js'
