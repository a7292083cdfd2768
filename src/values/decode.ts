// Reads values out of the marshal bytes an interpreter sent. The bytes are hostile (R3): every length is checked against
// what is left before anything is allocated, nesting is bounded, and what comes out is plain data by construction.
import {
  HASHED_MEMBER,
  MAX_CONTAINERS,
  MAX_DEPTH,
  MAX_MEMBERS,
  NO_VALUE,
  TypeCode,
  type Value,
} from './value.js'

/** A decoded tree: values, and `NO_VALUE` where a message allows it. */
export type Decoded = Value | typeof NO_VALUE | readonly Decoded[]

/** The bytes are no message of the kernel's: the interpreter's memory is damaged or somebody plays with it. */
export class MalformedValueError extends Error {
  override readonly name = 'MalformedValueError'
}

/** A decoded document. */
export interface Document {
  readonly tree: Decoded
  /**
   * False when the bytes held something well formed that JavaScript has no counterpart for: a dict key that is no str or
   * is `__proto__`. It was left out.
   */
  readonly exact: boolean
}

/**
 * Decodes one whole marshal document.
 *
 * @throws MalformedValueError when the bytes are not marshal version 2, end early or go on after the value
 */
export function decode(bytes: Uint8Array): Document {
  const decoder = new Decoder(bytes)
  const tree = decoder.value(0)
  decoder.end()
  return { tree, exact: decoder.exact }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** Below this many bytes a loop over ASCII beats TextDecoder. */
const SHORT_TEXT_BYTES = 24

/** As many 15-bit digits as a number holds exactly. */
const EXACT_DIGITS = 3

class Decoder {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  /** Room for the outcome around a value. */
  #containers = MAX_CONTAINERS + 100
  #members = MAX_MEMBERS + 10_000
  exact = true

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new MalformedValueError(`bytes after the value at ${this.#at}`)
  }

  value(depth: number): Decoded {
    // Our kernel refuses such values itself; a stack overflow is not to be had by lying about it.
    if (depth > MAX_DEPTH + 8) throw new MalformedValueError(`nested deeper than ${MAX_DEPTH}`)
    const code = this.#byte()
    switch (code) {
      case TypeCode.none:
        return null
      case TypeCode.true:
        return true
      case TypeCode.false:
        return false
      case TypeCode.ellipsis:
        return NO_VALUE
      case TypeCode.int32:
        return this.#int32()
      case TypeCode.long:
        return this.#long()
      case TypeCode.float:
        return this.#float()
      case TypeCode.bytes:
        return this.#take(this.#length(1)).slice()
      case TypeCode.unicode:
      case TypeCode.interned:
        return this.#text(this.#length(1))
      case TypeCode.tuple:
        return this.#tuple(depth)
      case TypeCode.list:
        return this.#items(this.#length(1), depth)
      case TypeCode.dict:
        return this.#dict(depth)
      case TypeCode.set:
      case TypeCode.frozenset:
        return this.#set(depth)
      default:
        throw new MalformedValueError(`unknown type code ${code} at ${this.#at - 1}`)
    }
  }

  /** A tuple is an array, or a tagged value of a kind that marshal lacks: (Ellipsis, kind, payload). */
  #tuple(depth: number): Decoded {
    const items = this.#items(this.#length(1), depth)
    if (items.length !== 3 || items[0] !== NO_VALUE || items[1] !== 'datetime') return items
    if (typeof items[2] !== 'number') throw new MalformedValueError('a datetime without a number')
    return new Date(items[2])
  }

  #items(count: number, depth: number): Decoded[] {
    this.#count(1, count)
    const items: Decoded[] = []
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1))
    return items
  }

  #set(depth: number): Value {
    const length = this.#length(1)
    this.#count(0, (HASHED_MEMBER - 1) * length)
    return new Set(this.#items(length, depth)) as Set<Value>
  }

  #dict(depth: number): Value {
    const object: Record<string, Value> = {}
    this.#count(1, 0)
    for (;;) {
      if (this.#bytes[this.#at] === TypeCode.null) {
        this.#at++
        return object
      }
      this.#count(0, HASHED_MEMBER)
      const key = this.value(depth + 1)
      const value = this.value(depth + 1) as Value
      // Assigning the key `__proto__` would set the object's prototype.
      if (typeof key === 'string' && key !== '__proto__') object[key] = value
      else this.exact = false
    }
  }

  #count(containers: number, members: number): void {
    this.#containers -= containers
    this.#members -= members
    if (this.#containers < 0 || this.#members < 0) throw new MalformedValueError('a value of too many parts')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new MalformedValueError('the value ends early')
    return byte
  }

  #take(length: number): Uint8Array {
    const start = this.#at
    this.#at += length
    return this.#bytes.subarray(start, this.#at)
  }

  /** A count of things of at least `unitBytes` each; more than the bytes left is refused before anything is made. */
  #length(unitBytes: number): number {
    const length = this.#int32()
    if (length < 0 || length * unitBytes > this.#bytes.length - this.#at) {
      throw new MalformedValueError(`length ${length} at ${this.#at - 4} is past the end`)
    }
    return length
  }

  #int32(): number {
    if (this.#at + 4 > this.#bytes.length) throw new MalformedValueError('the value ends early')
    const value = this.#view.getInt32(this.#at, true)
    this.#at += 4
    return value
  }

  #float(): number {
    if (this.#at + 8 > this.#bytes.length) throw new MalformedValueError('the value ends early')
    const value = this.#view.getFloat64(this.#at, true)
    this.#at += 8
    return value
  }

  /** Sign in the count, then 15-bit digits, least significant first. */
  #long(): number | bigint {
    const signed = this.#int32()
    const count = Math.abs(signed)
    if (count * 2 > this.#bytes.length - this.#at)
      throw new MalformedValueError(`${count} digits are past the end`)
    if (count <= EXACT_DIGITS) {
      let small = 0
      for (let i = count - 1; i >= 0; i--)
        small = small * 32768 + this.#view.getUint16(this.#at + 2 * i, true)
      this.#at += 2 * count
      return signed < 0 ? -small : small
    }
    const magnitude = this.#magnitude(count)
    const value = signed < 0 ? -magnitude : magnitude
    return magnitude <= Number.MAX_SAFE_INTEGER ? Number(value) : value
  }

  /** Through hexadecimal text, packed in one pass: V8 parses it in linear time. */
  #magnitude(count: number): bigint {
    const bytes = Buffer.alloc(Math.ceil((count * 15) / 8))
    let at = bytes.length
    let bits = 0
    let held = 0
    for (let i = 0; i < count; i++) {
      const digit = this.#view.getUint16(this.#at + 2 * i, true)
      if (digit > 0x7fff) throw new MalformedValueError(`a digit of ${digit}`)
      held |= digit << bits
      for (bits += 15; bits >= 8; bits -= 8) {
        bytes[--at] = held & 0xff
        held >>>= 8
      }
    }
    if (at > 0) bytes[--at] = held
    this.#at += 2 * count
    try {
      return BigInt(`0x${bytes.toString('hex')}`)
    } catch {
      // Larger than any BigInt.
      this.exact = false
      return 0n
    }
  }

  #text(length: number): string {
    const bytes = this.#take(length)
    if (length < SHORT_TEXT_BYTES) {
      let text = ''
      for (const byte of bytes) {
        if (byte > 127) return decodeText(bytes)
        text += String.fromCharCode(byte)
      }
      return text
    }
    return decodeText(bytes)
  }
}

/** UTF-8 in which lone surrogates are encoded too, as Python's `surrogatepass` writes them. */
function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return decodeSurrogates(bytes)
  }
}

/** Transcoded to UTF-16 in one pass; each byte that is no part of a character becomes U+FFFD. */
function decodeSurrogates(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const size = sizeOfCharacter(bytes, at)
    if (size === 0) {
      units[length++] = 0xfffd
      at++
      continue
    }
    const point = codePoint(bytes, at, size)
    if (point > 0xffff) {
      units[length++] = 0xd7c0 + (point >> 10)
      units[length++] = 0xdc00 | (point & 0x3ff)
    } else units[length++] = point
    at += size
  }
  return Buffer.from(units.buffer, 0, 2 * length).toString('utf16le')
}

/** Bytes of the character that begins at `at`, 0 if none does. Lone surrogates count as characters. */
function sizeOfCharacter(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  const size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  for (let i = 1; i < size; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0
  return size
}

function codePoint(bytes: Uint8Array, at: number, size: number): number {
  const first = bytes[at] ?? 0
  let point = size === 1 ? first : first & (0xff >> (size + 1))
  for (let i = 1; i < size; i++) point = (point << 6) | ((bytes[at + i] ?? 0) & 0x3f)
  return point
}
