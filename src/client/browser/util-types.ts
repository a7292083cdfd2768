// What the client uses of `node:util/types`, for browsers: scripts/build.mjs replaces the module with this file. Types are recognized by
// the names that objects report, because each frame of a page has classes of its own.

function isOf(value: unknown, ...names: readonly string[]): boolean {
  return names.includes(Object.prototype.toString.call(value).slice(8, -1))
}

export const isAnyArrayBuffer = (value: unknown) => isOf(value, 'ArrayBuffer', 'SharedArrayBuffer')
export const isArrayBuffer = (value: unknown) => isOf(value, 'ArrayBuffer')
export const isDate = (value: unknown) => isOf(value, 'Date')
export const isMap = (value: unknown) => isOf(value, 'Map')
export const isNativeError = (value: unknown) => isOf(value, 'Error')
export const isPromise = (value: unknown) => isOf(value, 'Promise')
/** A script cannot recognize a proxy. */
export const isProxy = () => false
export const isSet = (value: unknown) => isOf(value, 'Set')
export const isTypedArray = (value: unknown) => ArrayBuffer.isView(value) && !isOf(value, 'DataView')
export const isUint8Array = (value: unknown) => isOf(value, 'Uint8Array')
