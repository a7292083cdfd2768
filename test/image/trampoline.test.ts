import { describe, expect, test } from 'vitest'
import { trampolineCodes } from '../../workers/builder/signatures.js'
import { type TrampolineExports, trampolineModuleBytes } from '../../workers/interpreter/trampoline.js'
import { coreModuleBytes, readWasm } from '../../workers/interpreter/wasm-binary.js'
import { section, vector } from '../../workers/wasm/encoding.js'

/** Addresses of the codes and of the success flag in the test's memory. */
const CODES = 100
const SUCCESS = 1000
const I32 = 0x7f
const I64 = 0x7e

const PARAMETERS = [[], [I32], [I32, I32], [I32, I32, I32], [I32, I32, I32, I32], [I64]]
const TYPES = [...PARAMETERS.map((p) => [p, [I32]] as const), ...PARAMETERS.map((p) => [p, []] as const)]

/**
 * Makes a module with a function of each type in its table, from index 1 on. A function returns the sum of its arguments plus
 * 100 × the number of its parameters, or nothing. The module also has a memory, a data segment and a custom section.
 */
function targetBytes(): Uint8Array<ArrayBuffer> {
  const bytes = (...values: number[]) => Uint8Array.from(values)
  const name = (text: string) => bytes(text.length, ...Buffer.from(text))
  const body = (parameters: readonly number[], results: readonly number[]) => {
    const sum = parameters.flatMap((type, i) => (type === I32 ? [0x20, i, 0x6a] : []))
    const value =
      results.length > 0
        ? [0x41, ...(parameters.length > 0 ? [100 * parameters.length] : [0]).flatMap(leb)]
        : []
    const code = results.length > 0 ? [0, ...value, ...sum, 0x0b] : [0, 0x0b]
    return bytes(code.length, ...code)
  }
  const leb = (n: number) => [(n & 0x7f) | 0x80, (n >> 7) & 0x7f]
  return Uint8Array.from(
    Buffer.concat([
      bytes(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0),
      section(0, bytes(4, ...Buffer.from('note'))),
      section(1, vector(TYPES.map(([p, r]) => bytes(0x60, p.length, ...p, r.length, ...r)))),
      section(3, vector(TYPES.map((_, i) => bytes(i)))),
      section(4, vector([bytes(0x70, 0, TYPES.length + 2)])),
      section(5, vector([bytes(0, 1)])),
      section(
        7,
        vector([
          Buffer.concat([name('memory'), bytes(2, 0)]),
          Buffer.concat([name('table'), bytes(1, 0)]),
          Buffer.concat([name('zero'), bytes(0, 0)]),
        ]),
      ),
      section(9, vector([bytes(0, 0x41, 1, 0x0b, TYPES.length, ...TYPES.keys())])),
      section(12, bytes(1)),
      section(10, vector(TYPES.map(([p, r]) => body(p, r)))),
      section(11, vector([bytes(0, 0x41, 0, 0x0b, 2, 7, 7)])),
    ]),
  )
}

function linked() {
  const target = targetBytes()
  const { memory, table } = new WebAssembly.Instance(new WebAssembly.Module(target)).exports as unknown as {
    memory: WebAssembly.Memory
    table: WebAssembly.Table
  }
  const codes = trampolineCodes(readWasm(target).tableSignatures)
  new Uint8Array(memory.buffer).set(codes, CODES)
  const module = new WebAssembly.Module(trampolineModuleBytes(CODES, codes.length))
  const imports = { env: { memory, __indirect_function_table: table } }
  const { trampoline, call } = new WebAssembly.Instance(module, imports)
    .exports as unknown as TrampolineExports
  const view = new DataView(memory.buffer)
  const through = (index: number) => {
    view.setInt32(SUCCESS, 1, true)
    return { value: trampoline(SUCCESS, index, 1, 20, 3000), success: view.getInt32(SUCCESS, true) }
  }
  return { through, call, table }
}

describe('the trampoline', () => {
  test.each([
    [0, 0],
    [1, 101],
    [2, 221],
    [3, 3321],
  ])('calls a function of %i parameters with that many arguments', (parameters, value) => {
    const { through, call } = linked()
    expect(through(1 + parameters)).toEqual({ value, success: 1 })
    expect(call(1 + parameters, 1, 20, 3000)).toBe(value)
  })

  test.each([0, 1, 2, 3])('returns 0 for a function of %i parameters that returns nothing', (parameters) => {
    expect(linked().through(1 + PARAMETERS.length + parameters)).toEqual({ value: 0, success: 1 })
  })

  test.each([
    ['of four parameters', 5],
    ['of an i64', 6],
    ['of four parameters that returns nothing', 11],
    ['that is null', 0],
    ['that instantiation did not put there', TYPES.length + 1],
    ['beyond the table', TYPES.length + 2],
    ['at a negative index', -1],
  ])('reports failure for a function %s', (_, index) => {
    const { through, call } = linked()
    expect(through(index)).toEqual({ value: 0, success: 0 })
    expect(call(index, 1, 2, 3)).toBe(0)
  })

  test('traps, and does no harm, if the table entry of a function was overwritten', () => {
    const { through, table } = linked()
    table.set(4, null)
    expect(() => through(4)).toThrow(WebAssembly.RuntimeError)
  })
})

describe('the core module', () => {
  test('exports only the given names and its tables, and a fresh instance has all-zero memory', () => {
    const core = new WebAssembly.Module(coreModuleBytes(targetBytes(), ['memory', 'zero']))
    expect(WebAssembly.Module.exports(core).map(({ name }) => name)).toEqual([
      'memory',
      'zero',
      'state table 0',
    ])
    expect(WebAssembly.Module.customSections(core, 'note')).toEqual([])
    const { memory } = new WebAssembly.Instance(core).exports as unknown as { memory: WebAssembly.Memory }
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true)
  })

  test('is rejected if a named export is missing', () => {
    expect(() => coreModuleBytes(targetBytes(), ['memory', 'free'])).toThrow('does not export free')
  })

  test('is rejected if the binary is cut', () => {
    expect(() => coreModuleBytes(targetBytes().subarray(0, 60), ['memory'])).toThrow('truncated')
  })
})
