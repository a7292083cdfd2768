// Encodes JavaScript values as marshal bytes for the kernel. Dates and sets are written as stand-ins and listed as fixups, which the
// kernel applies. Owns the encoding only.
import { ConversionError, describeValue } from '../errors.js'
import { MAX_DEPTH, TypeCode } from './value.js'

type Path = readonly (string | number)[]
type Fixup =
  | readonly [path: Path, kind: 'datetime', epochMs: number]
  | readonly [path: Path, kind: 'set', payload: null]

/**
 * Encodes a value with its fixups: the bytes of the Python tuple `(value, fixups)`.
 *
 * @param name what the value is called in an error's message
 * @throws ConversionError (a TypeError) naming the place inside the value that has no Python counterpart
 */
export function encodeValue(value: unknown, name: string): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  const encoder = new Encoder(writer, name)
  writer.tuple(2)
  encoder.value(value, true)
  encoder.fixups()
  return writer.bytes()
}

/** Encodes a reference to an async iterable of the host. The kernel turns it into an iterator. */
export function encodeIterator(number: number): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  writer.tuple(2)
  writer.code(TypeCode.none)
  writer.list(1)
  writer.tuple(3)
  writer.tuple(0)
  writer.text('iterator')
  writer.number(number)
  return writer.bytes()
}

/** Encodes the library's own plain data (no dates, no sets) as one marshal document. */
export function encodePlain(value: unknown, name: string): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  new Encoder(writer, name).value(value, false)
  return writer.bytes()
}

class Encoder {
  readonly #writer: Writer
  readonly #name: string
  readonly #fixups: Fixup[] = []
  /** Path to the current value. Copied only for a fixup or an error. */
  readonly #path: (string | number)[] = []

  constructor(writer: Writer, name: string) {
    this.#writer = writer
    this.#name = name
  }

  value(value: unknown, mayFix: boolean): void {
    if (this.#path.length > MAX_DEPTH)
      throw this.#refuse(`at most ${MAX_DEPTH} levels of nesting, or a cycle`)
    const writer = this.#writer
    switch (typeof value) {
      case 'boolean':
        return writer.code(value ? TypeCode.true : TypeCode.false)
      case 'number':
        return writer.number(value)
      case 'bigint':
        return writer.bigint(value)
      case 'string':
        return writer.text(value)
      case 'object':
        break
      default:
        throw this.#unknown(value)
    }
    if (value === null) return writer.code(TypeCode.none)
    if (value instanceof Uint8Array) return writer.blob(value)
    if (Array.isArray(value)) return this.#list(value, mayFix)
    if (mayFix && value instanceof Date) return this.#date(value)
    if (mayFix && value instanceof Set) return this.#set(value)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && prototype !== Object.prototype) throw this.#unknown(value)
    this.#dict(value as Record<string, unknown>, mayFix)
  }

  fixups(): void {
    this.#writer.list(this.#fixups.length)
    for (const [path, kind, payload] of this.#fixups) {
      this.#writer.tuple(3)
      this.#writer.tuple(path.length)
      for (const step of path) this.value(step, false)
      this.#writer.text(kind)
      if (payload === null) this.#writer.code(TypeCode.none)
      else this.#writer.float(payload)
    }
  }

  #list(items: readonly unknown[], mayFix: boolean): void {
    const writer = this.#writer
    writer.list(items.length)
    for (let i = 0; i < items.length; i++) {
      const item = items[i]
      // Numbers never need the path.
      if (typeof item === 'number' && this.#path.length < MAX_DEPTH) writer.number(item)
      else this.#member(i, item, mayFix)
    }
  }

  #dict(object: Record<string, unknown>, mayFix: boolean): void {
    this.#writer.code(TypeCode.dict)
    for (const key of Object.keys(object)) {
      this.#writer.text(key)
      this.#member(key, object[key], mayFix)
    }
    this.#writer.code(TypeCode.null)
  }

  #member(step: string | number, value: unknown, mayFix: boolean): void {
    this.#path.push(step)
    this.value(value, mayFix)
    this.#path.pop()
  }

  #date(date: Date): void {
    const epochMs = date.getTime()
    if (Number.isNaN(epochMs)) throw this.#refuse('a valid Date', 'an invalid one')
    this.#writer.code(TypeCode.none)
    this.#fixups.push([[...this.#path], 'datetime', epochMs])
  }

  /** Writes a list with a fixup, because only Python can tell whether the members are hashable. */
  #set(set: ReadonlySet<unknown>): void {
    this.#list([...set], true)
    this.#fixups.push([[...this.#path], 'set', null])
  }

  #unknown(value: unknown): ConversionError {
    const expected =
      'null, a boolean, number, bigint, string, Uint8Array, Date, array, Set or plain object (all the way down)'
    return this.#refuse(expected, describeValue(value))
  }

  #refuse(expected: string, got?: string): ConversionError {
    const path = this.#path
    const shown = path.slice(0, 8).map((step) => `[${JSON.stringify(step)}]`)
    const place = `${this.#name}${shown.join('')}${path.length > 8 ? '…' : ''}`
    return new ConversionError(`${place}: expected ${expected}${got === undefined ? '' : `, got ${got}`}`)
  }
}

/** Byte arrays from this size on become chunks of their own, so that they are copied only once, at the end. */
const LARGE_BLOB_BYTES = 16_384
const SHORT_TEXT_LENGTH = 32
/** A type code and an int32. */
const HEAD_BYTES = 5

class Writer {
  readonly #chunks: Uint8Array[] = []
  #buffer = new Uint8Array(256)
  #view = new DataView(this.#buffer.buffer)
  #at = 0

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
    if (value === (value | 0) && !Object.is(value, -0)) return this.#head(TypeCode.int32, value)
    if (!Number.isSafeInteger(value) || value === 0) return this.float(value)
    return this.bigint(BigInt(value))
  }

  float(value: number): void {
    this.#reserve(9)
    this.#buffer[this.#at] = TypeCode.float
    this.#view.setFloat64(this.#at + 1, value, true)
    this.#at += 9
  }

  bigint(value: bigint): void {
    const negative = value < 0n
    const bits = (negative ? -value : value).toString(2)
    const count = value === 0n ? 0 : Math.ceil(bits.length / 15)
    this.#head(TypeCode.long, negative ? -count : count)
    this.#reserve(2 * count)
    for (let i = 0; i < count; i++) {
      const end = bits.length - 15 * i
      this.#view.setUint16(this.#at, Number.parseInt(bits.slice(Math.max(0, end - 15), end), 2), true)
      this.#at += 2
    }
  }

  text(text: string): void {
    if (text.length <= SHORT_TEXT_LENGTH && this.#shortAscii(text)) return
    // Lone surrogates are written as Python's `surrogatepass` does; Buffer would replace them.
    const bytes = text.isWellFormed() ? Buffer.from(text, 'utf8') : encodeSurrogates(text)
    this.#head(TypeCode.unicode, bytes.length)
    this.#raw(bytes)
  }

  /** False, with nothing written, if the text is not ASCII. For short text a call into Node takes longer than this loop. */
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

  blob(bytes: Uint8Array): void {
    this.#head(TypeCode.bytes, bytes.length)
    this.#raw(bytes)
  }

  bytes(): Uint8Array<ArrayBuffer> {
    this.#flush()
    let length = 0
    for (const chunk of this.#chunks) length += chunk.length
    const whole = new Uint8Array(length)
    let at = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }

  #head(code: number, value: number): void {
    this.#reserve(HEAD_BYTES)
    this.#buffer[this.#at] = code
    this.#view.setInt32(this.#at + 1, value, true)
    this.#at += HEAD_BYTES
  }

  #raw(bytes: Uint8Array): void {
    if (bytes.length >= LARGE_BLOB_BYTES) {
      this.#flush()
      this.#chunks.push(bytes)
      return
    }
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#buffer.length) return
    const size = Math.max(length, Math.min(this.#buffer.length * 2, 1 << 20))
    this.#flush(size)
  }

  #flush(nextBytes = 0): void {
    if (this.#at > 0) this.#chunks.push(this.#buffer.subarray(0, this.#at))
    this.#buffer = new Uint8Array(nextBytes)
    this.#view = new DataView(this.#buffer.buffer)
    this.#at = 0
  }
}

function encodeSurrogates(text: string): Uint8Array {
  const parts: Uint8Array[] = []
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    if (point < 0xd800 || point > 0xdfff) parts.push(Buffer.from(character, 'utf8'))
    else parts.push(Uint8Array.of(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)))
  }
  return Buffer.concat(parts)
}
