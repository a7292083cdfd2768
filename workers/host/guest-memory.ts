// The host's access to the interpreter's memory. Every read and write is checked against the current size, because each pointer
// and length comes from hostile code (R1). Owns the views, which it replaces after the memory has grown; knows no structs.
import { PATH_MAX } from './abi.js'
import { fail } from './errno.js'

const NO_MEMORY = Buffer.alloc(0)

export class GuestMemory {
  #memory: WebAssembly.Memory | undefined
  #bytes: Buffer<ArrayBufferLike> = NO_MEMORY
  #view = new DataView(new ArrayBuffer(0))

  bind(memory: WebAssembly.Memory): void {
    this.#memory = memory
    this.#refresh()
  }

  /** All of the memory. Growth detaches it, so never keep it across a call that may allocate in the interpreter. */
  get bytes(): Buffer<ArrayBufferLike> {
    if (this.#bytes.length === 0) this.#refresh()
    return this.#bytes
  }

  /** For accesses that have no method here. Like `bytes`, it must not be kept, and every address must come from `range`. */
  get view(): DataView {
    return this.#data
  }

  get #data(): DataView {
    if (this.#bytes.length === 0) this.#refresh()
    return this.#view
  }

  /** Checks that `length` bytes exist at `pointer`, which must not be null. Returns the unsigned offset. @throws FsError EFAULT */
  range(pointer: number, length: number): number {
    const start = pointer >>> 0
    if (start === 0 && length > 0) fail('EFAULT')
    if (start + length > this.bytes.length) fail('EFAULT')
    return start
  }

  u32(pointer: number): number {
    return this.#data.getUint32(this.range(pointer, 4), true)
  }

  i32(pointer: number): number {
    return this.#data.getInt32(this.range(pointer, 4), true)
  }

  i16(pointer: number): number {
    return this.#data.getInt16(this.range(pointer, 2), true)
  }

  /** A signed 64-bit number. Beyond 2^53 it is approximate, which is enough for times. */
  i64(pointer: number): number {
    const at = this.range(pointer, 8)
    return this.#data.getInt32(at + 4, true) * 2 ** 32 + this.#data.getUint32(at, true)
  }

  setU8(pointer: number, value: number): void {
    this.#data.setUint8(this.range(pointer, 1), value)
  }

  setU16(pointer: number, value: number): void {
    this.#data.setUint16(this.range(pointer, 2), value, true)
  }

  setU32(pointer: number, value: number): void {
    this.#data.setUint32(this.range(pointer, 4), value, true)
  }

  /** Writes a 64-bit number that is given as two halves. */
  setU64(pointer: number, low: number, high: number): void {
    const at = this.range(pointer, 8)
    const data = this.#data
    data.setUint32(at, low, true)
    data.setUint32(at + 4, high, true)
  }

  /** Writes a signed 64-bit number without a BigInt. `value` must be a safe integer. */
  setI64(pointer: number, value: number): void {
    const at = this.range(pointer, 8)
    const high = Math.floor(value / 2 ** 32)
    this.#data.setUint32(at, value - high * 2 ** 32, true)
    this.#data.setInt32(at + 4, high, true)
  }

  /** Reads a NUL-terminated byte string of at most PATH_MAX bytes, as one UTF-16 unit per byte (names are bytes on POSIX). */
  path(pointer: number): string {
    const start = this.range(pointer, 1)
    const bytes = this.bytes
    const limit = Math.min(start + PATH_MAX, bytes.length)
    let end = start
    while (end < limit && bytes[end] !== 0) end += 1
    if (end === limit) fail(limit === bytes.length ? 'EFAULT' : 'ENAMETOOLONG')
    return bytes.toString('latin1', start, end)
  }

  /** Writes a byte string without a NUL. */
  setText(pointer: number, text: string): void {
    this.bytes.write(text, this.range(pointer, text.length), 'latin1')
  }

  #refresh(): void {
    if (this.#memory === undefined) return
    const { buffer } = this.#memory
    this.#bytes = Buffer.from(buffer)
    this.#view = new DataView(buffer)
  }
}
