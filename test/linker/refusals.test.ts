// What the linker rejects, each with an error that names the library, its wheel and the reason.
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../workers/linker/limits.js'
import { LinkError, link } from '../../workers/linker/link.js'
import { KIND } from '../../workers/wasm/encoding.js'
import {
  type Code,
  call,
  type Dylink,
  EXTERNREF,
  get,
  global,
  I32,
  I64,
  i32,
  Module,
  OP,
  type Side,
  side,
  store,
} from './support/assembler.js'
import { ADDRESS, KEEP, library, mainModule, TABLE_BASE } from './support/program.js'

type Files = Parameters<typeof link>[0]['libraries']

function errorOf(libraries: Files): unknown {
  try {
    const placed = link({ main: mainModule(), keep: KEEP, libraries, tableBase: TABLE_BASE }).placeAt(ADDRESS)
    return [placed.builderModule(), placed.slotModule()].map((bytes) => WebAssembly.validate(bytes))
  } catch (error) {
    return error
  }
}

const sideWith = (change: (parts: Side) => unknown, dylink: Dylink = {}) => {
  const parts = side(dylink)
  change(parts)
  return parts.module
}
/** A module with a function `(i32) -> (i32)` of this code. */
const code = (...instructions: Code) =>
  sideWith(({ module }) => module.function(module.type([I32], [I32]), instructions))
const imports = (name: string, parameters: Code = [I32], results: Code = [I32], module = 'env') =>
  sideWith((parts) => parts.module.importFunction(name, parts.module.type(parameters, results), module))
const rawType = (...item: number[]) => sideWith(({ module }) => module.rawType(...item))
const starts = (instructions: Code, dylink: Dylink = { memoryBytes: 8 }, isMutable = true) =>
  sideWith(({ module }) => {
    module.global(i32(0), { isMutable })
    module.start(module.function(module.type(), instructions))
  }, dylink)

/** The number of the global `__memory_base` in `side`. */
const MEMORY_BASE = 1
/** An address in the interpreter's memory. */
const MAIN = 1024

const REFUSED: readonly (readonly [what: string, module: () => Module | Uint8Array, reason: RegExp])[] = [
  [
    'bytes that are not a module',
    () => new TextEncoder().encode('not a module'),
    /not a WebAssembly 1 binary/,
  ],
  ['no bytes', () => new Uint8Array(0), /not a WebAssembly 1 binary/],
  [
    'a truncated module',
    () =>
      code(...get(0))
        .bytes()
        .slice(0, -1),
    /truncated/,
  ],
  ['code that V8 rejects', () => code(), /not valid WebAssembly/],
  ['a module without dylink.0', () => new Module().importMemory(), /not a side module/],
  ['a module with dylink.0 later', () => new Module().custom('name').dylink(), /not a side module/],
  ['a memory of its own', () => new Module().dylink().memory(1), /memory of its own/],
  ['a table of its own', () => new Module().dylink().importMemory().table(1), /table of its own/],
  ['another memory', () => new Module().dylink().importMemory('heap'), /imports a memory "heap"/],
  ['a shared memory', () => new Module().dylink().importMemory('memory', 3), /shared/],
  ['another table', () => new Module().dylink().importTable('other'), /imports a table "other"/],
  [
    'a tag of its own',
    () => sideWith(({ module }) => module.tag(module.type([I32]))),
    /exception tag of its own/,
  ],
  [
    'a tag that does not exist',
    () => sideWith(({ module }) => module.importTag('other', module.type([I32]))),
    /exception tag "other"/,
  ],
  [
    'a tag of another type',
    () => sideWith(({ module }) => module.importTag('__cpp_exception', module.type([I64]))),
    /exception tag "__cpp_exception"/,
  ],
  ['passive data', () => sideWith(({ module }) => module.passiveData([1])), /passive data segment/],
  [
    'a passive table segment',
    () => sideWith(({ module }) => module.rawElements(1, 0, 0)),
    /passive table segment/,
  ],
  [
    'table segments of expressions',
    () => sideWith(({ module }) => module.rawElements(4, 0x41, 0, 0x0b, 0)),
    /table segment of the unsupported kind/,
  ],
  [
    'EM_JS',
    () => sideWith(({ module }) => module.global(i32(0), { name: '__em_js__f' })),
    /inline JavaScript.+__em_js__f/,
  ],
  ['EM_ASM', () => imports('emscripten_asm_const_int'), /inline JavaScript.+emscripten_asm_const_int/],
  [
    'EM_ASM of newer versions',
    () => sideWith(({ module }) => module.global(i32(0), { name: '__start_em_asm' })),
    /inline JavaScript/,
  ],
  ['a section of inline JavaScript', () => side().module.custom('__em_js__f'), /inline JavaScript.+em_js/],
  [
    'an import of the bridge',
    () => imports('JsvNum_fromInt', [I32], [EXTERNREF]),
    /"JsvNum_fromInt" of Pyodide's bridge/,
  ],
  ['a C function of the bridge', () => imports('JsProxy_create'), /"JsProxy_create" of Pyodide's bridge/],
  [
    'the address of a function of the bridge',
    () => sideWith(({ module }) => module.importGlobal('GOT.func', 'JsProxy_create', true)),
    /bridge/,
  ],
  [
    'a variable of the bridge',
    () => sideWith(({ module }) => module.importGlobal('GOT.mem', 'Jsr_undefined', true)),
    /bridge/,
  ],
  [
    'functions that do not exist',
    () =>
      sideWith(({ module }) => {
        const type = module.type([I32], [I32])
        for (const name of ['lost', 'gone']) module.importFunction(name, type)
      }),
    /functions that neither .+ has: "lost", "gone"$/,
  ],
  [
    'a function of another module',
    () => imports('increment', [I32], [I32], 'other'),
    /functions that neither .+ has: "increment"$/,
  ],
  [
    'a function that only imports itself',
    () =>
      sideWith(({ module }) => {
        module.export('again', KIND.function, module.importFunction('again', module.type([I32], [I32])))
      }),
    /functions that neither .+ has: "again"$/,
  ],
  [
    'addresses that do not exist',
    () =>
      sideWith(({ module }) => {
        module.importGlobal('GOT.func', 'lost', true)
        module.importGlobal('GOT.mem', 'gone', true)
      }),
    /addresses that neither .+ has: "lost", "gone"$/,
  ],
  [
    'the address of a variable that is a function',
    () => sideWith(({ module }) => module.importGlobal('GOT.mem', 'increment', true)),
    /addresses .+"increment"/,
  ],
  [
    'a function of another type',
    () => imports('increment', [I64], [I32]),
    /calls "increment" as \(i64\) -> \(i32\), but that function is \(i32\) -> \(i32\)/,
  ],
  [
    'another global',
    () => sideWith(({ module }) => module.importGlobal('env', 'other', false)),
    /global "env.other" of an unknown kind/,
  ],
  [
    'a global of another type',
    () => sideWith(({ module }) => module.importGlobal('env', '__memory_base', false, I64)),
    /global "env.__memory_base" of an unknown kind/,
  ],
  [
    'a mutable base',
    () => sideWith(({ module }) => module.importGlobal('env', '__memory_base', true)),
    /global "env.__memory_base" of an unknown kind/,
  ],
  [
    'an own global that is not an i32',
    () => sideWith(({ module }) => module.global([OP.i64Const, 0], { type: I64 })),
    /global that is not an i32|computed with the instruction 0x42/,
  ],
  [
    'an own global that a function sets',
    () =>
      sideWith(({ module }) => {
        const own = module.global(i32(0), { isMutable: true })
        module.function(module.type([I32], []), [...get(0), OP.globalSet, own])
      }),
    /sets a global, which snapshots do not contain/,
  ],
  [
    'a GOT entry that a function sets',
    () =>
      sideWith(({ module }) => {
        const entry = module.importGlobal('GOT.mem', 'main_data', true)
        module.function(module.type([I32], []), [...get(0), OP.globalSet, entry])
      }),
    /sets a global/,
  ],
  [
    'the address of a mutable global',
    () =>
      sideWith(({ module }) => {
        module.global(i32(0), { isMutable: true, name: 'mine' })
        module.importGlobal('GOT.mem', 'mine', true)
      }),
    /address of "mine" is not a constant/,
  ],
  [
    'the address of a thread-local variable',
    () =>
      sideWith(
        ({ module }) => {
          module.global(i32(0), { name: 'mine' })
          module.importGlobal('GOT.mem', 'mine', true)
        },
        { exportFlags: { mine: 0x100 } },
      ),
    /address of "mine" is not a constant/,
  ],
  ['table.get', () => code(...get(0), 0x25, 0, 0xd1), /0x25: it would change the function table/],
  [
    'table.set',
    () => code(...get(0), 0xd0, 0x70, 0x26, 0, ...i32(0)),
    /0x26: it would change the function table/,
  ],
  [
    'table.grow',
    () => code(0xd0, 0x70, ...i32(1), 0xfc, 15, 0),
    /0xfc 15: it would change the function table/,
  ],
  [
    'table.fill',
    () => code(...i32(0), 0xd0, 0x70, ...i32(1), 0xfc, 17, 0, ...i32(0)),
    /0xfc 17: it would change the function table/,
  ],
  [
    'table.copy',
    () => code(...i32(0), ...i32(0), ...i32(0), 0xfc, 14, 0, 0, ...i32(0)),
    /0xfc 14: it would change the function table/,
  ],
  ['memory.grow', () => code(...i32(1), 0x40, 0), /0x40: it grows memory itself/],
  [
    'try_table',
    () => code(0x1f, 0x7f, 0, ...i32(0), OP.end),
    /not valid WebAssembly|0x1f: it uses the new exception instructions/,
  ],
  ['call_ref', () => code(0xd0, 0x70, 0x14, 0), /not valid WebAssembly|0x14/],
  ['structures', () => rawType(0x5f, 0), /type that is not a function's/],
  ['typed references', () => rawType(0x60, 1, 0x63, 0x70, 0), /value type 0x63/],
  [
    'a start function that calls',
    () =>
      sideWith(({ module }) => {
        const type = module.type()
        const nothing = module.function(type, [])
        module.start(module.function(type, call(nothing)))
      }),
    /start function does more than clear memory \(instruction 0x10\)/,
  ],
  ['a start function with a loop', () => starts([0x03, 0x40, 0x0c, 0, OP.end]), /instruction 0x3/],
  [
    'an imported start function',
    () =>
      sideWith(({ module }) => {
        module.start(module.importFunction('nothing', module.type()))
        module.function(0, [], { name: 'nothing' })
      }),
    /starts with a function that it imports/,
  ],
  [
    'a start function that writes beyond its memory',
    () => starts([...global(MEMORY_BASE), ...i32(1), ...store(8)]),
    /beyond the memory/,
  ],
  [
    'a start function that fills beyond its memory',
    () => starts([...global(MEMORY_BASE), ...i32(0), ...i32(9), 0xfc, 11, 0]),
    /beyond the memory/,
  ],
  [
    'a start function that fills all memory',
    () => starts([...i32(0), ...i32(0), ...i32(-1), 0xfc, 11, 0]),
    /beyond the memory/,
  ],
  [
    'a start function that fills repeatedly',
    () =>
      starts(
        Array.from({ length: 3 }, () => [...global(MEMORY_BASE), ...i32(0), ...i32(8), 0xfc, 11, 0]).flat(),
      ),
    /again and again/,
  ],
  [
    'a start function that writes too often',
    () =>
      starts(
        Array.from({ length: LIMITS.startWrites + 1 }, () => [
          ...global(MEMORY_BASE),
          ...i32(0),
          ...i32(0),
          0xfc,
          11,
          0,
        ]).flat(),
      ),
    /writes too often/,
  ],
  [
    'data beyond its memory',
    () =>
      sideWith(({ module, memoryBase }) => module.data(global(memoryBase), [1, 2, 3]), { memoryBytes: 2 }),
    /beyond the memory/,
  ],
  [
    'empty data at an address outside',
    () => sideWith(({ module }) => module.data(i32(-1), []), { memoryBytes: 2 }),
    /beyond the memory/,
  ],
  [
    'data at a fixed address',
    () => sideWith(({ module }) => module.data(i32(MAIN), [1]), { memoryBytes: 2 }),
    /beyond the memory/,
  ],
  [
    'table entries outside its own',
    () => sideWith(({ module }) => module.elements(i32(1), [module.function(module.type(), [])])),
    /place in the table that is not its own/,
  ],
  [
    'more table entries than it asks for',
    () =>
      sideWith(
        ({ module, tableBase }) => {
          const own = module.function(module.type(), [])
          module.elements(global(tableBase), [own, own])
        },
        { tableEntries: 1 },
      ),
    /more of the function table than it asks for/,
  ],
  [
    'constructors with parameters',
    () => sideWith(({ module }) => module.function(module.type([I32]), [], { name: '__wasm_call_ctors' })),
    /"__wasm_call_ctors" is imported, or takes/,
  ],
  [
    'imported relocations',
    () =>
      sideWith(
        ({ module }) => {
          module.export(
            '__wasm_apply_data_relocs',
            KIND.function,
            module.importFunction('__wasm_apply_data_relocs', module.type()),
          )
        },
        { weak: ['__wasm_apply_data_relocs'] },
      ),
    /"__wasm_apply_data_relocs" is imported/,
  ],
  [
    'a needed library that is missing',
    () => side({ needed: ['gone.so'], runtimePaths: ['$ORIGIN/libs'] }).module,
    /needs "gone.so", which no package .+"\/site\/libs\/", "\/usr\/lib\/"/,
  ],
  [
    'a library that needs itself',
    () => side({ needed: ['lib.so'], runtimePaths: ['$ORIGIN'] }).module,
    /it has a dependency cycle with "\/site\/lib.so"/,
  ],
  ['more memory than the maximum', () => side({ memoryBytes: 2 ** 32 - 1 }).module, /bytes of memory/],
  [
    'more table entries than the maximum',
    () => side({ tableEntries: 2 ** 32 - 1 }).module,
    /entries of the function table/,
  ],
  ['a huge alignment', () => side({ memoryAlignment: 40 }).module, /alignment of 2 \*\* 40/],
  ['a huge alignment of the table', () => side({ tableAlignment: 31 }).module, /alignment of 2 \*\* 31/],
  [
    'too many needed libraries',
    () => side({ needed: Array.from({ length: LIMITS.neededLibraries + 1 }, (_, i) => `${i}`) }).module,
    /too many needed/,
  ],
  [
    'a long runtime path',
    () => side({ runtimePaths: ['x'.repeat(LIMITS.pathLength + 1)] }).module,
    /too long/,
  ],
]

describe('the linker rejects', () => {
  it.each(REFUSED)('%s', (_, make, reason) => {
    const made = make()
    const file = {
      path: '/site/lib.so',
      wheel: 'lib-1.0.whl',
      bytes: made instanceof Uint8Array ? made : made.bytes(),
    }
    const error = errorOf([file])
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({
      library: '/site/lib.so',
      wheel: 'lib-1.0.whl',
      reason: expect.stringMatching(reason),
    })
    expect((error as Error).message).toMatch(/^"\/site\/lib.so" of "lib-1.0.whl" cannot be linked: /)
  })

  it('libraries that need each other', () => {
    const ring = ['a', 'b', 'c'].map((name, i, all) =>
      library(side({ needed: [`${all[(i + 1) % 3]}.so`], runtimePaths: ['$ORIGIN'] }), `/site/${name}.so`),
    )
    expect(errorOf(ring)).toMatchObject({
      library: '/site/c.so',
      reason: 'it has a dependency cycle with "/site/a.so"',
    })
  })

  it('two libraries of one path', () => {
    const error = errorOf([library(side()), library(side(), '/site/lib.so', 'other.whl')])
    expect(error).toMatchObject({
      name: 'LinkError',
      wheel: 'other.whl',
      reason: 'lib-1.0.whl has a library of the same path',
    })
  })

  it('the file that is wrong: the error names it and its wheel', () => {
    const fine = library(side(), '/site/a.so', 'a.whl')
    expect(errorOf([fine, library(code(...i32(1), 0x40, 0), '/site/b.so', 'b.whl')])).toMatchObject({
      library: '/site/b.so',
      wheel: 'b.whl',
    })
  })

  it('very long names: the error truncates them', () => {
    const names = Array.from({ length: 50 }, (_, i) => `${i}${'x'.repeat(5000)}`)
    const error = errorOf([
      library(
        sideWith(({ module }) => {
          const type = module.type()
          for (const name of names) module.importFunction(name, type)
        }),
      ),
    ])
    expect(error).toBeInstanceOf(LinkError)
    expect((error as Error).message).toMatch(/ and 40 more$/)
    expect((error as Error).message.length).toBeLessThan(4000)
  })
})
