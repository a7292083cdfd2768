// What the client takes of `node:util/types`, for browsers: scripts/build.mjs puts it in its place there. By the names that objects give
// themselves, because a page's frames have classes of their own.

function isOf(value: unknown, ...names: readonly string[]): boolean {
  return names.includes(Object.prototype.toString.call(value).slice(8, -1))
}

export const isAnyArrayBuffer = (value: unknown) => isOf(value, 'ArrayBuffer', 'SharedArrayBuffer')
export const isArrayBuffer = (value: unknown) => isOf(value, 'ArrayBuffer')
export const isDate = (value: unknown) => isOf(value, 'Date')
export const isMap = (value: unknown) => isOf(value, 'Map')
export const isNativeError = (value: unknown) => isOf(value, 'Error')
export const isPromise = (value: unknown) => isOf(value, 'Promise')
/** No script can tell. */
export const isProxy = () => false
export const isSet = (value: unknown) => isOf(value, 'Set')
export const isTypedArray = (value: unknown) => ArrayBuffer.isView(value) && !isOf(value, 'DataView')
export const isUint8Array = (value: unknown) => isOf(value, 'Uint8Array')
