// Describes a callback's argument in Python's terms, because the error is raised in Python. Owns the wording.
import { NdArray, type Value } from '../shared/values/value.js'

const MAX_TEXT = 60

/** `"x" (str)`, `None`, `a list`. */
export function describeForPython(value: Value | unknown): string {
  switch (typeof value) {
    case 'string':
      return `${JSON.stringify(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value)} (str)`
    case 'number':
      return `${value} (${Number.isInteger(value) ? 'int' : 'float'})`
    case 'bigint':
      return 'a large int'
    case 'boolean':
      return value ? 'True' : 'False'
    default:
      return value === null || value === undefined ? 'None' : describeObject(value)
  }
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Date) return 'a datetime'
  if (value instanceof Set) return 'a set'
  if (value instanceof NdArray || ArrayBuffer.isView(value)) return 'an array'
  return 'a dict'
}
