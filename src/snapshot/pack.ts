// Writes MessagePack as snapshots use it: a head, and the document around it. Owns the encoding, docs/snapshot-format.md; what goes in
// is document.ts's.

/** What a head is made of. */
export type Packable =
  | string
  | number
  | Uint8Array
  | readonly Packable[]
  | { readonly [key: string]: Packable }

/** A lone surrogate has no UTF-8 and becomes U+FFFD. */
export function pack(value: Packable): Uint8Array<ArrayBuffer> {
  const packer = new Packer(mostBytes(value))
  packer.value(value)
  return packer.bytes()
}

/** Of a head; a character is at most three bytes. */
function mostBytes(value: Packable): number {
  if (typeof value === 'number') return 9
  if (typeof value === 'string') return 5 + 3 * value.length
  if (value instanceof Uint8Array) return 5 + value.length
  let bytes = 5
  for (const [key, member] of Object.entries(value)) bytes += 5 + 3 * key.length + mostBytes(member)
  return bytes
}

/** Writes into one buffer: a head is made for every checkpoint, and most of its parts are a few bytes. */
class Packer {
  readonly #buffer: Buffer<ArrayBuffer>
  #at = 0

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(bytes)
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer.subarray(0, this.#at))
  }

  value(value: Packable): void {
    if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'string') this.#text(value)
    else if (value instanceof Uint8Array) {
      this.#put(binHead(value.length))
      this.#put(value)
    } else if (Array.isArray(value)) {
      this.#sized(0xdd, value.length)
      for (const member of value) this.value(member)
    } else {
      const entries = Object.entries(value as { readonly [key: string]: Packable })
      this.#sized(0xdf, entries.length)
      for (const [key, member] of entries) {
        this.#text(key)
        this.value(member)
      }
    }
  }

  /** As few encodings as there can be: one byte, uint 32, float 64. */
  #number(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) {
      this.#buffer[this.#at++] = 0xcb
      this.#at = this.#buffer.writeDoubleBE(value, this.#at)
    } else if (value < 0x80) this.#buffer[this.#at++] = value
    else this.#sized(0xce, value)
  }

  #text(value: string): void {
    // Short text has a head of one byte, and its length is not known before it is written.
    const headBytes = value.length <= 10 ? 1 : 5
    const length = this.#buffer.write(value, this.#at + headBytes, 'utf8')
    if (headBytes === 1) this.#buffer[this.#at++] = 0xa0 | length
    else this.#sized(0xdb, length)
    this.#at += length
  }

  #put(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #sized(code: number, length: number): void {
    this.#buffer[this.#at] = code
    this.#at = this.#buffer.writeUInt32BE(length, this.#at + 1)
  }
}

/** What stands before bytes, in the shortest form. */
export function binHead(length: number): Uint8Array {
  if (length < 2 ** 8) return Uint8Array.of(0xc4, length)
  if (length < 2 ** 16) return Uint8Array.of(0xc5, length >> 8, length & 0xff)
  return Uint8Array.of(0xc6, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff)
}
