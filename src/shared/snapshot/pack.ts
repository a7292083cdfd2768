// Writes MessagePack as snapshots use it: a head, and the document around it. Owns the encoding, always the shortest one; what goes in
// is document.ts's. Nothing here reads: bytes from elsewhere are hostile, and msgpack.ts reads them within bounds.

/** What a head is made of. */
export type Packable =
  | string
  | number
  | Uint8Array
  | readonly Packable[]
  | { readonly [key: string]: Packable }

/** A small session's head has less. */
const FIRST_BYTES = 2048
/** The longest head of a value, beside the bytes of text. */
const MOST_HEAD_BYTES = 9
/** Of a UTF-16 unit in UTF-8. */
const MOST_UNIT_BYTES = 3

/** A lone surrogate has no UTF-8 and becomes U+FFFD. The bytes are a copy of their own. */
export function pack(value: Packable): Uint8Array<ArrayBuffer> {
  const packer = new Packer()
  packer.add(value)
  return packer.bytes
}

class Packer {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES)
  #at = 0

  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer.subarray(0, this.#at))
  }

  add(value: Packable): void {
    if (typeof value === 'string') return this.#text(value)
    if (typeof value === 'number') return this.#number(value)
    if (value instanceof Uint8Array) return this.#bin(value)
    if (isList(value)) {
      this.#count(value.length, 0x90, 0xdc)
      for (const member of value) this.add(member)
      return
    }
    const entries = Object.entries(value)
    this.#count(entries.length, 0x80, 0xde)
    for (const [key, member] of entries) {
      this.#text(key)
      this.add(member)
    }
  }

  #text(text: string): void {
    this.#reserve(text.length * MOST_UNIT_BYTES)
    const bytes = Buffer.byteLength(text, 'utf8')
    if (bytes < 32) this.#byte(0xa0 | bytes)
    else this.#sized(0xd9, bytes)
    this.#at += this.#buffer.write(text, this.#at, 'utf8')
  }

  #bin(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#sized(0xc4, bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #number(value: number): void {
    this.#reserve(0)
    if (value >>> 0 !== value || Object.is(value, -0)) {
      this.#byte(0xcb)
      this.#at = this.#buffer.writeDoubleBE(value, this.#at)
    } else if (value < 0x80) this.#byte(value)
    else this.#sized(0xcc, value)
  }

  /** Of members. `short` is the code for fewer than 16, `long` for more. */
  #count(count: number, short: number, long: number): void {
    this.#reserve(0)
    if (count < 16) return this.#byte(short | count)
    // These have no form of one byte.
    if (count < 2 ** 16) {
      this.#byte(long)
      this.#at = this.#buffer.writeUInt16BE(count, this.#at)
      return
    }
    this.#byte(long + 1)
    this.#at = this.#buffer.writeUInt32BE(count, this.#at)
  }

  /** A number of one, two or four bytes: `code` is that of the first form. */
  #sized(code: number, value: number): void {
    const width = value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : 4
    this.#byte(code + (width >> 1))
    this.#at = this.#buffer.writeUIntBE(value, this.#at, width)
  }

  #byte(byte: number): void {
    this.#buffer[this.#at++] = byte
  }

  /** Room for the head of a value and so many bytes after it. */
  #reserve(bytes: number): void {
    const needed = this.#at + bytes + MOST_HEAD_BYTES
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length))
    larger.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = larger
  }
}

function isList(
  value: readonly Packable[] | { readonly [key: string]: Packable },
): value is readonly Packable[] {
  return Array.isArray(value)
}

/** What stands before bytes, in the shortest form. */
export function binHead(length: number): Uint8Array {
  if (length < 2 ** 8) return Uint8Array.of(0xc4, length)
  if (length < 2 ** 16) return Uint8Array.of(0xc5, length >> 8, length & 0xff)
  return Uint8Array.of(0xc6, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff)
}
