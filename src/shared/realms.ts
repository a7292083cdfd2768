// Tests for kinds of objects that work across realms. Test runners (Jest, vitest's vmThreads) run the library in a realm of its own, while
// objects from Node and other threads belong to the main realm, so `instanceof` returns false for them.
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

/** Whether a value is an object literal, an object from JSON or a message, or an object without a prototype. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  // Recognizes the `Object.prototype` of another realm.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}

export function isError(value: unknown): value is Error {
  return isNativeError(value) || value instanceof Error
}

export function isRangeError(value: unknown): value is RangeError {
  return isError(value) && value.name === 'RangeError'
}
