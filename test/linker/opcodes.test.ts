// Every instruction that V8 knows: the linker skips its operands as V8 does, or rejects it. The tests do not use the linker's own table.
import { describe, expect, it } from 'vitest'
import { type LibraryFile, LinkError, link, type PlacedProgram } from '../../workers/linker/link.js'
import { concatenate, unsigned } from '../../workers/wasm/encoding.js'
import { type Code, call, I32, i32, OP, side } from './support/assembler.js'
import { ADDRESS, KEEP, library, mainModule, TABLE_BASE } from './support/program.js'

const MAIN = mainModule()
const PREFIXES = { 252: 40, 253: 320, 254: 100 } as const
/** Operands of all lengths. The first that V8 accepts are the operands of the instruction. */
const OPERANDS: readonly Code[] = [
  [],
  // Some with a byte that would end a number, and some where it would not.
  ...[
    [0],
    [1],
    [0x7f],
    [0x40],
    [0x70],
    [0, 0],
    [1, 0],
    [0, 0x80, 0],
    [2, 0x80, 0],
    [3, 0x80, 0],
    [4, 0x80, 0],
  ],
  ...[
    [0, 0x80, 0, 0],
    [1, 0x80, 0, 0],
    [2, 0x80, 0, 0],
    [3, 0x80, 0, 0],
    [1, 0x7f],
    [1, 0, 0],
  ],
  [0x81, 0x82, 0x83, 0x84],
  [0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88],
  Array.from({ length: 16 }, (_, i) => i + 1),
  Array.from({ length: 16 }, (_, i) => 0x80 + i),
]
/** Instructions that open a block need its end, and some are valid only inside a block. */
const SHAPES: readonly ((instruction: Code) => Code)[] = [
  (instruction) => instruction,
  (instruction) => [...instruction, OP.end],
  (instruction) => [...i32(0), OP.if, 0x40, ...instruction, OP.end],
  (instruction) => [OP.try, 0x40, ...instruction, OP.end],
  (instruction) => [OP.try, 0x40, ...instruction],
  (instruction) => [OP.try, 0x40, OP.catch, 0, ...instruction, OP.end],
]
/** From this opcode on, no instruction opens a block. */
const FIRST_PLAIN = 0x20
/** `try_table` and `throw_ref`, which V8 does not accept together with the older ones, and references to types. */
const REFUSED = [0x0a, 0x14, 0x15, 0x1f, 0x25, 0x26, 0x40, 0xd3, 0xd4, 0xd5, 0xd6, 0xfb]
const REFUSED_BULK = [8, 9, 12, 13, 14, 15, 16, 17]

/**
 * A library with a function that has this code, followed by a call of its first import. In the merged module that import has another
 * number, and the function with the old number returns something else. So if the linker misses the call, the merged module is invalid.
 */
function libraryWith(code: Code) {
  const { module } = side({ memoryBytes: 8, tableEntries: 1 })
  const nullary = module.type([], [I32])
  const tag = module.type([I32])
  module.importTag('__c_longjmp', tag)
  const target = module.importFunction('answer', nullary)
  module.function(nullary, [OP.unreachable, ...code, OP.unreachable, ...call(target)], {
    name: 'run',
    locals: [I32],
  })
  module.function(nullary, i32(42), { name: 'answer' })
  return library(module)
}

function encodings(opcode: Code): Code | undefined {
  for (const operands of OPERANDS)
    for (const shape of (opcode[0] ?? 0) < FIRST_PLAIN ? SHAPES : SHAPES.slice(0, 1)) {
      const code = shape([...opcode, ...operands])
      if (WebAssembly.validate(libraryWith(code).bytes as Uint8Array<ArrayBuffer>)) return code
    }
  return undefined
}

/** Links the module as the only library besides the interpreter. */
function linkAlone(library: LibraryFile): PlacedProgram {
  return link({ main: MAIN, keep: KEEP, libraries: [library], tableBase: TABLE_BASE }).placeAt(ADDRESS)
}

function outcome(code: Code): 'linked' | 'refused' | 'broken' {
  try {
    return WebAssembly.validate(linkAlone(libraryWith(code)).slotModule()) ? 'linked' : 'broken'
  } catch (error) {
    if (!(error instanceof LinkError)) throw error
    return 'refused'
  }
}

describe('each instruction that V8 accepts is linked or rejected', () => {
  const check = (opcodes: readonly (readonly [number, Code])[], refused: readonly number[]) => {
    const outcomes = { linked: 0, refused: [] as number[], broken: [] as number[] }
    for (const [number, opcode] of opcodes) {
      const code = encodings(opcode)
      if (code === undefined) continue
      const found = outcome(code)
      if (found === 'linked') outcomes.linked++
      else outcomes[found].push(number)
    }
    expect(outcomes.broken).toEqual([])
    expect(outcomes.refused.filter((number) => !refused.includes(number))).toEqual([])
    return outcomes.linked
  }

  it('with one byte', () => {
    const opcodes = Array.from({ length: 256 }, (_, i): [number, Code] => [i, [i]])
    expect(
      check(
        opcodes.filter(([i]) => i < 0xfc),
        REFUSED,
      ),
    ).toBeGreaterThan(180)
  })

  it.each([
    ['0xfc', 0xfc, REFUSED_BULK, 9],
    ['0xfd', 0xfd, [], 235],
    ['0xfe', 0xfe, [], 66],
  ] as const)('with prefix %s', (_, prefix, refused, least) => {
    const opcodes = Array.from({ length: PREFIXES[prefix] }, (_, i): [number, Code] => [
      i,
      [prefix, ...unsigned(i)],
    ])
    expect(check(opcodes, refused)).toBeGreaterThan(least)
  })
})

describe('numbers in a function', () => {
  it('are renumbered wherever they occur: block types, tags, indirect calls, label tables', () => {
    const { module } = side({ tableEntries: 1 })
    // Enough types that a number takes two bytes in the library, and a different number of bytes in the merged module.
    for (let i = 0; i < 70; i++) module.type(Array<number>(i).fill(I32), [])
    const pair = module.type([I32], [I32, I32])
    const unary = module.type([I32], [I32])
    module.function(
      unary,
      [
        ...[OP.localGet, 0],
        ...[OP.block, ...signedType(pair), OP.localGet, 0, OP.end, OP.i32Add],
        ...[OP.localGet, 0, 0x0e, 2, 0, 0, 0],
      ],
      { name: 'run' },
    )
    expect(WebAssembly.validate(linkAlone(library(module)).slotModule())).toBe(true)
  })

  it('of several functions are written one after another', () => {
    const { module } = side()
    const nullary = module.type([], [I32])
    for (let i = 0; i < 300; i++) module.function(nullary, i32(i), { name: `f${i}` })
    module.function(
      nullary,
      concatenateCode(Array.from({ length: 300 }, (_, i) => [...call(i), OP.drop])).concat(i32(1)),
      { name: 'all' },
    )
    expect(WebAssembly.validate(linkAlone(library(module)).slotModule())).toBe(true)
  })
})

const signedType = (type: number): Code => (type < 64 ? [type] : [(type & 0x7f) | 0x80, type >> 7])
const concatenateCode = (parts: readonly Code[]): number[] => [
  ...concatenate(parts.map((part) => Uint8Array.from(part))),
]
