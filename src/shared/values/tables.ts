// What pandas' objects look like in JavaScript. Owns their types: they are plain objects, made by the kernel.
import type { TypedArray } from './arrays.js'
import type { Value } from './value.js'

/**
 * The members of a column: a typed array where there is one for all of them (see `NdArray` for the types of elements), else an array of
 * values in which what is missing is `null`.
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
