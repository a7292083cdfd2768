// Reads the code of a WebAssembly module instruction by instruction, to find what each one changes. Owns the sizes of immediates.
// An unknown opcode is an error, so that no change is missed.

/** An instruction that changes something other than memory, locals and the stack. */
export type Change =
  | { readonly what: 'global'; readonly index: number }
  | {
      readonly what: 'table'
      readonly index: number
      readonly how: 'set' | 'init' | 'copy' | 'grow' | 'fill'
    }

const CODE_SECTION = 10

/** Yields the changes of all functions, in order. */
export function* changesOf(module: Uint8Array): Iterable<Change> {
  const reader = new Reader(module)
  reader.at = 8
  while (reader.at < module.length) {
    const id = reader.byte()
    const end = reader.u32() + reader.at
    if (id === CODE_SECTION) {
      for (let left = reader.u32(); left > 0; left--) {
        const bodyEnd = reader.u32() + reader.at
        for (let groups = reader.u32(); groups > 0; groups--) {
          reader.u32()
          reader.byte()
        }
        while (reader.at < bodyEnd) yield* reader.instruction()
      }
    }
    reader.at = end
  }
}

class Reader {
  readonly #bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0
  }

  /** Also used to skip signed numbers. */
  u32(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }

  *instruction(): Iterable<Change> {
    const opcode = this.byte()
    if (opcode === 0x24) yield { what: 'global', index: this.u32() }
    else if (opcode === 0x26) yield { what: 'table', index: this.u32(), how: 'set' }
    else if (opcode === 0xfc) yield* this.#bulk()
    else if (opcode === 0xfd) this.#simd()
    else if (opcode === 0xfe) this.#atomic()
    else this.#skip(opcode)
  }

  *#bulk(): Iterable<Change> {
    const opcode = this.u32()
    if (opcode <= 7) return
    const first = this.u32()
    if (opcode === 8 || opcode === 10) this.u32()
    else if (opcode === 12) yield { what: 'table', index: this.u32(), how: 'init' }
    else if (opcode === 14) {
      this.u32()
      yield { what: 'table', index: first, how: 'copy' }
    } else if (opcode === 15) yield { what: 'table', index: first, how: 'grow' }
    else if (opcode === 17) yield { what: 'table', index: first, how: 'fill' }
    else if (opcode !== 9 && opcode !== 11 && opcode !== 13 && opcode !== 16)
      throw new Error(`unknown opcode 0xfc ${opcode}`)
  }

  #simd(): void {
    const opcode = this.u32()
    if (opcode <= 11 || opcode === 92 || opcode === 93) this.#memory()
    else if (opcode === 12 || opcode === 13) this.at += 16
    else if (opcode >= 21 && opcode <= 34) this.at += 1
    else if (opcode >= 84 && opcode <= 91) {
      this.#memory()
      this.at += 1
    } else if (opcode > 275) throw new Error(`unknown opcode 0xfd ${opcode}`)
  }

  #atomic(): void {
    const opcode = this.u32()
    if (opcode === 3) this.at += 1
    else if (opcode <= 2 || (opcode >= 16 && opcode <= 78)) this.#memory()
    else throw new Error(`unknown opcode 0xfe ${opcode}`)
  }

  #memory(): void {
    this.u32()
    this.u32()
  }

  #skip(opcode: number): void {
    if (ONE.has(opcode)) this.u32()
    else if (opcode === 0x11 || opcode === 0x13 || (opcode >= 0x28 && opcode <= 0x3e)) this.#memory()
    else if (opcode === 0x0e || opcode === 0x1c)
      for (let left = this.u32() + (opcode === 0x0e ? 1 : 0); left > 0; left--) this.u32()
    else if (opcode === 0x43) this.at += 4
    else if (opcode === 0x44) this.at += 8
    else if (!NONE.has(opcode) && !(opcode >= 0x45 && opcode <= 0xc4))
      throw new Error(`unknown opcode ${opcode}`)
  }
}

/** Opcodes with one number: a type, label, function, tag, local, global, table or memory, or a constant. */
const ONE = new Set([
  ...[0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0c, 0x0d, 0x10, 0x12, 0x18],
  ...[0x20, 0x21, 0x22, 0x23, 0x25, 0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2],
])
const NONE = new Set([0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x19, 0x1a, 0x1b, 0xd1])
