// Calls C functions by address, for ctypes and cffi. Owns reading the arguments that libffi has laid out in memory, and which functions
// may be called: those of the table that take and return numbers, which compiled code can call as well (R1).
import type { BoundExports } from './bound-exports.js'
import type { Ending, ImportFunction } from './guard.js'
import type { GuestMemory } from './guest-memory.js'

/** `ffi_cif` of libffi. */
const CIF = { count: 4, types: 8, result: 12, fixedCount: 24 } as const
/** `ffi_type` of libffi; `elements` is a null-terminated list. */
const TYPE = { size: 0, alignment: 4, id: 6, elements: 8 } as const
const ID = {
  void: 0,
  float: 2,
  double: 3,
  longDouble: 4,
  u8: 5,
  i8: 6,
  u16: 7,
  i16: 8,
  u64: 11,
  i64: 12,
  struct: 13,
} as const
/** The C standard guarantees 127 parameters; libffi's only bound is the guest's memory. */
const MAX_ARGUMENTS = 1000
/** Deepest nesting of structures. */
const MAX_NESTING = 64
const STACK_ALIGNMENT = 16
/** Largest size of a variadic argument. */
const MAX_VARIADIC_BYTES = 16
const NO_FUNCTION = 'the code called an address that is not a C function Python can call'

type Argument = number | bigint

export interface ForeignCallContext {
  readonly memory: GuestMemory
  readonly ending: Ending
  /** A bit per index in the function table. Undefined if the image has no packages: then nothing may be called. */
  readonly callable: Uint8Array | undefined
  readonly exports: Pick<BoundExports, '__indirect_function_table' | '__stack_pointer'> | undefined
}

export function foreignCallImports(context: ForeignCallContext): Readonly<Record<string, ImportFunction>> {
  const { ending } = context
  return {
    ffi_call_js: (cif: number, target: number, result: number, values: number) => {
      const { callable, exports } = context
      const stackPointer = exports?.__stack_pointer
      if (callable === undefined || exports === undefined || stackPointer === undefined)
        return ending.end(
          'ffi_call_js',
          'the code called a C function by its address through ctypes: sessions without packages cannot',
        )
      const index = target >>> 0
      if (((callable[index >>> 3] ?? 0) & (1 << (index & 7))) === 0)
        return ending.end('ffi_call_js', NO_FUNCTION)
      const before = stackPointer.value
      const call = new ForeignCall(context.memory, before >>> 0)
      let prepared: readonly Argument[]
      try {
        prepared = call.prepare(cif >>> 0, result >>> 0, values >>> 0)
      } catch {
        return ending.end(
          'ffi_call_js',
          'the code called a C function with arguments that are not in its memory',
        )
      }
      const run = exports.__indirect_function_table.get(index) as ((...values: Argument[]) => unknown) | null
      if (run === null) return ending.end('ffi_call_js', NO_FUNCTION)
      stackPointer.value = call.stack | 0
      const returned = run(...prepared)
      stackPointer.value = before
      call.finish(result >>> 0, returned)
    },
  }
}

interface ValueType {
  readonly address: number
  readonly id: number
}

/** One call. Whatever the guest's memory contains, all loops are bounded and every access stays inside that memory. */
class ForeignCall {
  readonly #memory: GuestMemory
  /** Top of the C stack below the structures that are passed by address. */
  stack: number
  #resultId: number = ID.void

  constructor(memory: GuestMemory, stack: number) {
    this.#memory = memory
    this.stack = stack
  }

  /** Returns the arguments as WebAssembly values. @throws FsError */
  prepare(cif: number, result: number, values: number): readonly Argument[] {
    const memory = this.#memory
    const count = Math.min(memory.u32(cif + CIF.count), MAX_ARGUMENTS)
    const fixedCount = Math.min(memory.u32(cif + CIF.fixedCount), count)
    const types = memory.u32(cif + CIF.types)
    const argument = (index: number) => ({
      type: this.#unwrapped(memory.u32(types + 4 * index)),
      at: memory.u32(values + 4 * index),
    })
    const prepared: Argument[] = []
    this.#resultId = this.#unwrapped(memory.u32(cif + CIF.result)).id
    // The callee writes such a result itself, to an address that is its first argument.
    if (this.#resultId === ID.struct || this.#resultId === ID.longDouble) {
      prepared.push(result)
      this.#resultId = ID.void
    }
    for (let index = 0; index < fixedCount; index += 1) {
      const { type, at } = argument(index)
      if (type.id === ID.longDouble) prepared.push(this.#i64(at), this.#i64(at + 8))
      else prepared.push(this.#value(type, at))
    }
    // Variadic arguments are in memory, in order, each aligned to its size.
    if (memory.u32(cif + CIF.count) > fixedCount) {
      for (let index = count - 1; index >= fixedCount; index -= 1) {
        const { type, at } = argument(index)
        if (type.id === ID.struct) {
          const copy = this.#value(type, at)
          memory.setU32(this.#push(4, 4), Number(copy))
          continue
        }
        const size = Math.min(memory.u32(type.address + TYPE.size), MAX_VARIADIC_BYTES)
        this.#copy(at, this.#push(size, Math.min(size, 8)), size)
      }
      prepared.push(this.stack)
    }
    this.stack -= this.stack % STACK_ALIGNMENT
    return prepared
  }

  /** Stores what the function returned, converted to the expected type. Anything that is not a number becomes 0. */
  finish(at: number, returned: unknown): void {
    const memory = this.#memory
    const isBig = typeof returned === 'bigint'
    const number = typeof returned === 'number' ? returned : isBig ? Number(BigInt.asIntN(32, returned)) : 0
    switch (this.#resultId) {
      case ID.void:
        return
      case ID.float:
        memory.view.setFloat32(memory.range(at, 4), number, true)
        return
      case ID.double:
        memory.view.setFloat64(memory.range(at, 8), number, true)
        return
      case ID.u64:
      case ID.i64:
        memory.view.setBigInt64(memory.range(at, 8), isBig ? returned : BigInt(Math.trunc(number) || 0), true)
        return
      default:
        memory.view.setInt32(memory.range(at, 4), number, true)
    }
  }

  /** A structure with one member is passed as that member. */
  #unwrapped(given: number): ValueType {
    const memory = this.#memory
    let address = given
    for (let depth = 0; depth < MAX_NESTING && this.#id(address) === ID.struct; depth += 1) {
      const elements = memory.u32(address + TYPE.elements)
      const first = memory.u32(elements)
      if (first === 0) return { address, id: ID.void }
      if (memory.u32(elements + 4) !== 0) break
      address = first
    }
    return { address, id: this.#id(address) }
  }

  #value({ address, id }: ValueType, at: number): Argument {
    const { view } = this.#memory
    const from = (bytes: number) => this.#memory.range(at, bytes)
    switch (id) {
      case ID.void:
        return 0
      case ID.float:
        return view.getFloat32(from(4), true)
      case ID.double:
        return view.getFloat64(from(8), true)
      case ID.u8:
        return view.getUint8(from(1))
      case ID.i8:
        return view.getInt8(from(1))
      case ID.u16:
        return view.getUint16(from(2), true)
      case ID.i16:
        return view.getInt16(from(2), true)
      case ID.u64:
      case ID.i64:
        return this.#i64(at)
      case ID.struct: {
        const size = this.#memory.u32(address + TYPE.size)
        const alignment =
          Math.min(view.getUint16(this.#memory.range(address + TYPE.alignment, 2), true), 64) || 1
        const copy = this.#push(size, alignment)
        this.#copy(at, copy, size)
        return copy
      }
      default:
        return this.#memory.u32(at)
    }
  }

  #id(type: number): number {
    return this.#memory.view.getUint16(this.#memory.range(type + TYPE.id, 2), true)
  }

  #i64(at: number): bigint {
    return this.#memory.view.getBigInt64(this.#memory.range(at, 8), true)
  }

  /** Reserves room on the C stack. */
  #push(size: number, alignment: number): number {
    const at = this.stack - size
    this.stack = at - (at % Math.max(1, alignment))
    if (this.stack <= 0) throw new RangeError('the C stack is full')
    return this.stack
  }

  #copy(from: number, to: number, size: number): void {
    const start = this.#memory.range(from, size)
    this.#memory.bytes.copyWithin(this.#memory.range(to, size), start, start + size)
  }
}
