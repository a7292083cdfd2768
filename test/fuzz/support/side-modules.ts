// Random side modules for the linker's fuzzer: mostly valid and matching each other, with odd names, sizes and instructions mixed in.
// Owns generating them; test/fuzz/linker.ts judges what the linker does with them.
import type { Random } from '../../../chaos/random.js'
import { KIND, unsigned } from '../../../workers/wasm/encoding.js'
import {
  type Code,
  call,
  type Dylink,
  global,
  I32,
  I64,
  i32,
  OP,
  side,
} from '../../linker/support/assembler.js'

const NAMES = [
  ...[
    'increment',
    'twice',
    'apply',
    'host',
    'main_data',
    'a',
    'b',
    'c',
    'd',
    'PyInit_x',
    '__proto__',
    'constructor',
  ],
  ...['MAIN__', '__wasm_call_ctors', '__wasm_apply_data_relocs'],
]
const ODD_NAMES = [
  '',
  'JsProxy_create',
  'JsvNum_fromInt',
  '__em_js__a',
  'x'.repeat(300),
  'Jsr_undefined',
  'memory',
]
/** Type numbers of these functions, in the order in which `sideModule` creates the types. */
const TYPES: Readonly<Record<string, number>> = {
  apply: 2,
  __wasm_call_ctors: 1,
  __wasm_apply_data_relocs: 1,
}
const FILES = ['0.so', '1.so', '2.so', '3.so', '../a/0.so', '', '/', 'x'.repeat(2000)]
export const FOLDERS = ['a', 'a.libs', 'b']
const RUNTIME_PATHS = ['$ORIGIN', '$ORIGIN/../a', '$ORIGIN/../a.libs', '$ORIGIN/../b']
const ODD_PATHS = [...RUNTIME_PATHS, '/usr/lib', '', '..', '$ORIGIN'.repeat(100)]
const SIZES = [0, 1, 4, 8, 64, 1000, 65_536, 2 ** 20, 2 ** 28, 2 ** 30, 2 ** 31, 2 ** 32 - 1]
const TRIES = 6

export class SideModules {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Returns a module that is nearly always valid, for the library `number.so`. */
  next(number: number): Uint8Array<ArrayBuffer> {
    // Mostly avoid dependency cycles.
    const needable = this.#random.chance(0.97) ? FILES.slice(0, number) : FILES
    let bytes = this.#module(needable)
    for (let i = 0; i < TRIES && !WebAssembly.validate(bytes); i++) bytes = this.#module(needable)
    return bytes
  }

  #some<T>(list: readonly T[], most: number): T[] {
    return Array.from({ length: this.#random.integer(0, most) }, () => this.#random.pick(list))
  }

  #name(): string {
    return this.#random.pick(this.#random.chance(0.99) ? NAMES : ODD_NAMES)
  }

  #names(most: number): string[] {
    return Array.from({ length: this.#random.integer(0, most) }, () => this.#name())
  }

  #number(): number {
    return this.#random.chance(0.93) ? this.#random.integer(0, 6) : this.#random.pick(SIZES)
  }

  #dylink(needable: readonly string[]): Dylink {
    const random = this.#random
    const usually = <T>(value: T, odd: () => T) => (random.chance(0.995) ? value : odd())
    return {
      memoryBytes: usually(random.pick([0, 64, 200]), () => random.pick(SIZES)),
      memoryAlignment: usually(random.integer(0, 6), () => random.pick([16, 17, 31, 32, 2 ** 31])),
      tableEntries: usually(random.integer(0, 4), () => random.pick(SIZES)),
      tableAlignment: usually(random.integer(0, 3), () => random.pick([16, 17, 40])),
      needed: usually(needable.length > 0 && random.chance(0.3) ? [random.pick(needable)] : [], () =>
        this.#some(FILES, 120),
      ),
      runtimePaths: usually(RUNTIME_PATHS, () => this.#some(ODD_PATHS, 110)),
      weak: random.chance(0.92) ? NAMES : this.#names(8),
      exportFlags: Object.fromEntries(
        this.#names(2).map((name) => [name, random.pick([0, 0x200, 0x1000, 0x100])]),
      ),
    }
  }

  #module(needable: readonly string[]): Uint8Array<ArrayBuffer> {
    const random = this.#random
    const dylink = this.#dylink(needable)
    const { module, memoryBase, tableBase, stackPointer } = side(dylink)
    const unary = module.type([I32], [I32])
    const nullary = module.type()
    module.type([I32, I32], [I32])
    const thrown = module.type([I32])
    for (let i = random.integer(0, 3); i > 0; i--)
      module.type(Array<number>(random.integer(0, 5)).fill(I64), [])
    const tag = random.chance(0.5)
      ? module.importTag(random.pick(['__cpp_exception', '__c_longjmp']), thrown)
      : undefined
    const globals = [stackPointer, memoryBase, tableBase]
    for (const name of this.#names(3))
      globals.push(module.importGlobal(random.pick(['GOT.func', 'GOT.mem']), name, true))
    const functions: number[] = []
    for (const name of this.#names(4))
      functions.push(
        module.importFunction(name, random.chance(0.97) ? (TYPES[name] ?? unary) : random.integer(0, 3)),
      )
    const exported = new Set<string>()
    const exportName = (isData = false) => {
      const name = this.#name()
      const isOther = isData && TYPES[name] !== undefined
      if (exported.has(name) || isOther || random.chance(0.4)) return {}
      exported.add(name)
      return { name }
    }
    for (let i = random.integer(0, 2); i > 0; i--)
      globals.push(module.global(i32(this.#number()), { ...exportName(true), isMutable: random.chance(0.3) }))
    const bodies = random.integer(0, 5)
    const drawn = { functions: [...functions], globals, stackPointer, tag, unary }
    for (let i = 0; i < bodies; i++) {
      const named = exportName()
      const isNullary = named.name === undefined ? random.chance(0.3) : (TYPES[named.name] ?? 0) === 1
      const locals = random.pick([[], [I32], [I32, I64]])
      const body = [...this.#code(drawn), ...(isNullary ? [] : i32(this.#number()))]
      functions.push(module.function(isNullary ? nullary : unary, body, { ...named, locals }))
    }
    for (const name of this.#names(1))
      if (!exported.has(name) && functions.length > 0)
        module.export(name, KIND.function, random.pick(functions))
    if (random.chance(0.5)) module.start(module.function(nullary, this.#start(memoryBase, globals)))
    if (functions.length > 0 && random.chance(0.6)) {
      const entries = this.#some(functions, random.chance(0.97) ? (dylink.tableEntries ?? 0) % 5 : 5)
      module.elements(random.chance(0.99) ? global(tableBase) : i32(this.#number()), entries)
    }
    if (functions.length > 0) module.rawElements(3, 0, functions.length, ...functions)
    for (let i = random.integer(0, 2); i > 0; i--) {
      const length = (dylink.memoryBytes ?? 0) >= 8 || random.chance(0.03) ? random.integer(0, 8) : 0
      module.data(
        random.chance(0.99) ? global(memoryBase) : i32(this.#number()),
        Array<number>(length).fill(1),
      )
    }
    return module.bytes()
  }

  #start(memoryBase: number, globals: readonly number[]): Code {
    const random = this.#random
    const address = () => [...global(memoryBase), ...i32(this.#number()), OP.i32Add]
    const parts: Code[] = []
    for (let i = random.integer(0, 3); i > 0; i--) {
      if (random.chance(0.5))
        parts.push([
          ...address(),
          ...i32(this.#number()),
          random.pick([0x36, 0x3a, 0x3b]),
          0,
          this.#number() & 7,
        ])
      else parts.push([...address(), ...i32(this.#number()), ...i32(this.#number()), 0xfc, 11, 0])
    }
    if (random.chance(0.2)) parts.push([...address(), OP.globalSet, random.pick(globals)])
    if (random.chance(0.02)) parts.push([OP.block, 0x40, OP.end])
    return parts.flat()
  }

  /** Instructions that leave the stack unchanged. After `unreachable`, nearly everything is valid. */
  #code({ functions, globals, stackPointer, tag, unary }: Drawn): Code {
    const random = this.#random
    const parts: Code[] = []
    const unreached = (code: Code) => [OP.unreachable, ...code, OP.unreachable]
    const kinds: readonly (() => Code)[] = [
      () => (functions.length === 0 ? [] : unreached(call(random.pick(functions)))),
      () => [...global(random.pick(globals)), OP.drop],
      () => [
        ...global(stackPointer),
        OP.globalSet,
        random.chance(0.97) ? stackPointer : random.pick(globals),
      ],
      () => unreached([OP.callIndirect, ...unsigned(unary), 0]),
      () => (tag === undefined ? [] : [OP.try, 0x40, OP.catch, tag, OP.drop, OP.end]),
      () => [OP.block, 0x40, ...i32(1), 0x0d, 0, ...i32(0), 0x0e, 1, 0, 0, OP.end],
      () => [...i32(1), OP.block, unary, OP.end, OP.drop],
      () => [...i32(random.pick(SIZES)), OP.drop],
      () => (functions.length === 0 ? [] : [OP.refFunc, random.pick(functions), OP.drop]),
      () =>
        unreached(
          [random.integer(0x28, 0xc4)].flatMap((opcode) => [opcode, ...(opcode <= 0x3e ? [0, 5] : [])]),
        ),
      () => unreached([0xfd, ...unsigned(random.integer(14, 275))]),
      () =>
        unreached([0xfd, random.pick([12, 13]), ...Array.from({ length: 16 }, () => random.integer(0, 31))]),
      () => unreached([0xfe, random.integer(16, 78), random.integer(0, 3), this.#number()]),
    ]
    for (let left = random.integer(0, 8); left > 0; left--) parts.push(random.pick(kinds)())
    if (random.chance(0.005))
      parts.push(
        Array.from({ length: 1000 }, () => [OP.block, 0x40]).flat(),
        Array<number>(1000).fill(OP.end),
      )
    if (random.chance(0.03))
      parts.push(unreached([random.integer(0, 255), ...this.#some([0, 1, 0x40, OP.end], 4)]))
    return parts.flat()
  }
}

interface Drawn {
  readonly functions: readonly number[]
  readonly globals: readonly number[]
  readonly stackPointer: number
  readonly tag: number | undefined
  readonly unary: number
}
