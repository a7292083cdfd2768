// Assembles WebAssembly modules for tests of the linker: side modules as Emscripten writes them, and a small main module. Owns the
// layout of sections; callers give code as bytes.
import {
  concatenate,
  exportEntry,
  KIND,
  SECTION,
  section,
  signed,
  unsigned,
  vector,
} from '../../../workers/wasm/encoding.js'

export const I32 = 0x7f
export const I64 = 0x7e
export const EXTERNREF = 0x6f

/** Opcodes that the tests use. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  if: 0x04,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  end: 0x0b,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i32Store: 0x36,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Add: 0x6a,
  i32Mul: 0x6c,
  refFunc: 0xd2,
} as const

export type Code = readonly number[]
export const i32 = (value: number): Code => [OP.i32Const, ...signed(value)]
export const call = (index: number): Code => [OP.call, ...unsigned(index)]
export const get = (local: number): Code => [OP.localGet, ...unsigned(local)]
export const global = (index: number): Code => [OP.globalGet, ...unsigned(index)]
export const load = (offset = 0): Code => [OP.i32Load, 2, ...unsigned(offset)]
export const store = (offset = 0): Code => [OP.i32Store, 2, ...unsigned(offset)]

function bytes(...parts: (number | Code | Uint8Array)[]): Uint8Array {
  const all: number[] = []
  for (const part of parts) {
    if (typeof part === 'number') all.push(part)
    else for (const byte of part) all.push(byte)
  }
  return new Uint8Array(all)
}
export const text = (value: string): Uint8Array => {
  const encoded = new TextEncoder().encode(value)
  return bytes(unsigned(encoded.length), encoded)
}

export interface Dylink {
  memoryBytes?: number
  memoryAlignment?: number
  tableEntries?: number
  tableAlignment?: number
  needed?: readonly string[]
  runtimePaths?: readonly string[]
  weak?: readonly string[]
  /** Names of exports and their flags. */
  exportFlags?: Readonly<Record<string, number>>
}

export class Module {
  #sections: (readonly [id: number, content: Uint8Array])[] = []
  readonly #types: Uint8Array[] = []
  readonly #imports: Uint8Array[] = []
  readonly #functions: Uint8Array[] = []
  readonly #bodies: Uint8Array[] = []
  readonly #tables: Uint8Array[] = []
  readonly #memories: Uint8Array[] = []
  readonly #tags: Uint8Array[] = []
  readonly #globals: Uint8Array[] = []
  readonly #exports: Uint8Array[] = []
  readonly #elements: Uint8Array[] = []
  readonly #data: Uint8Array[] = []
  readonly #indices = { function: 0, global: 0, tag: 0 }
  #start: number | undefined
  #dataCount = false

  type(parameters: Code = [], results: Code = []): number {
    return (
      this.#types.push(
        bytes(0x60, unsigned(parameters.length), parameters, unsigned(results.length), results),
      ) - 1
    )
  }

  /** Adds raw bytes as an item of the type section. */
  rawType(...item: number[]): number {
    return this.#types.push(bytes(item)) - 1
  }

  importFunction(name: string, type: number, module = 'env'): number {
    this.#imports.push(bytes(text(module), text(name), KIND.function, unsigned(type)))
    return this.#indices.function++
  }

  importGlobal(module: string, name: string, isMutable: boolean, type = I32): number {
    this.#imports.push(bytes(text(module), text(name), KIND.global, type, isMutable ? 1 : 0))
    return this.#indices.global++
  }

  importTag(name: string, type: number, module = 'env'): number {
    this.#imports.push(bytes(text(module), text(name), KIND.tag, 0, unsigned(type)))
    return this.#indices.tag++
  }

  importMemory(name = 'memory', flags = 0, module = 'env'): this {
    const limits = (flags & 1) === 1 ? [flags, 1, 1] : [flags, 1]
    this.#imports.push(bytes(text(module), text(name), KIND.memory, limits))
    return this
  }

  importTable(name = '__indirect_function_table', module = 'env'): this {
    this.#imports.push(bytes(text(module), text(name), KIND.table, 0x70, 0, 0))
    return this
  }

  /** @param code - without the final `end` */
  function(type: number, code: Code, options: { name?: string; locals?: Code } = {}): number {
    const { name, locals = [] } = options
    this.#functions.push(unsigned(type))
    const body = bytes(unsigned(locals.length), ...locals.map((local) => [1, local]), code, OP.end)
    this.#bodies.push(bytes(unsigned(body.length), body))
    const index = this.#indices.function++
    if (name !== undefined) this.export(name, KIND.function, index)
    return index
  }

  global(initial: Code, options: { name?: string; isMutable?: boolean; type?: number } = {}): number {
    const { name, isMutable = false, type = I32 } = options
    this.#globals.push(bytes(type, isMutable ? 1 : 0, initial, OP.end))
    const index = this.#indices.global++
    if (name !== undefined) this.export(name, KIND.global, index)
    return index
  }

  tag(type: number, name?: string): number {
    this.#tags.push(bytes(0, unsigned(type)))
    const index = this.#indices.tag++
    if (name !== undefined) this.export(name, KIND.tag, index)
    return index
  }

  memory(pages: number, name?: string): this {
    this.#memories.push(bytes(0, unsigned(pages)))
    if (name !== undefined) this.export(name, KIND.memory, 0)
    return this
  }

  table(length: number, name?: string, type = 0x70): this {
    this.#tables.push(bytes(type, 0, unsigned(length)))
    if (name !== undefined) this.export(name, KIND.table, this.#tables.length - 1)
    return this
  }

  export(name: string, kind: number, index: number): this {
    this.#exports.push(exportEntry(name, kind, index))
    return this
  }

  /** Adds an active table segment. */
  elements(offset: Code, functions: readonly number[]): this {
    this.#elements.push(bytes(0, offset, OP.end, vector(functions.map(unsigned))))
    return this
  }

  rawElements(...item: number[]): this {
    this.#elements.push(bytes(item))
    return this
  }

  data(offset: Code, content: Uint8Array | Code): this {
    this.#data.push(bytes(0, offset, OP.end, unsigned(content.length), content))
    return this
  }

  passiveData(content: Code): this {
    this.#dataCount = true
    this.#data.push(bytes(1, unsigned(content.length), content))
    return this
  }

  start(index: number): this {
    this.#start = index
    return this
  }

  custom(name: string, content: Uint8Array | Code = []): this {
    this.#sections.push([SECTION.custom, bytes(text(name), content)])
    return this
  }

  dylink(dylink: Dylink = {}): this {
    const { memoryBytes = 0, memoryAlignment = 4, tableEntries = 0, tableAlignment = 0 } = dylink
    const parts = [
      section(
        1,
        bytes(
          unsigned(memoryBytes),
          unsigned(memoryAlignment),
          unsigned(tableEntries),
          unsigned(tableAlignment),
        ),
      ),
    ]
    if (dylink.needed !== undefined) parts.push(section(2, vector(dylink.needed.map(text))))
    if (dylink.exportFlags !== undefined)
      parts.push(
        section(
          3,
          vector(
            Object.entries(dylink.exportFlags).map(([name, flags]) => bytes(text(name), unsigned(flags))),
          ),
        ),
      )
    if (dylink.weak !== undefined)
      parts.push(section(4, vector(dylink.weak.map((name) => bytes(text('env'), text(name), 1)))))
    if (dylink.runtimePaths !== undefined) parts.push(section(5, vector(dylink.runtimePaths.map(text))))
    return this.custom('dylink.0', concatenate(parts))
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const start = this.#start === undefined ? [] : [unsigned(this.#start)]
    const lists: [number, readonly Uint8Array[]][] = [
      ...([
        [SECTION.type, this.#types],
        [SECTION.import, this.#imports],
        [SECTION.function, this.#functions],
        [SECTION.table, this.#tables],
        [SECTION.memory, this.#memories],
        [SECTION.tag, this.#tags],
        [SECTION.global, this.#globals],
        [SECTION.export, this.#exports],
        [SECTION.start, start],
        [SECTION.element, this.#elements],
        [SECTION.dataCount, this.#dataCount ? [unsigned(this.#data.length)] : []],
        [SECTION.code, this.#bodies],
        [SECTION.data, this.#data],
      ] as [number, readonly Uint8Array[]][]),
    ]
    return concatenate([
      Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00),
      ...this.#sections.map(([id, content]) => section(id, content)),
      ...lists.flatMap(([id, items]) => {
        if (items.length === 0) return []
        const isNumber = id === SECTION.start || id === SECTION.dataCount
        return [section(id, isNumber ? concatenate(items) : vector(items))]
      }),
    ])
  }
}

/** Numbers of the globals that `side` imports into every module. */
export interface Side {
  readonly module: Module
  readonly stackPointer: number
  readonly memoryBase: number
  readonly tableBase: number
}

/** A side module with the imports that Emscripten always writes. */
export function side(dylink: Dylink = {}): Side {
  const module = new Module().dylink(dylink).importMemory().importTable()
  return {
    module,
    stackPointer: module.importGlobal('env', '__stack_pointer', true),
    memoryBase: module.importGlobal('env', '__memory_base', false),
    tableBase: module.importGlobal('env', '__table_base', false),
  }
}
