// Hostile sizes: a small file that claims to be large, and many small items that add up. Each is rejected, or linked in linear time.
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../workers/linker/limits.js'
import { type LibraryFile, LinkError, link } from '../../workers/linker/link.js'
import { concatenate, KIND, section, unsigned } from '../../workers/wasm/encoding.js'
import { call, get, I32, Module, OP, side } from './support/assembler.js'
import { ADDRESS, KEEP, library, mainModule, TABLE_BASE } from './support/program.js'

const linked = (...libraries: LibraryFile[]) =>
  link({ main: mainModule(), keep: KEEP, libraries, tableBase: TABLE_BASE }).placeAt(ADDRESS).slotModule()

const file = (bytes: Uint8Array, path = '/site/lib.so'): LibraryFile => ({ path, bytes, wheel: 'w.whl' })
const head = new Module().dylink().bytes()
const many = (count: number, item: readonly number[]) => {
  const bytes = new Uint8Array(count * item.length)
  for (const [i, byte] of item.entries())
    for (let at = i; at < bytes.length; at += item.length) bytes[at] = byte
  return bytes
}

describe('too many of', () => {
  const COUNT = LIMITS.parts + 1
  it.each([
    ['types', section(1, concatenate([unsigned(COUNT), many(COUNT, [0x60, 0, 0])]))],
    ['functions', section(3, concatenate([unsigned(COUNT), many(COUNT, [0])]))],
    ['exports', section(7, concatenate([unsigned(COUNT), many(COUNT, [0, 0, 0])]))],
    [
      'table entries in many segments',
      section(9, concatenate([unsigned(1000), ...segments(1000, COUNT / 1000 + 1)])),
    ],
  ])('%s', (_, parts) => {
    expect(() => linked(file(concatenate([head, parts])))).toThrow(/has too many parts$/)
  })

  it('custom sections', () => {
    expect(() => linked(file(concatenate([head, many(1000, [0, 1, 0])])))).toThrow(/has too many sections$/)
  })

  it('weak names', () => {
    const names = concatenate([unsigned(COUNT), many(COUNT, [0, 0, 1])])
    const bytes = new Module().custom('dylink.0', section(4, names)).bytes()
    expect(() => linked(file(bytes))).toThrow(/has too many parts$/)
  })

  it('items in a section that has no bytes for them', () => {
    for (const id of [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13])
      for (const count of [1, 1000, 2 ** 32 - 1])
        expect(() => linked(file(concatenate([head, section(id, unsigned(count))])))).toThrow(LinkError)
  })

  it('libraries', () => {
    const bytes = side().module.bytes()
    const libraries = Array.from({ length: LIMITS.libraries + 1 }, (_, i) => file(bytes, `/site/${i}.so`))
    expect(() => linked(...libraries)).toThrow(/more than 2000 libraries/)
  })
})

function segments(count: number, each: number): Uint8Array[] {
  const one = concatenate([Uint8Array.of(3, 0), unsigned(each), many(each, [0])])
  return Array.from({ length: count }, () => one)
}

describe('a chain', () => {
  it('of libraries that need each other can be as long as the maximum number of libraries', () => {
    const chain = Array.from({ length: 1000 }, (_, i) => {
      const { module } = side({ needed: i === 0 ? [] : [`${i - 1}.so`], runtimePaths: ['$ORIGIN'] })
      return library(module, `/site/${i}.so`)
    })
    expect(WebAssembly.validate(linked(...chain))).toBe(true)
  })

  it('of functions re-exported by one library after another is rejected if too long', () => {
    const chain = Array.from({ length: 200 }, (_, i) => {
      const { module } = side(i === 0 ? {} : { needed: [`${i - 1}.so`], runtimePaths: ['$ORIGIN'] })
      const unary = module.type([I32], [I32])
      if (i === 0) module.function(unary, get(0), { name: 'f0' })
      else module.export(`f${i}`, KIND.function, module.importFunction(`f${i - 1}`, unary))
      return library(module, `/site/${String(200 - i).padStart(3, '0')}/../${i}.so`)
    }).map((item, i) => ({ ...item, path: `/site/${i}.so` }))
    // The last function is looked up first, before any other has been resolved.
    const { module } = side({ needed: ['199.so'], runtimePaths: ['$ORIGIN'] })
    module.function(module.type([I32], [I32]), [...get(0), ...call(module.importFunction('f199', 0))], {
      name: 'run',
    })
    expect(() => linked(...chain, library(module, '/site/+.so'))).toThrow(
      /"f\d+" is exported again and again/,
    )
  })

  it('of aliases within one library is rejected if too long', () => {
    const { module } = side()
    const unary = module.type([I32], [I32])
    const imports = Array.from({ length: 10_000 }, (_, i) => module.importFunction(`f${i}`, unary))
    for (const [i, index] of imports.entries()) if (i > 0) module.export(`f${i - 1}`, KIND.function, index)
    expect(() => linked(library(module))).toThrow(/is exported again and again/)
  })
})

describe('many look-ups', () => {
  it('of names in many libraries are rejected', () => {
    const names = Array.from({ length: 6000 }, (_, i) => `n${i}`)
    const { module } = side({ needed: ['99.so'], runtimePaths: ['$ORIGIN'], weak: names })
    const unary = module.type([I32], [I32])
    for (const name of names) module.importFunction(name, unary)
    const bytes = module.bytes()
    const chain = Array.from({ length: 100 }, (_, i) =>
      library(side({ needed: i === 0 ? [] : [`${i - 1}.so`], runtimePaths: ['$ORIGIN'] }), `/site/${i}.so`),
    )
    const users = Array.from({ length: 10 }, (_, i) => file(bytes, `/site/user${i}.so`))
    expect(() => linked(...chain, ...users)).toThrow(/look for too many names/)
  })

  it('of libraries in many folders are rejected', () => {
    const folders = Array.from({ length: LIMITS.neededLibraries }, (_, i) => `/none/${i}`)
    const needed = Array.from({ length: LIMITS.neededLibraries }, (_, i) => `lib${i}.so`)
    const bytes = side({ needed, runtimePaths: folders }).module.bytes()
    const users = Array.from({ length: 30 }, (_, i) => file(bytes, `/site/user${i}.so`))
    const system = needed.map((name) => library(side(), `/usr/lib/${name}`))
    expect(() => linked(...users, ...system)).toThrow(/too many others in too many folders/)
  })
})

describe('a function', () => {
  it('is rejected if renumbering makes it too long for V8', () => {
    const { module, memoryBase } = side({ memoryBytes: 4 })
    // Two bytes and a drop in the library, which the merged module needs two more bytes for.
    const body = many(2_500_000, [OP.globalGet, memoryBase, OP.drop])
    const bytes = concatenate([Uint8Array.of(0), body, Uint8Array.of(OP.end)])
    module.function(module.type(), [])
    const whole = module.bytes()
    const code = concatenate([unsigned(1), unsigned(bytes.length), bytes])
    const replaced = concatenate([
      whole.subarray(0, whole.lastIndexOf(10, whole.length - 4)),
      section(10, code),
    ])
    expect(WebAssembly.validate(replaced)).toBe(true)
    expect(() => linked(file(replaced))).toThrow(/a function is too long$/)
  })

  it('can have blocks nested as deeply as V8 allows', () => {
    const { module } = side()
    const depth = 50_000
    const body = [...many(depth, [OP.block, 0x40]), ...many(depth, [OP.end])]
    module.function(module.type(), body)
    expect(WebAssembly.validate(linked(library(module)))).toBe(true)
  })
})
