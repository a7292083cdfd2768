// Reads values out of the marshal bytes an interpreter sent. The bytes are hostile (R3): every length is checked against
// what is left before anything is allocated, nesting is bounded, and what comes out is plain data by construction.
import { MAX_DEPTH, NO_VALUE, TypeCode, type Value } from './value.js'

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
        return new Set(this.#items(this.#length(1), depth)) as Set<Value>
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
    const items: Decoded[] = []
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1))
    return items
  }

  #dict(depth: number): Value {
    const object: Record<string, Value> = {}
    for (;;) {
      if (this.#bytes[this.#at] === TypeCode.null) {
        this.#at++
        return object
      }
      const key = this.value(depth + 1)
      const value = this.value(depth + 1) as Value
      // Assigning the key `__proto__` would set the object's prototype.
      if (typeof key === 'string' && key !== '__proto__') object[key] = value
      else this.exact = false
    }
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
    // Through text: V8 parses it in linear time, while shifting digit by digit is quadratic.
    let bits = ''
    for (let i = count - 1; i >= 0; i--) {
      bits += this.#view
        .getUint16(this.#at + 2 * i, true)
        .toString(2)
        .padStart(15, '0')
    }
    this.#at += 2 * count
    const magnitude = BigInt(`0b${bits}`)
    const value = signed < 0 ? -magnitude : magnitude
    return magnitude <= Number.MAX_SAFE_INTEGER ? Number(value) : value
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

function decodeSurrogates(bytes: Uint8Array): string {
  const parts: string[] = []
  let plainFrom = 0
  for (let at = 0; at + 2 < bytes.length; at++) {
    const second = bytes[at + 1] ?? 0
    if (bytes[at] !== 0xed || second < 0xa0) continue
    parts.push(lenient(bytes.subarray(plainFrom, at)))
    parts.push(String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | ((bytes[at + 2] ?? 0) & 0x3f)))
    at += 2
    plainFrom = at + 1
  }
  parts.push(lenient(bytes.subarray(plainFrom)))
  return parts.join('')
}

function lenient(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
