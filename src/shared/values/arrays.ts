// Arrays of numbers that cross between Python and JavaScript as one block of bytes. Owns their element types, and the checks of a
// block from an interpreter, which is untrusted (R3): its size must match its shape.
import { isUint8Array } from '../realms.js'
import { type Decoded, MalformedValueError } from './frames.js'
import { NdArray, NO_VALUE, type TypedArray, type Value } from './value.js'

interface TypedArrayClass {
  readonly name: string
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBuffer, byteOffset: number, length: number): TypedArray
}

interface ElementType {
  readonly array: TypedArrayClass
  /** Numbers that make up one element. */
  readonly width: number
}

/** Element types by numpy's name. Wider and narrower floats arrive as the nearest type that exists here. */
const ELEMENT_TYPES: ReadonlyMap<string, ElementType> = new Map(
  (
    [
      ['int8', Int8Array],
      ['uint8', Uint8Array],
      ['int16', Int16Array],
      ['uint16', Uint16Array],
      ['int32', Int32Array],
      ['uint32', Uint32Array],
      ['int64', BigInt64Array],
      ['uint64', BigUint64Array],
      ['float16', Float32Array],
      ['float32', Float32Array],
      ['float64', Float64Array],
      ['bool', Uint8Array],
      ['complex64', Float32Array, 2],
      ['complex128', Float64Array, 2],
      ['datetime64[ms]', Float64Array],
      ['timedelta64[ms]', Float64Array],
    ] as [string, TypedArrayClass, number?][]
  ).map(([dtype, array, width = 1]) => [dtype, { array, width }]),
)
/** Types whose elements are values themselves. */
const VALUE_TYPES: ReadonlySet<string> = new Set(['str', 'bytes', 'object'])
/** numpy's own limit. */
const MAX_DIMENSIONS = 64
/** Length of the tagged tuple (Ellipsis, 'array', dtype, shape or None, block or list). */
export const ARRAY_TAG_LENGTH = 5

/** The array that a tagged tuple represents. @throws MalformedValueError */
export function decodeArray([, , dtype, shape, block]: readonly Decoded[]): Decoded {
  return arrayOf(dtype, shape, block)
}

/**
 * @param block - bytes of the elements, aligned for a Float64Array, or a list of them
 * @throws MalformedValueError
 */
export function arrayOf(
  dtype: Decoded | undefined,
  shape: Decoded | undefined,
  block: Decoded | undefined,
): Decoded {
  if (typeof dtype !== 'string' || (shape !== null && !Array.isArray(shape)))
    throw new MalformedValueError('an array without type or shape')
  const data = Array.isArray(block) ? decodeValues(dtype, block) : decodeBlock(dtype, block)
  if (shape === null) return data
  const width = ELEMENT_TYPES.get(dtype)?.width ?? 1
  if (data.length !== elements(shape) * width)
    throw new MalformedValueError('an array of another size than its shape')
  return new NdArray(data, shape as number[], dtype) as Value
}

function decodeValues(dtype: string, values: readonly Decoded[]): Value[] {
  if (!VALUE_TYPES.has(dtype) || values.includes(NO_VALUE))
    throw new MalformedValueError('an array of unknown values')
  return values as Value[]
}

function decodeBlock(dtype: string, block: Decoded | undefined): TypedArray {
  const type = ELEMENT_TYPES.get(dtype)
  if (type === undefined || !isUint8Array(block))
    throw new MalformedValueError('an array of unknown elements')
  const { BYTES_PER_ELEMENT: size } = type.array
  if (block.length % size !== 0) throw new MalformedValueError('an array that ends within an element')
  return new type.array(block.buffer as ArrayBuffer, block.byteOffset, block.length / size)
}

function elements(shape: readonly Decoded[]): number {
  let count = 1
  if (shape.length > MAX_DIMENSIONS) throw new MalformedValueError('an array of too many dimensions')
  for (const length of shape) {
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0)
      throw new MalformedValueError('an array with an unknown length')
    count *= length
  }
  return count
}

/** Whether a typed array can use the bytes of a block in place. */
export function isAligned(bytes: Uint8Array, start: number): boolean {
  return (bytes.byteOffset + start) % Float64Array.BYTES_PER_ELEMENT === 0
}

/** What `set` expects instead of such an array; undefined if it accepts it. */
export function refusalOf({ data, shape, dtype }: NdArray): string | undefined {
  const type = ELEMENT_TYPES.get(dtype)
  if (type === undefined) return `an NdArray whose dtype is one of ${[...ELEMENT_TYPES.keys()].join(', ')}`
  // By name, because the array may belong to another realm.
  if (!ArrayBuffer.isView(data) || data[Symbol.toStringTag] !== type.array.name)
    return `an NdArray of ${dtype} with a ${type.array.name}`
  if (
    !Array.isArray(shape) ||
    shape.length > MAX_DIMENSIONS ||
    !shape.every((n) => Number.isSafeInteger(n) && n >= 0)
  )
    return 'an NdArray whose shape is an array of lengths'
  if (data.length !== elements(shape) * type.width)
    return 'an NdArray with as many elements as its shape says'
  return undefined
}
