// Writes marshal bytes: numbers, text and byte arrays. Owns the buffers and joins them, in steps if they are large. encode.ts decides
// what to write, and in which order.
import { TypeCode } from './value.js'

/** Characters of text written in one step. */
export const PIECE_LENGTH = 65_536
/** Byte arrays of at least this size are not copied until the end, so that they are copied only once. */
const LARGE_BLOB_BYTES = 16_384
const MIN_BUFFER_BYTES = 256
const MAX_BUFFER_BYTES = 1 << 20
/** Bytes joined in one step. */
const COPY_BYTES = 262_144
const MAX_UTF8_BYTES = 3
const SHORT_TEXT_LENGTH = 32
/** Length of a type code and an int32. */
const HEAD_BYTES = 5

interface Chunk {
  readonly bytes: Uint8Array
  /** Length of `bytes` when it was written; the caller's array may be detached or resized later. */
  readonly length: number
}

export class Writer {
  readonly #chunks: Chunk[] = []
  #buffer = new Uint8Array(MIN_BUFFER_BYTES)
  #view = new DataView(this.#buffer.buffer)
  #at = 0
  #length = 0
  /** The length field in a long text's head. The length is known only at the end of the text. */
  #textHead: { readonly view: DataView; readonly at: number; length: number } | undefined
  #whole: Uint8Array<ArrayBuffer> | undefined
  /** Whether a lone surrogate was written. */
  hasSurrogates = false
  #joined = { chunk: 0, from: 0, at: 0 }

  code(code: number): void {
    this.#reserve(1)
    this.#buffer[this.#at++] = code
  }

  tuple(length: number): void {
    this.#head(TypeCode.tuple, length)
  }

  list(length: number): void {
    this.#head(TypeCode.list, length)
  }

  number(value: number): void {
    if (value === (value | 0) && !Object.is(value, -0)) this.#head(TypeCode.int32, value)
    else if (!Number.isSafeInteger(value) || value === 0) this.float(value)
    else this.bigint(BigInt(value))
  }

  float(value: number): void {
    this.#reserve(9)
    this.#buffer[this.#at] = TypeCode.float
    this.#view.setFloat64(this.#at + 1, value, true)
    this.#at += 9
  }

  /** Returns the number of digits written. */
  bigint(value: bigint): number {
    const negative = value < 0n
    // V8 writes digits in linear time if the base is a power of two. Of these, base 16 has few characters and is easy to regroup.
    const hex = value === 0n ? '' : (negative ? -value : value).toString(16)
    const bits = hex === '' ? 0 : 4 * hex.length - Math.clz32(Number.parseInt(hex[0] as string, 16)) + 28
    const count = Math.ceil(bits / 15)
    this.#head(TypeCode.long, negative ? -count : count)
    this.#reserve(2 * count)
    let digit = 0
    let filled = 0
    let left = count
    for (let i = hex.length - 1; i >= 0; i--) {
      const code = hex.charCodeAt(i)
      digit |= (code < 58 ? code - 48 : code - 87) << filled
      filled += 4
      if (filled < 15) continue
      this.#view.setUint16(this.#at, digit & 0x7fff, true)
      this.#at += 2
      left--
      digit >>= 15
      filled -= 15
    }
    if (left > 0) {
      this.#view.setUint16(this.#at, digit, true)
      this.#at += 2
    }
    return count
  }

  /** Writes a text in one step. */
  text(text: string): void {
    if (text.length <= SHORT_TEXT_LENGTH && this.#shortAscii(text)) return
    this.#head(TypeCode.unicode, 0)
    const view = this.#view
    const head = this.#at - 4
    view.setInt32(head, this.#characters(text), true)
  }

  /** Writes nothing and returns false if the text is not ASCII. For short text a call into Node takes longer than this loop. */
  #shortAscii(text: string): boolean {
    const { length } = text
    this.#reserve(HEAD_BYTES + length)
    const buffer = this.#buffer
    const start = this.#at + HEAD_BYTES
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) return false
      buffer[start + i] = unit
    }
    this.#head(TypeCode.unicode, length)
    this.#at += length
    return true
  }

  /** Begins a text written in pieces: call `textPiece` until it returns the text's length, then `endText`. */
  beginText(): void {
    this.#head(TypeCode.unicode, 0)
    this.#textHead = { view: this.#view, at: this.#at - 4, length: 0 }
  }

  /** Writes the piece that begins at `start` and returns where it ends. */
  textPiece(text: string, start: number): number {
    let end = Math.min(text.length, start + PIECE_LENGTH)
    // Do not split a pair of surrogates, which is one character.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end -= 1
    const written = this.#characters(text.slice(start, end))
    if (this.#textHead) this.#textHead.length += written
    return end
  }

  endText(): void {
    this.#textHead?.view.setInt32(this.#textHead.at, this.#textHead.length, true)
    this.#textHead = undefined
  }

  blob(bytes: Uint8Array): void {
    this.#head(TypeCode.bytes, bytes.length)
    this.raw(bytes)
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length >= LARGE_BLOB_BYTES) {
      this.#flush()
      this.#push(bytes)
      return
    }
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Joins some of the buffers. Returns whether all are joined. Throws `changed()` if the caller has changed the length of a byte array. */
  join(changed: () => Error): boolean {
    this.#flush()
    this.#whole ??= new Uint8Array(this.#length)
    const joined = this.#joined
    for (let left = COPY_BYTES; left > 0; ) {
      const chunk = this.#chunks[joined.chunk]
      if (chunk === undefined) return true
      const { bytes, length } = chunk
      if (bytes.length !== length) throw changed()
      const size = Math.min(length - joined.from, left)
      const isWhole = size === length
      this.#whole.set(isWhole ? bytes : bytes.subarray(joined.from, joined.from + size), joined.at)
      joined.at += size
      joined.from += size
      left -= Math.max(size, 256)
      if (joined.from < length) continue
      joined.chunk += 1
      joined.from = 0
    }
    return joined.chunk === this.#chunks.length
  }

  /** All bytes written. */
  get bytes(): Uint8Array<ArrayBuffer> {
    while (!this.join(() => new RangeError('a byte array was resized')));
    return this.#whole as Uint8Array<ArrayBuffer>
  }

  #head(code: number, value: number): void {
    this.#reserve(HEAD_BYTES)
    this.#buffer[this.#at] = code
    this.#view.setInt32(this.#at + 1, value, true)
    this.#at += HEAD_BYTES
  }

  /** Returns the number of bytes. A lone surrogate is written like Python's `surrogatepass` does; Buffer would replace it. */
  #characters(text: string): number {
    if (!text.isWellFormed()) return this.#surrogates(text)
    const bytes = Buffer.from(text, 'utf8')
    this.raw(bytes)
    return bytes.length
  }

  #surrogates(text: string): number {
    this.hasSurrogates = true
    const bytes = new Uint8Array(MAX_UTF8_BYTES * text.length)
    let at = 0
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit < 0x80) bytes[at++] = unit
      else if (unit < 0x800) {
        bytes[at++] = 0xc0 | (unit >> 6)
        bytes[at++] = 0x80 | (unit & 0x3f)
      } else if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
        const point = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff)
        bytes[at++] = 0xf0 | (point >> 18)
        bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
        bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
        bytes[at++] = 0x80 | (point & 0x3f)
      } else {
        bytes[at++] = 0xe0 | (unit >> 12)
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f)
        bytes[at++] = 0x80 | (unit & 0x3f)
      }
    }
    this.raw(bytes.subarray(0, at))
    return at
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#buffer.length) return
    const size = Math.max(
      length,
      Math.min(Math.max(this.#buffer.length * 2, MIN_BUFFER_BYTES), MAX_BUFFER_BYTES),
    )
    this.#flush(size)
  }

  #flush(nextBytes = 0): void {
    if (this.#at > 0) this.#push(this.#buffer.subarray(0, this.#at))
    else if (nextBytes === 0) return
    this.#buffer = new Uint8Array(nextBytes)
    this.#view = new DataView(this.#buffer.buffer)
    this.#at = 0
  }

  #push(bytes: Uint8Array): void {
    this.#chunks.push({ bytes, length: bytes.length })
    this.#length += bytes.length
  }
}
