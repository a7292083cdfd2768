// MessagePack as snapshots speak it: msgpackr without records and extensions. Owns the subset and its check, which hostile
// bytes pass before msgpackr sees them (ATTACKS.md E): no extensions, no reserved codes, keys that are text without
// repetition or small integers, bounded nesting, every length within what is left, nothing after the value.
import { isUtf8 } from 'node:buffer'
// Its entry without the optional native reader: the same results on every machine (ATTACKS.md E11).
import { Packr } from 'msgpackr/pack'

/** The bytes are no MessagePack, or more of it than a snapshot has. */
export class MsgpackError extends Error {
  override readonly name = 'MsgpackError'
}

/** Keeps nothing between calls but its buffer. Maps come out as Maps: no name of the guest's ever becomes a property here. */
const packr = new Packr({ useRecords: false, moreTypes: false, mapsAsObjects: false, int64AsType: 'auto' })

/** Deeper than anything that we write. */
const MAX_DEPTH = 1024

/** The bytes are a copy of their own. */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(packr.pack(value))
}

/** @throws MsgpackError */
export function decode(bytes: Uint8Array): unknown {
  new Check(bytes).document()
  // A view of its own: msgpackr writes a property on what it reads.
  return packr.unpack(bytes.subarray())
}

/** One walk over a document that makes nothing of it. */
class Check {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  document(): void {
    this.#value(0)
    if (this.#at !== this.#bytes.length) throw new MsgpackError('something follows the value')
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) throw new MsgpackError('nested too deeply')
    const code = this.#byte()
    if (code <= 0x7f || code >= 0xe0) return
    if (code <= 0x8f) return this.#map(code & 0x0f, depth)
    if (code <= 0x9f) return this.#array(code & 0x0f, depth)
    if (code <= 0xbf) return this.#text(code & 0x1f)
    switch (code) {
      case 0xc0: // nil
      case 0xc2: // false
      case 0xc3: // true
        return
      case 0xc4:
      case 0xc5:
      case 0xc6:
        this.#take(this.#length(code - 0xc4))
        return
      case 0xca:
      case 0xce:
      case 0xd2:
        this.#take(4)
        return
      case 0xcb:
      case 0xcf:
      case 0xd3:
        this.#take(8)
        return
      case 0xcc:
      case 0xd0:
        this.#take(1)
        return
      case 0xcd:
      case 0xd1:
        this.#take(2)
        return
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#length(code - 0xd9))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(code - 0xdb), depth)
      case 0xde:
      case 0xdf:
        return this.#map(this.#length(code - 0xdd), depth)
      default:
        throw new MsgpackError(`the code 0x${code.toString(16)} does not belong here`)
    }
  }

  #array(count: number, depth: number): void {
    // Each member takes a byte at least: a length that lies ends here and not in an allocation (ATTACKS.md E7).
    if (count > this.#bytes.length - this.#at) throw new MsgpackError('an array ends early')
    for (let i = 0; i < count; i++) this.#value(depth + 1)
  }

  #map(count: number, depth: number): void {
    if (2 * count > this.#bytes.length - this.#at) throw new MsgpackError('a map ends early')
    const keys = new Set<string>()
    for (let i = 0; i < count; i++) {
      const key = this.#key()
      if (key === '__proto__' || keys.has(key)) throw new MsgpackError('a key that must not be')
      keys.add(key)
      this.#value(depth + 1)
    }
  }

  #key(): string {
    const start = this.#at
    const code = this.#bytes[start] ?? 0xc1
    const isText = (code >= 0xa0 && code <= 0xbf) || (code >= 0xd9 && code <= 0xdb)
    if (!isText && code > 0x7f) throw new MsgpackError('a key that is no text')
    this.#value(0)
    if (!isText) return `#${code}`
    const head = code <= 0xbf ? 1 : 1 + 2 ** (code - 0xd9)
    return Buffer.from(
      this.#bytes.buffer,
      this.#bytes.byteOffset + start + head,
      this.#at - start - head,
    ).toString()
  }

  #text(length: number): void {
    const start = this.#take(length)
    if (!isUtf8(this.#bytes.subarray(start, this.#at))) throw new MsgpackError('text that is not UTF-8')
  }

  /** A length of 1, 2 or 4 bytes, by `size` 0, 1, 2. */
  #length(size: number): number {
    const at = this.#take(2 ** size)
    if (size === 0) return this.#view.getUint8(at)
    return size === 1 ? this.#view.getUint16(at) : this.#view.getUint32(at)
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1))
  }

  #take(count: number): number {
    const start = this.#at
    if (count > this.#bytes.length - start) throw new MsgpackError('the bytes end early')
    this.#at = start + count
    return start
  }
}
