// How linked libraries behave when they run: calls, addresses, relocations, constructors, exceptions.
import { describe, expect, it } from 'vitest'
import { link } from '../../workers/linker/link.js'
import { KIND } from '../../workers/wasm/encoding.js'
import { readModule } from '../../workers/wasm/module.js'
import { call, get, global, I32, I64, i32, load, OP, side, store } from './support/assembler.js'
import {
  ADDRESS,
  HOST_ADDS,
  instantiate,
  KEEP,
  library,
  MAIN_DATA,
  mainModule,
  start,
  TABLE_BASE,
} from './support/program.js'

/** A library whose function `name` (i32) -> i32 calls the import `imported`. */
function caller(name: string, imported: string, dylink: Parameters<typeof side>[0] = {}) {
  const { module } = side(dylink)
  const unary = module.type([I32], [I32])
  const target = module.importFunction(imported, unary)
  module.function(unary, [...get(0), ...call(target)], { name })
  return module
}

/** A library whose function `name` returns `value`. */
function constant(name: string, value: number, dylink: Parameters<typeof side>[0] = {}) {
  const { module } = side(dylink)
  module.function(module.type([I32], [I32]), i32(value), { name })
  return module
}

describe('calls', () => {
  it('can reach the interpreter and the host', () => {
    const running = start(library(caller('run', 'increment')))
    expect(running.run('run', 41)).toBe(42)
    expect(start(library(caller('run', 'host'))).run('run', 1)).toBe(1 + HOST_ADDS)
  })

  it('reach a host function under the module name of its import', () => {
    const { module } = side()
    const unary = module.type([I32], [I32])
    const target = module.importFunction('fd_sync', unary, 'wasi_snapshot_preview1')
    module.function(unary, [...get(0), ...call(target)], { name: 'run' })
    expect(start(library(module)).run('run', 5)).toBe(0)
  })

  it('through the table can reach functions of any library', () => {
    const { module, tableBase } = side({ tableEntries: 2 })
    const unary = module.type([I32], [I32])
    const binary = module.type([I32, I32], [I32])
    const apply = module.importFunction('apply', binary)
    const square = module.function(unary, [...get(0), ...get(0), OP.i32Mul])
    module.function(unary, [...global(tableBase), ...i32(1), OP.i32Add, ...get(0), ...call(apply)], {
      name: 'run',
    })
    module.elements(global(tableBase), [square, square])
    expect(start(library(module)).run('run', 7)).toBe(49)
  })

  it('resolve to the host first, then the interpreter, then needed libraries, then the library itself', () => {
    const { module: own } = side({ needed: ['near.so'], runtimePaths: ['$ORIGIN'] })
    const unary = own.type([I32], [I32])
    const names = ['host', 'twice', 'near', 'mine']
    const targets = names.map((name) => own.importFunction(name, unary))
    for (const name of names) own.function(unary, i32(-1), { name })
    for (const [i, name] of names.entries())
      own.function(unary, [...get(0), ...call(targets[i] ?? 0)], { name: `run_${name}` })
    const { module: near } = side()
    for (const name of ['twice', 'near']) near.function(near.type([I32], [I32]), i32(-2), { name })
    const running = start(library(own), library(near, '/site/near.so'))
    expect(names.map((name) => running.run(`run_${name}`, 10))).toEqual([10 + HOST_ADDS, 20, -2, -1])
  })

  it('resolve a function that a needed library only re-exports', () => {
    const { module: middle } = side({ needed: ['far.so'], runtimePaths: ['$ORIGIN'] })
    const imported = middle.importFunction('far', middle.type([I32], [I32]))
    middle.export('alias', KIND.function, imported)
    const user = caller('run', 'alias', { needed: ['middle.so'], runtimePaths: ['$ORIGIN'] })
    const running = start(
      library(user),
      library(middle, '/site/middle.so'),
      library(constant('far', 5), '/site/far.so'),
    )
    expect(running.run('run', 0)).toBe(5)
  })

  it('to a missing weak function trap, and its address is null', () => {
    const { module } = side({ weak: ['absent'] })
    const unary = module.type([I32], [I32])
    const target = module.importFunction('absent', unary)
    const address = module.importGlobal('GOT.func', 'absent', true)
    const data = module.importGlobal('GOT.mem', 'absent', true)
    module.function(unary, [...get(0), ...call(target)], { name: 'run' })
    module.function(unary, [...global(address), ...global(data), OP.i32Add], { name: 'addresses' })
    const running = start(library(module))
    expect(() => running.run('run', 0)).toThrow(WebAssembly.RuntimeError)
    expect(running.run('addresses', 0)).toBe(0)
  })
})

describe('libraries of the same name', () => {
  it('are resolved by the runtime path of the library that needs them', () => {
    const user = (folder: string) =>
      caller('run', 'which', { needed: ['libsame.so'], runtimePaths: [`$ORIGIN/../${folder}.libs`] })
    const running = start(
      library(user('a'), '/site/a/user.so'),
      library(user('b'), '/site/b/user.so'),
      library(constant('which', 1), '/site/a.libs/libsame.so'),
      library(constant('which', 2), '/site/b.libs/libsame.so'),
    )
    const run = (path: string) => running.call(running.symbol('run', path), 0)
    expect([run('/site/a/user.so'), run('/site/b/user.so')]).toEqual([1, 2])
  })

  it('are resolved in /usr/lib if no runtime path leads to them', () => {
    const user = caller('run', 'which', { needed: ['libsystem.so'] })
    expect(start(library(user), library(constant('which', 3), '/usr/lib/libsystem.so')).run('run', 0)).toBe(3)
  })

  it('do not mix up their addresses', () => {
    const user = (folder: string) => {
      const { module } = side({ needed: ['libsame.so'], runtimePaths: [`$ORIGIN/${folder}`] })
      const data = module.importGlobal('GOT.mem', 'value', true)
      module.function(module.type([I32], [I32]), [...global(data), ...load()], { name: 'run' })
      return module
    }
    const data = (value: number) => {
      const { module, memoryBase } = side({ memoryBytes: 8 })
      module.global(i32(4), { name: 'value' })
      return module.data(global(memoryBase), [0, 0, 0, 0, value, 0, 0, 0])
    }
    const running = start(
      library(user('a'), '/site/1.so'),
      library(user('b'), '/site/2.so'),
      library(data(10), '/site/a/libsame.so'),
      library(data(20), '/site/b/libsame.so'),
    )
    expect(['/site/1.so', '/site/2.so'].map((path) => running.call(running.symbol('run', path), 0))).toEqual([
      10, 20,
    ])
  })
})

describe('addresses', () => {
  it('of functions and variables are the same in all libraries', () => {
    const { module } = side({ needed: ['other.so'], runtimePaths: ['$ORIGIN'] })
    const nothing = module.type([I32], [I32])
    const names = ['increment', 'twice', 'host', 'theirs']
    for (const name of names)
      module.function(nothing, global(module.importGlobal('GOT.func', name, true)), {
        name: `address_${name}`,
      })
    module.function(nothing, global(module.importGlobal('GOT.mem', 'main_data', true)), {
      name: 'address_main_data',
    })
    const other = constant('theirs', 9)
    other.function(other.type([I32], [I32]), global(other.importGlobal('GOT.func', 'theirs', true)), {
      name: 'own_address',
    })
    const running = start(library(module), library(other, '/site/other.so'))
    const addresses = names.map((name) => running.run(`address_${name}`, 0) as number)
    // This function is already in the interpreter's table.
    expect(addresses[0]).toBe(1)
    expect(addresses.map((index) => running.call(index, 3))).toEqual([4, 6, 3 + HOST_ADDS, 9])
    expect(running.run('address_main_data', 0)).toBe(MAIN_DATA)
  })

  it('of exported variables are relative to their library’s memory, unless they are absolute', () => {
    const { module } = side({ memoryBytes: 16, exportFlags: { fixed: 0x200 } })
    module.global(i32(8), { name: 'moving' })
    module.global(i32(1234), { name: 'fixed' })
    const running = start(library(module))
    expect([running.symbol('moving'), running.symbol('fixed')]).toEqual([ADDRESS + 8, 1234])
  })

  it('are aligned as each library requires', () => {
    const aligned = (memoryBytes: number, memoryAlignment: number) => {
      const { module, memoryBase } = side({ memoryBytes, memoryAlignment })
      module.function(module.type([], [I32]), global(memoryBase), { name: 'base' })
      return module
    }
    const libraries = [
      library(aligned(3, 0), '/site/1.so'),
      library(aligned(100, 6), '/site/2.so'),
      library(aligned(5, 2), '/site/3.so'),
    ]
    const program = link({ main: mainModule(), keep: KEEP, libraries, tableBase: TABLE_BASE })
    expect([program.memoryBytes, program.memoryAlignment]).toEqual([64 + 100 + 5, 64])
    const running = start(...libraries)
    const bases = ['/site/1.so', '/site/2.so', '/site/3.so'].map((path) =>
      running.call(running.symbol('base', path)),
    )
    expect(bases).toEqual([ADDRESS, ADDRESS + 64, ADDRESS + 164])
  })
})

describe('setup before anything runs', () => {
  it('writes data, then relocates all libraries, then runs constructors, needed libraries first', () => {
    // Each constructor appends its digit to a number in the needed library's memory.
    const { module: log, memoryBase } = side({ memoryBytes: 64 })
    const unary = log.type([I32])
    const nothing = log.type()
    const list = [...global(memoryBase), ...load()]
    log.function(
      unary,
      [...global(memoryBase), ...list, ...i32(10), OP.i32Mul, ...get(0), OP.i32Add, ...store()],
      { name: 'append' },
    )
    log.function(log.type([], [I32]), list, { name: 'read' })
    log.function(
      nothing,
      [...global(memoryBase), ...list, ...i32(10), OP.i32Mul, ...i32(2), OP.i32Add, ...store()],
      {
        name: '__wasm_call_ctors',
      },
    )
    log.data(global(memoryBase), [1])
    const user = (construction: number, relocation: number, needed: string[]) => {
      const { module } = side({ needed, runtimePaths: ['$ORIGIN'] })
      const append = module.importFunction('append', module.type([I32]))
      const type = module.type()
      module.function(type, [...i32(construction), ...call(append)], { name: '__wasm_call_ctors' })
      module.function(type, [...i32(relocation), ...call(append)], { name: '__wasm_apply_data_relocs' })
      return module
    }
    const running = start(
      library(user(5, 8, ['b.so', 'z.so']), '/site/a.so'),
      library(user(6, 9, ['z.so']), '/site/b.so'),
      library(log, '/site/z.so'),
    )
    expect(new DataView(running.memory.buffer).getInt32(ADDRESS, true)).toBe(198265)
  })

  it('applies the start function: its globals become constants, and memory is filled', () => {
    const { module, memoryBase } = side({ memoryBytes: 32 })
    const moved = module.global(i32(0), { isMutable: true })
    const returns = module.type([], [I32])
    const begin = module.function(
      module.type(),
      [
        ...[...global(memoryBase), ...i32(12), OP.i32Add, OP.globalSet, moved],
        ...[...global(memoryBase), ...i32(4), OP.i32Add, ...i32(0x55), ...i32(8), 0xfc, 11, 0],
        ...[...global(memoryBase), ...i32(0x01020304), ...store(16)],
        ...[...global(memoryBase), OP.i64Const, 0x7f, 0x37, 3, 20],
      ],
      {},
    )
    module.function(returns, global(moved), { name: 'run' })
    module.data(
      global(memoryBase),
      Array.from({ length: 32 }, () => 1),
    )
    const running = start(library(module.start(begin)))
    expect(running.run('run')).toBe(ADDRESS + 12)
    expect([...running.memory.subarray(ADDRESS, ADDRESS + 32)]).toEqual([
      ...[1, 1, 1, 1, ...Array<number>(8).fill(0x55), 1, 1, 1, 1],
      ...[4, 3, 2, 1, ...Array<number>(8).fill(0xff), 1, 1, 1, 1],
    ])
  })
})

describe('exceptions', () => {
  it.each(['__cpp_exception', '__c_longjmp'])('%s thrown in one library is caught in another', (tag) => {
    const { module: thrower } = side()
    const unary = thrower.type([I32])
    thrower.function(unary, [...get(0), OP.throw, thrower.importTag(tag, unary)], { name: 'fail' })
    const { module: catcher } = side({ needed: ['thrower.so'], runtimePaths: ['$ORIGIN'] })
    const thrown = catcher.type([I32])
    const returns = catcher.type([I32], [I32])
    // Import another tag first, so that the tag's number in the library differs from the interpreter's.
    catcher.importTag(tag === '__c_longjmp' ? '__cpp_exception' : '__c_longjmp', thrown)
    const caught = catcher.importTag(tag, thrown)
    const fail = catcher.importFunction('fail', thrown)
    catcher.function(
      returns,
      [OP.try, I32, ...get(0), ...call(fail), ...i32(0), OP.catch, caught, ...i32(1), OP.i32Add, OP.end],
      {
        name: 'run',
      },
    )
    expect(start(library(catcher), library(thrower, '/site/thrower.so')).run('run', 41)).toBe(42)
  })
})

describe('dlsym', () => {
  it('finds only the initializers of an extension module', () => {
    const module = constant('PyInit_lib', 1)
    module.function(module.type([I32], [I32]), i32(2), { name: 'helper' })
    const [found] = linked(library(module)).placeAt(ADDRESS).libraries
    expect(Object.keys(found?.symbols ?? {})).toEqual(['PyInit_lib'])
  })

  it('finds everything in a library that is not an extension module and that no other library needs', () => {
    const names = ['__proto__', 'constructor', 'helper']
    const { module } = side()
    for (const name of names) module.function(module.type([], [I32]), i32(2), { name })
    const [found] = linked(library(module)).placeAt(ADDRESS).libraries
    expect(Object.keys(found?.symbols ?? {})).toEqual(names)
  })

  it('finds nothing in a library that others need', () => {
    const user = caller('PyInit_user', 'which', { needed: ['lib.so'], runtimePaths: ['$ORIGIN'] })
    const { libraries } = linked(library(user, '/site/user.so'), library(constant('which', 3))).placeAt(
      ADDRESS,
    )
    expect(libraries.map(({ symbols }) => Object.keys(symbols))).toEqual([[], ['PyInit_user']])
  })
})

const linked = (...libraries: Parameters<typeof start>) =>
  link({ main: mainModule(), keep: KEEP, libraries, tableBase: TABLE_BASE })

describe('the merged modules', () => {
  const example = () => {
    const { module, tableBase, memoryBase, stackPointer } = side({ tableEntries: 3, memoryBytes: 4 })
    const wide = module.type([I32, I64, I32], [])
    const own = module.function(wide, [...get(0), OP.globalSet, stackPointer])
    module.elements(global(tableBase), [own])
    module.function(module.type(), [], { name: '__wasm_call_ctors' })
    module.function(module.type([I32], [I32]), get(0), { name: 'PyInit_lib' })
    return module.data(global(memoryBase), [1, 2, 3, 4])
  }

  it('export what must be kept, unnamed state, and for the builder the setup functions', () => {
    const placed = linked(library(example())).placeAt(ADDRESS)
    const exports = (bytes: Uint8Array) => readModule(bytes).exports.map(({ name }) => name)
    const kept = [...KEEP, 'state table 1', 'state global 3']
    expect(new Set(exports(placed.slotModule()))).toEqual(new Set(kept))
    expect(new Set(exports(placed.builderModule()))).toEqual(new Set([...kept, ...placed.setup]))
    expect(placed.setup).toHaveLength(1)
  })

  it('have no data, no custom sections and no start function', () => {
    const placed = linked(library(example())).placeAt(ADDRESS)
    for (const bytes of [placed.builderModule(), placed.slotModule()])
      expect(readModule(bytes)).toMatchObject({ data: [], customSections: [], start: undefined })
  })

  it('have a table of the stated length, with functions of the stated signatures', () => {
    const program = linked(library(example()))
    const table = instantiate(program.placeAt(ADDRESS).slotModule())
      .__indirect_function_table as WebAssembly.Table
    expect(table.length).toBe(program.tableEnd)
    const parameters = program.tableSignatures.map((signature) => signature?.parameters.length)
    expect(parameters).toEqual([3, undefined, undefined, 1])
    expect(parameters.map((_, i) => (table.get(TABLE_BASE + i) as (() => void) | null)?.length)).toEqual(
      parameters,
    )
    expect(program.tableSignatures[0]).toEqual({ parameters: [I32, I64, I32], results: [] })
  })

  it('are the same bytes regardless of the order of libraries', () => {
    const a = library(caller('PyInit_a', 'increment'), '/site/a.so')
    const b = library(example(), '/site/b.so')
    const modules = [linked(a, b), linked(b, a)].map((program) => program.placeAt(ADDRESS))
    expect(modules[0]?.slotModule()).toEqual(modules[1]?.slotModule())
    expect(modules[0]?.builderModule()).toEqual(modules[1]?.builderModule())
  })

  it('trap in slots instead of running the setup', () => {
    const placed = linked(library(example())).placeAt(ADDRESS)
    expect(placed.slotModule().length).toBeLessThan(placed.builderModule().length)
    const setup = instantiate(placed.builderModule())[placed.setup[0] ?? ''] as () => void
    expect(setup()).toBeUndefined()
  })

  it('declare functions that are referenced only by ref.func', () => {
    const { module } = side()
    const unary = module.type([I32], [I32])
    const target = module.importFunction('twice', unary)
    module.rawElements(3, 0, 1, target)
    module.function(unary, [OP.refFunc, target, 0xd1], { name: 'run' })
    expect(start(library(module)).run('run', 1)).toBe(0)
  })

  it('of no libraries are the interpreter’s own', () => {
    const program = linked()
    expect([program.memoryBytes, program.tableEnd, program.tableSignatures]).toEqual([0, TABLE_BASE, []])
    expect(WebAssembly.validate(program.placeAt(ADDRESS).slotModule())).toBe(true)
  })

  it('are rejected at an address that does not fit', () => {
    const program = linked(library(example()))
    for (const address of [ADDRESS + 1, -16, 2 ** 32, Number.NaN])
      expect(() => program.placeAt(address)).toThrow(RangeError)
  })
})
