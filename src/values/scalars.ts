// Reads single values (integers, floats, text, byte arrays) from the marshal bytes an interpreter sent. Owns the position in the
// bytes and the cost of what was read. The bytes are hostile (R3): every length is checked against the bytes left before anything
// is allocated. Large parts are read in pieces, so that a caller can stop between them. Containers are decode.ts's.
import { MAX_DIGITS, MAX_TEXT_BYTES, Weight, weightOfDigits } from '../../workers/weight.js'
import { decodeDigits } from './integers.js'
import { decodeText, endOfPiece, PIECE_BYTES } from './text.js'

/** The bytes are not a message of our kernel: guest code forged them, or the interpreter's memory is corrupt. */
export class MalformedValueError extends Error {
  override readonly name = 'MalformedValueError'
}

/** Bytes copied per step. One step of copying or of decoding large text costs `PIECE_UNITS`. */
const COPY_BYTES = 1_048_576
const PIECE_UNITS = 128
/** From this size on, bytes that make up at least half of a document become a view of it, without a copy. */
const LARGE_BYTES = 65_536
/** Work between two looks at the clock, in units. A small value is one unit. */
export const CLOCK_CHECK_UNITS = 256

/** No value is complete yet: a container was opened, or a large text or byte array is being read in pieces. */
export const UNFINISHED: unique symbol = Symbol('unfinished')

/** A large text or byte array that is being read in pieces. */
interface Piecewise {
  readonly end: number
  text: string
  /** Undefined for text. */
  readonly copy: Uint8Array | undefined
  copiedBytes: number
}

/** The base of `Decoder`: a base class, not a member, so that reading a value costs no indirection. */
export class ScalarReader {
  /** False once a value was left out or replaced; see `Document`. */
  exact = true
  /** An int or str was too large for JavaScript. */
  isTooLarge = false
  protected readonly bytes: Uint8Array
  readonly #view: DataView
  protected position: number
  /** Estimated memory of the values read, in bytes (workers/weight.ts). */
  protected weight = 0
  /** Units of work left before the next look at the clock. */
  protected units = CLOCK_CHECK_UNITS
  protected large: Piecewise | undefined

  constructor(bytes: Uint8Array, position: number) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = position
  }

  protected byte(): number {
    const byte = this.bytes[this.position++]
    if (byte === undefined) throw new MalformedValueError('the value ends early')
    return byte
  }

  /** Reads a count of items of at least one byte each. Throws, before anything is allocated, if fewer bytes are left. */
  protected length(): number {
    const length = this.int32()
    if (length < 0 || length > this.bytes.length - this.position)
      throw new MalformedValueError(`length ${length} at ${this.position - 4} is past the end`)
    return length
  }

  protected int32(): number {
    if (this.position + 4 > this.bytes.length) throw new MalformedValueError('the value ends early')
    const value = this.#view.getInt32(this.position, true)
    this.position += 4
    return value
  }

  protected float(): number {
    if (this.position + 8 > this.bytes.length) throw new MalformedValueError('the value ends early')
    const value = this.#view.getFloat64(this.position, true)
    this.position += 8
    this.weight += Weight.number
    return value
  }

  /** The sign of the count is the sign of the integer; the digits follow. */
  protected long(): number | bigint {
    const signed = this.int32()
    const count = Math.abs(signed)
    const start = this.position
    if (count * 2 > this.bytes.length - start)
      throw new MalformedValueError(`${count} digits are past the end`)
    this.position += 2 * count
    this.weight += weightOfDigits(count)
    this.units -= count >> 6
    if (count > MAX_DIGITS) {
      this.leaveOut()
      return 0
    }
    const magnitude = decodeDigits(this.#view, start, count)
    if (magnitude === undefined) throw new MalformedValueError('a digit of more than 15 bits')
    return signed < 0 ? -magnitude : magnitude
  }

  protected text(length: number): string | typeof UNFINISHED {
    const start = this.position
    this.weight += Weight.text + length
    if (length > PIECE_BYTES && endOfPiece(this.bytes, start, start + length) < start + length)
      return this.#startPieces(length, undefined)
    this.position += length
    this.units -= length >> 10
    return decodeText(this.bytes, start, this.position)
  }

  protected blob(length: number): string | Uint8Array | typeof UNFINISHED {
    const start = this.position
    this.weight += Weight.bytes + length
    // The view keeps the whole document alive, but little of that is wasted.
    if (length >= LARGE_BYTES && 2 * length >= this.bytes.length) {
      this.position += length
      return new Uint8Array(this.bytes.buffer as ArrayBuffer, this.bytes.byteOffset + start, length)
    }
    if (length > COPY_BYTES) return this.#startPieces(length, new Uint8Array(length))
    this.position += length
    this.units -= (length >> 13) + 2
    return this.bytes.slice(start, this.position)
  }

  #startPieces(length: number, copy: Uint8Array | undefined): string | typeof UNFINISHED {
    if (copy === undefined && length > MAX_TEXT_BYTES) {
      this.leaveOut()
      this.position += length
      return ''
    }
    this.large = { end: this.position + length, text: '', copy, copiedBytes: 0 }
    return UNFINISHED
  }

  /** Reads the next piece of the large part. */
  protected piece(large: Piecewise): string | Uint8Array | typeof UNFINISHED {
    const start = this.position
    this.units -= PIECE_UNITS
    if (large.copy !== undefined) {
      this.position = Math.min(large.end, start + COPY_BYTES)
      large.copy.set(this.bytes.subarray(start, this.position), large.copiedBytes)
      large.copiedBytes += this.position - start
    } else {
      this.position = endOfPiece(this.bytes, start, large.end)
      // V8 builds a rope here and joins it only when the text is read.
      large.text += decodeText(this.bytes, start, this.position)
    }
    if (this.position < large.end) return UNFINISHED
    this.large = undefined
    return large.copy ?? large.text
  }

  /** Records that a value was replaced because it is too large for JavaScript. */
  protected leaveOut(): void {
    this.exact = false
    this.isTooLarge = true
  }
}
