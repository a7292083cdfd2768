// Native libraries as C code sees them: looking up names, and calling functions with numbers only (R1).
import { describe, expect, it } from 'vitest'
import type { NativeCode } from '../../src/shared/image/image.js'
import { get, I32, I64, i32, Module, OP } from '../linker/support/assembler.js'
import { Guest } from './guest.js'

const F64 = 0x7c
const DSO_NAME = 36
const native: NativeCode = {
  libraries: [
    {
      path: '/site/wombat.so',
      symbols: [
        ['PyInit_wombat', 3],
        ['__proto__', 4],
        ['größe', 5],
      ],
    },
  ],
  // Entries 1 to 3.
  callable: Uint8Array.of(0b1110),
}

/** Allocates a `struct dso` with this path as its name. */
function opened(guest: Guest, path: string): number {
  const library = guest.room(DSO_NAME + path.length * 2 + 1)
  guest.bytes.write(`${path}\0`, library + DSO_NAME)
  return library
}

describe('a library', () => {
  it('can be opened if the image has it; otherwise dlerror gives a reason', () => {
    const guest = new Guest({ native })
    expect(guest.call('_dlopen_js', opened(guest, '/site/wombat.so'))).toBe(1)
    expect(guest.dlError).toBe('')
    expect(guest.call('_dlopen_js', opened(guest, '/tmp/é\n.so'))).toBe(0)
    expect(guest.dlError).toMatch(
      /^\/tmp\/\?+\.so: sessions can load only the native libraries of their image’s packages/,
    )
    expect(guest.call('_dlopen_js', opened(guest, 'wombat.so'))).toBe(0)
  })

  it('finds its symbols by their bytes', () => {
    const guest = new Guest({ native })
    const library = opened(guest, '/site/wombat.so')
    const find = (name: string) => guest.call('_dlsym_js', library, guest.text(name), 0)
    expect(['PyInit_wombat', '__proto__', 'größe', 'toString', ''].map(find)).toEqual([3, 4, 5, 0, 0])
    expect(guest.dlError).toMatch(/^\/site\/wombat.so: symbol .* not found$/)
    expect(guest.call('_dlsym_js', opened(guest, '/other.so'), guest.text('PyInit_wombat'), 0)).toBe(0)
  })

  it('is not found with invalid pointers or an unterminated name', () => {
    const guest = new Guest({ native })
    const end = guest.memory.buffer.byteLength
    for (const pointer of [0, -1, -DSO_NAME, end, end - DSO_NAME, 2 ** 31, 4096]) {
      expect(guest.call('_dlopen_js', pointer)).toBe(0)
      expect(guest.call('_dlsym_js', pointer, pointer, pointer)).toBe(0)
      expect(guest.call('_dlsym_js', opened(guest, '/site/wombat.so'), pointer, 0)).toBe(0)
    }
    guest.bytes.fill(0x41, 4096)
    expect(guest.call('_dlopen_js', 4096)).toBe(0)
    expect(guest.host.ended).toBeNull()
  })
})

/** `ffi_type` ids of libffi. */
const ID = { void: 0, double: 3, i32: 10, i64: 12, struct: 13 }

describe('a call by address', () => {
  /** A guest with table entries 1: (i32, i32) -> i32, their sum; 2: (f64) -> f64 and 3: (i64) -> i64, identity; 4: as 1, not callable. */
  function calling(): Guest {
    const module = new Module()
    const sum = module.function(module.type([I32, I32], [I32]), [...get(0), ...get(1), OP.i32Add])
    const same = (type: number) => module.function(module.type([type], [type]), get(0))
    const functions = [sum, same(F64), same(I64), sum]
    module.table(8, 'table').elements(i32(1), functions)
    const { table } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes())).exports
    const guest = new Guest({ native })
    guest.table.grow(4)
    for (const at of [1, 2, 3, 4]) guest.table.set(at, (table as WebAssembly.Table).get(at))
    return guest
  }

  function type(guest: Guest, id: number, size: number): number {
    const at = guest.room(12)
    guest.view.setUint32(at, size, true)
    guest.view.setUint16(at + 4, size, true)
    guest.view.setUint16(at + 6, id, true)
    return at
  }

  /** Calls `target` with values of 8 bytes each. @returns the address of the result */
  function call(
    guest: Guest,
    target: number,
    result: number,
    types: readonly number[],
    values: readonly bigint[],
  ) {
    const list = (words: readonly number[]) => {
      const at = guest.room(4 * words.length + 4)
      for (const [i, word] of words.entries()) guest.view.setUint32(at + 4 * i, word, true)
      return at
    }
    const pointers = values.map((value) => {
      const at = guest.room(8)
      guest.view.setBigInt64(at, value, true)
      return at
    })
    const cif = guest.room(28)
    const words = [0, types.length, list(types), result, 0, 0, types.length]
    for (const [i, word] of words.entries()) guest.view.setUint32(cif + 4 * i, word, true)
    const into = guest.room(16)
    guest.call('ffi_call_js', cif, target, into, list(pointers))
    return into
  }

  it('passes and returns numbers of every type', () => {
    const guest = calling()
    const [word, long, double] = [type(guest, ID.i32, 4), type(guest, ID.i64, 8), type(guest, ID.double, 8)]
    expect(guest.view.getInt32(call(guest, 1, word, [word, word], [40n, 2n]), true)).toBe(42)
    expect(guest.view.getBigInt64(call(guest, 3, long, [long], [-(2n ** 60n)]), true)).toBe(-(2n ** 60n))
    const bits = Buffer.alloc(8)
    bits.writeDoubleLE(2.5)
    expect(guest.view.getFloat64(call(guest, 2, double, [double], [bits.readBigInt64LE()]), true)).toBe(2.5)
    expect(guest.stackPointer.value).toBe(65_536)
  })

  it.each([0, 4, 7, 8, 1000, -1, 2 ** 31])('ends the interpreter if entry %i is not callable', (target) => {
    const guest = calling()
    expect(() => call(guest, target, type(guest, ID.void, 0), [], [])).toThrow('not a C function')
    expect(guest.host.ended?.importName).toBe('ffi_call_js')
  })

  it('ends the interpreter in images without packages', () => {
    expect(() => new Guest().call('ffi_call_js', 8, 1, 8, 8)).toThrow('without packages')
  })

  it('ends the interpreter at worst, whatever the description of its arguments contains', () => {
    let seed = 7
    const random = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return [seed, seed % 100, (seed % 32) * 65_536, 0, -1, 4096 + (seed % 4096)][(seed >>> 8) % 6] ?? 0
    }
    let guest = calling()
    for (let round = 0; round < 100; round += 1) {
      if (guest.host.ended !== null) guest = calling()
      guest.recycle()
      for (let at = 4096; at < 8192; at += 4) guest.view.setInt32(at, random(), true)
      try {
        guest.call('ffi_call_js', 4096 + (seed % 1024) * 4, 1 + (seed % 3), random(), random())
        expect(guest.stackPointer.value).toBe(65_536)
      } catch (error) {
        expect(error).toMatchObject({ name: 'InterpreterEnd' })
      }
    }
  })
})
