// Describes, for error messages, a value that is not the expected one. Owns the wording for every kind of value; runs none of its code.
import { isAnyArrayBuffer, isProxy, isTypedArray, isUint8Array } from 'node:util/types'

/** Wraps a secret that was given for an option, so that errors show only its type and length, never its value. */
export class Concealed {
  readonly #description: string

  constructor(value: unknown) {
    if (typeof value === 'string') this.#description = `a string of ${value.length} characters`
    else if (isUint8Array(value)) this.#description = `a Uint8Array of ${value.length} bytes`
    else if (['number', 'boolean'].includes(typeof value)) this.#description = `a ${typeof value}`
    else this.#description = describeValue(value)
  }

  /** Returns undefined for any other value. Runs none of its code. */
  static describe(value: object): string | undefined {
    return #description in value ? value.#description : undefined
  }
}

/** Describes any value briefly: `a Map`, `a Float64Array(5)`. Runs none of its code and never throws. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)} (string)`
    case 'number':
    case 'boolean':
      return `${value} (${typeof value})`
    case 'bigint':
    case 'function':
    case 'symbol':
      return `a ${typeof value}`
    case 'object':
      return value === null ? 'null' : describeObject(value)
    default:
      return typeof value
  }
}

function describeObject(value: object): string {
  // For a Proxy, `Array.isArray` and reading the prototype would run its code.
  if (isProxy(value)) return 'a Proxy'
  const concealed = Concealed.describe(value)
  if (concealed !== undefined) return concealed
  if (Array.isArray(value)) return 'an array'
  if (isTypedArray(value))
    return `${withArticle(TYPED_ARRAY_NAME.call(value))}(${TYPED_ARRAY_LENGTH.call(value)})`
  const name = classNameOf(value)
  if (name === undefined) return 'an object'
  return isAnyArrayBuffer(value) ? `${withArticle(name)}(${byteLengthOf(value)})` : withArticle(name)
}

// The engine's own getters, which read the array itself, whatever its class claims.
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object
const TYPED_ARRAY_NAME = getter(TYPED_ARRAY, Symbol.toStringTag) as (this: unknown) => string
const TYPED_ARRAY_LENGTH = getter(TYPED_ARRAY, 'length') as (this: unknown) => number
/** Web pages that are not cross-origin isolated have no SharedArrayBuffer. */
const Shared = typeof SharedArrayBuffer === 'undefined' ? ArrayBuffer : SharedArrayBuffer
const BYTE_LENGTHS = [ArrayBuffer, Shared].map(
  ({ prototype }) => getter(prototype, 'byteLength') as (this: unknown) => number,
)

function getter(prototype: object, name: string | symbol): unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get
}

function byteLengthOf(value: object): number {
  const [own, shared] = BYTE_LENGTHS
  return (value instanceof Shared ? shared : own)?.call(value) ?? 0
}

const CLASS_NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]{0,59}$/u
const MAX_PROTOTYPES = 10

/** Name of the class that the object is an instance of; undefined for a plain object, of any realm. */
function classNameOf(value: object): string | undefined {
  let prototype = Object.getPrototypeOf(value) as object | null
  for (let i = 0; i < MAX_PROTOTYPES && prototype !== null && !isProxy(prototype); i++) {
    const made: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
    const name: unknown =
      typeof made === 'function' && !isProxy(made)
        ? Object.getOwnPropertyDescriptor(made, 'name')?.value
        : undefined
    if (name === 'Object') return undefined
    if (typeof name === 'string' && CLASS_NAME.test(name)) return name
    prototype = Object.getPrototypeOf(prototype) as object | null
  }
  return undefined
}

function withArticle(name: string): string {
  return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`
}
