// The start function of a library. wasm-ld makes it straight-line code that clears memory and sets globals to a base plus a constant. Owns
// interpreting it: its effects are known when the libraries are placed, so it never runs in the merged module.
import { Cursor } from '../wasm/cursor.js'
import { LIMITS } from './limits.js'
import { Unlinkable } from './link-error.js'

/** A write to memory before any code runs. */
export type MemoryWrite =
  | { readonly address: number; readonly bytes: Uint8Array }
  | { readonly address: number; readonly length: number; readonly fill: number }

const OP = {
  end: 0x0b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Store: 0x36,
  i64Store: 0x37,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Add: 0x6a,
  bulk: 0xfc,
} as const
const MEMORY_FILL = 11
const STORED_BYTES: Readonly<Record<number, number>> = {
  [OP.i32Store]: 4,
  [OP.i64Store]: 8,
  [OP.i32Store8]: 1,
  [OP.i32Store16]: 2,
}
/** V8's limit. */
const MOST_LOCALS = 50_000

/**
 * @param globals - the value of each global; updated if the function sets it
 * @returns its writes to memory, in order
 */
export function runStart(body: Uint8Array, globals: Int32Array): MemoryWrite[] {
  const cursor = new Cursor(body)
  const writes: MemoryWrite[] = []
  const stack: bigint[] = []
  const pop = () => {
    const value = stack.pop()
    if (value === undefined) throw new Unlinkable('its start function takes a value from an empty stack')
    return value
  }
  const address = (offset: number) => {
    const at = Number(BigInt.asUintN(32, pop())) + offset
    return at
  }
  const locals = readLocals(cursor)
  const local = (index: number) => locals[index] ?? 0n
  for (;;) {
    if (writes.length > LIMITS.startWrites) throw new Unlinkable('its start function writes too often')
    const opcode = cursor.byte()
    const bytes = STORED_BYTES[opcode]
    if (opcode === OP.end) return writes
    if (opcode === OP.i32Const) stack.push(BigInt(cursor.i32()))
    else if (opcode === OP.i64Const) stack.push(cursor.i64())
    else if (opcode === OP.localGet) stack.push(local(cursor.u32()))
    else if (opcode === OP.localSet) locals[localIndex(cursor, locals)] = pop()
    else if (opcode === OP.localTee) locals[localIndex(cursor, locals)] = stack.at(-1) ?? pop()
    else if (opcode === OP.globalGet) stack.push(BigInt(globals[cursor.u32()] ?? 0))
    else if (opcode === OP.globalSet) globals[cursor.u32()] = Number(BigInt.asIntN(32, pop()))
    else if (opcode === OP.i32Add) stack.push(BigInt.asIntN(32, pop() + pop()))
    else if (bytes !== undefined) {
      cursor.u32()
      const offset = cursor.u32()
      const value = pop()
      writes.push({ address: address(offset), bytes: littleEndian(value, bytes) })
    } else if (opcode === OP.bulk && cursor.u32() === MEMORY_FILL) {
      cursor.byte()
      const length = Number(BigInt.asUintN(32, pop()))
      const fill = Number(BigInt.asUintN(8, pop()))
      writes.push({ address: address(0), length, fill })
    } else
      throw new Unlinkable(
        `its start function does more than clear memory (instruction 0x${opcode.toString(16)})`,
      )
  }
}

function readLocals(cursor: Cursor): bigint[] {
  let count = 0
  cursor.times(() => {
    count += cursor.u32()
    cursor.byte()
  })
  if (count > MOST_LOCALS) throw new Unlinkable('its start function has too many variables')
  return new Array<bigint>(count).fill(0n)
}

function localIndex(cursor: Cursor, locals: readonly bigint[]): number {
  const index = cursor.u32()
  if (index >= locals.length) throw new Unlinkable('its start function uses a variable that it does not have')
  return index
}

function littleEndian(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true)
  return bytes.subarray(0, length)
}
