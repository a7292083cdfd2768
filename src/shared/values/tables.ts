// What pandas' objects look like in JavaScript. Owns their types: they are plain objects, made by the kernel.
import type { TypedArray, Value } from './value.js'

/**
 * The members of a column: a typed array where there is one for all of them, else an array of values in which what is missing is `null`.
 * See `NdArray` for the types of elements; but 64-bit integers are a `Float64Array` where all of them are below 2 ** 53, as `get` gives
 * numbers for Python's integers.
 */
export type Column = TypedArray | Value[]

/** A pandas DataFrame, as `session.get` gives it. */
export interface DataFrame {
  /** By name. A column whose name is not text has the text of it, such as `('a', 1)`. */
  readonly columns: { readonly [name: string]: Column }
  /** pandas' names of the columns' types, such as `int64`, `str` or `category`. */
  readonly dtypes: { readonly [name: string]: string }
  /** In the frame's order, which `columns` does not keep for names that are numbers. */
  readonly names: readonly string[]
  /** `null` for the default index: 0, 1, 2 and so on. Of an index with several levels each member is an array. */
  readonly index: Column | null
}

/** A pandas Series, as `session.get` gives it. */
export interface Series {
  readonly values: Column
  readonly dtype: string
  readonly name: string | null
  readonly index: Column | null
}
