// Owns the JavaScript types of pandas' objects. They are plain objects that the kernel makes.
import type { TypedArray, Value } from './value.js'

/**
 * The members of a column: a typed array if one type fits all of them, otherwise an array of values in which missing ones are `null`.
 * `NdArray` describes the element types, with one exception: 64-bit integers become a `Float64Array` if all of them are below 2 ** 53,
 * because `get` returns Python's integers as numbers.
 */
export type Column = TypedArray | Value[]

/** A pandas DataFrame, as `session.get` returns it. */
export interface DataFrame {
  /** Columns by name. A name that is not text is converted to text, such as `('a', 1)`. */
  readonly columns: { readonly [name: string]: Column }
  /** pandas' type of each column, such as `int64`, `str` or `category`. */
  readonly dtypes: { readonly [name: string]: string }
  /** The columns' names in the frame's order, which `columns` does not keep for names that are numbers. */
  readonly names: readonly string[]
  /** `null` for the default index: 0, 1, 2 and so on. With a MultiIndex, each member is an array. */
  readonly index: Column | null
}

/** A pandas Series, as `session.get` returns it. */
export interface Series {
  readonly values: Column
  readonly dtype: string
  readonly name: string | null
  readonly index: Column | null
}
