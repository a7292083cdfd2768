// What kind of object a value is, whichever realm made it. Test runners (Jest, vitest's vmThreads) run the library in a realm of its own;
// what Node and other threads give it is of the main realm, so `instanceof` says no.
import { isNativeError } from 'node:util/types'

export {
  isAnyArrayBuffer,
  isArrayBuffer,
  isDate,
  isMap,
  isPromise,
  isSet,
  isUint8Array,
} from 'node:util/types'

/** An object literal, what JSON or a message made, or an object without a prototype. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  // The `Object.prototype` of another realm.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}

export function isError(value: unknown): value is Error {
  return isNativeError(value) || value instanceof Error
}

export function isRangeError(value: unknown): value is RangeError {
  return isError(value) && value.name === 'RangeError'
}
