// Writes bytes in order. Owns its buffer, which grows as needed.

const FIRST_BYTES = 4096
/** Up to this many bytes, copying one by one is faster than making a view. */
const FEW_BYTES = 24

export class ByteWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Valid until the next write. */
  get view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  u32(value: number): void {
    this.#reserve(5)
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  i32(value: number): void {
    this.#reserve(5)
    let rest = value | 0
    while (rest < -0x40 || rest >= 0x40) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>= 7
    }
    this.#bytes[this.#length++] = rest & 0x7f
  }

  /** Appends the bytes of `source` in `[from, to)`. */
  copy(source: Uint8Array, from: number, to: number): void {
    const length = to - from
    this.#reserve(length)
    if (length > FEW_BYTES) this.#bytes.set(source.subarray(from, to), this.#length)
    else for (let i = 0; i < length; i++) this.#bytes[this.#length + i] = source[from + i] as number
    this.#length += length
  }

  #reserve(length: number): void {
    const wanted = this.#length + length
    if (wanted <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(wanted, 2 * this.#bytes.length))
    grown.set(this.view)
    this.#bytes = grown
  }
}
