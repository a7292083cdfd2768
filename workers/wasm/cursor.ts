// Reads the parts of a WebAssembly binary. Every read is checked against the end of the bytes, and every counted item takes at least a
// byte, so the time for hostile bytes is linear in their length. Owns the position; its users interpret the parts.

/** The bytes violate the WebAssembly format, or use something that our readers do not support. */
export class WasmFormatError extends Error {
  override readonly name = 'WasmFormatError'
}

/** How many more items may be read, over several binaries. An item of three bytes may take a hundred bytes of memory. */
export class Allowance {
  #left: number

  constructor(items: number) {
    this.#left = items
  }

  take(items: number): void {
    this.#left -= items
    if (this.#left < 0) throw new WasmFormatError('the WebAssembly binary has too many parts')
  }
}

export class Cursor {
  readonly #bytes: Uint8Array
  readonly #allowance: Allowance | undefined
  #text: Buffer | undefined
  #at = 0

  /** @param allowance - counts all items that are read from `bytes`; undefined: only the length of the bytes limits them */
  constructor(bytes: Uint8Array, allowance?: Allowance) {
    this.#bytes = bytes
    this.#allowance = allowance
  }

  get at(): number {
    return this.#at
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new WasmFormatError('the WebAssembly binary is truncated')
    return byte
  }

  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new WasmFormatError('a number in the WebAssembly binary is too long')
  }

  /** Reads a signed number of at most 33 bits, and returns the lower 32. */
  i32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return shift < 25 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value
    }
    throw new WasmFormatError('a number in the WebAssembly binary is too long')
  }

  i64(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (byte & 0x40) === 0 ? value : value - (1n << (shift + 7n)))
    }
    throw new WasmFormatError('a number in the WebAssembly binary is too long')
  }

  take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new WasmFormatError('the WebAssembly binary is truncated')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  /** Reads UTF-8 text that is preceded by its length. */
  name(): string {
    const length = this.u32()
    const start = this.#at
    this.take(length)
    this.#text ??= Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
    return this.#text.toString('utf8', start, this.#at)
  }

  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#at)
  }

  hex(length: number): string {
    return Buffer.from(this.take(length)).toString('hex')
  }

  /** Reads a count, and calls `item` that many times. Each call must read at least one byte. */
  times(item: () => void): void {
    const count = this.u32()
    this.#allowance?.take(count)
    for (let left = count; left > 0; left--) item()
  }
}
