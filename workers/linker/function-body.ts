// Copies a library's functions, renumbered for the merged module. Owns the walk over instructions; opcodes.ts says which operands an opcode
// has. A library's globals become constants, except for the stack pointer.
import type { ByteWriter } from './byte-writer.js'
import { LIMITS } from './limits.js'
import { Unlinkable } from './link-error.js'
import { ATOMIC_OPCODES, BULK_OPCODES, OPCODES, OPERANDS, VECTOR_OPCODES, whyRefused } from './opcodes.js'

/** The merged module's numbers for everything that a library's functions refer to. */
export interface Renumbering {
  readonly functions: Uint32Array
  readonly types: Uint32Array
  readonly tags: Uint32Array
  /** Value of each global. */
  readonly globals: Int32Array
  /** The library's numbers for the stack pointer: usually one or none. */
  readonly stackPointers: ReadonlySet<number>
  readonly stackPointer: number
}

const OP = { globalGet: 0x23, i32Const: 0x41, refFunc: 0xd2 } as const
const NO_VALUE = 0x40
const LOWEST_VALUE_TYPE = 0x6f
const HIGHEST_VALUE_TYPE = 0x7f
const SECOND_MEMORY = 0x40

export class FunctionBodies {
  readonly #to: ByteWriter
  readonly #numbers: Renumbering
  readonly #declared: Set<number>
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  /** The body has been copied up to here. */
  #copied = 0

  /**
   * @param declared - receives the functions that `ref.func` names, which the module has to declare
   */
  constructor(to: ByteWriter, numbers: Renumbering, declared: Set<number>) {
    this.#to = to
    this.#numbers = numbers
    this.#declared = declared
  }

  /** Appends a function's body, without its length. */
  append(body: Uint8Array): void {
    this.#bytes = body
    this.#at = 0
    this.#copied = 0
    const before = this.#to.length
    this.#locals()
    while (this.#at < body.length) {
      const opcode = this.#byte()
      this.#operands(OPCODES[opcode] ?? OPERANDS.refused, opcode)
    }
    if (this.#at !== body.length) throw new Unlinkable('a function ends within an instruction')
    this.#to.copy(body, this.#copied, body.length)
    if (this.#to.length - before > LIMITS.functionBytes) throw new Unlinkable('a function is too long')
  }

  #locals(): void {
    for (let groups = this.#count(); groups > 0; groups--) {
      this.#u32()
      this.#byte()
    }
  }

  #operands(operands: number, opcode: number): void {
    switch (operands) {
      case OPERANDS.none:
        return
      case OPERANDS.number:
        return this.#skipNumber()
      case OPERANDS.memory:
        return this.#memory()
      case OPERANDS.fourBytes:
        this.#at += 4
        return
      case OPERANDS.eightBytes:
        this.#at += 8
        return
      case OPERANDS.sixteenBytes:
        this.#at += 16
        return
      case OPERANDS.lane:
        this.#at += 1
        return
      case OPERANDS.memoryAndLane:
        this.#memory()
        this.#at += 1
        return
      case OPERANDS.zero:
        return this.#zero()
      case OPERANDS.twoZeros:
        this.#zero()
        return this.#zero()
      case OPERANDS.block:
        return this.#block()
      case OPERANDS.labels:
        for (let labels = this.#count() + 1; labels > 0; labels--) this.#skipNumber()
        return
      case OPERANDS.types:
        this.#at += this.#count()
        return
      case OPERANDS.heapType:
        this.#at += 1
        return
      case OPERANDS.function:
        return this.#function(opcode)
      case OPERANDS.indirect:
        this.#renumber(this.#numbers.types)
        return this.#zero()
      case OPERANDS.tag:
        this.#renumber(this.#numbers.tags)
        return
      case OPERANDS.globalGet:
        return this.#globalGet()
      case OPERANDS.globalSet:
        return this.#globalSet()
      case OPERANDS.bulk:
        return this.#prefixed(opcode, BULK_OPCODES)
      case OPERANDS.vector:
        return this.#prefixed(opcode, VECTOR_OPCODES)
      case OPERANDS.atomic:
        return this.#prefixed(opcode, ATOMIC_OPCODES)
      default:
        throw new Unlinkable(whyRefused(opcode))
    }
  }

  #prefixed(opcode: number, table: Uint8Array): void {
    const second = this.#u32()
    const operands = table[second] ?? OPERANDS.refused
    if (operands === OPERANDS.refused) throw new Unlinkable(whyRefused(opcode, second))
    this.#operands(operands, opcode)
  }

  #function(opcode: number): void {
    const index = this.#renumber(this.#numbers.functions)
    if (opcode === OP.refFunc) this.#declared.add(index)
  }

  /** A block type: a value type, or the number of a function type, encoded as a signed number. */
  #block(): void {
    const first = this.#bytes[this.#at] ?? 0
    if (first === NO_VALUE || (first >= LOWEST_VALUE_TYPE && first <= HIGHEST_VALUE_TYPE)) {
      this.#at += 1
      return
    }
    const start = this.#at
    const type = this.#numbers.types[this.#u32()]
    if (type === undefined) throw new Unlinkable('a function uses a type that the module does not have')
    this.#replace(start)
    this.#to.i32(type)
  }

  #globalGet(): void {
    const start = this.#at - 1
    const index = this.#u32()
    const value = this.#numbers.globals[index]
    if (value === undefined) throw new Unlinkable('a function uses a global that the module does not have')
    this.#replace(start)
    if (this.#numbers.stackPointers.has(index)) {
      this.#to.byte(OP.globalGet)
      this.#to.u32(this.#numbers.stackPointer)
    } else {
      this.#to.byte(OP.i32Const)
      this.#to.i32(value)
    }
  }

  #globalSet(): void {
    const start = this.#at
    if (!this.#numbers.stackPointers.has(this.#u32()))
      throw new Unlinkable(
        'a function sets a global, which snapshots do not contain: all state has to be in memory',
      )
    this.#replace(start)
    this.#to.u32(this.#numbers.stackPointer)
  }

  /** Replaces the number that follows by its merged one, and returns that. */
  #renumber(numbers: Uint32Array): number {
    const start = this.#at
    const to = numbers[this.#u32()]
    if (to === undefined) throw new Unlinkable('a function uses a number that the module does not have')
    this.#replace(start)
    this.#to.u32(to)
    return to
  }

  /** Copies everything before `start`, and skips from there to the current position. */
  #replace(start: number): void {
    this.#to.copy(this.#bytes, this.#copied, start)
    this.#copied = this.#at
  }

  #memory(): void {
    if ((this.#u32() & SECOND_MEMORY) !== 0) throw new Unlinkable('a function uses a second memory')
    this.#skipNumber()
  }

  #zero(): void {
    if (this.#byte() !== 0) throw new Unlinkable('a function uses a second memory or table')
  }

  /** Reads the number of items that follow, each of at least one byte. */
  #count(): number {
    const count = this.#u32()
    if (count > this.#bytes.length - this.#at) throw new Unlinkable('a function is truncated')
    return count
  }

  #u32(): number {
    const bytes = this.#bytes
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[this.#at++] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new Unlinkable('a function has a number that is too long')
  }

  /** Past the end, bytes read as 0, so this ends. The caller compares its position with the end of the body. */
  #skipNumber(): void {
    const bytes = this.#bytes
    while ((bytes[this.#at++] ?? 0) >= 0x80);
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }
}
