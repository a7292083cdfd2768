// Reads and rewrites WebAssembly binaries: signatures of function-table entries, and the core module that slots
// instantiate. Owns the encoding; which exports are kept is workers/interpreter/exports.ts.
import { STATE_PREFIX } from '../interpreter/exports.js'

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  dataCount: 12,
  data: 11,
} as const
export const PREAMBLE_BYTES = 8
const FUNCTION_FORM = 0x60
const I32_CONST = 0x41
const GLOBAL_GET = 0x23
export const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const
const END = 0x0b

/** Value types as the binary has them: 0x7f is i32. */
export interface FunctionType {
  readonly parameters: readonly number[]
  readonly results: readonly number[]
}

export interface WasmBinary {
  readonly types: readonly FunctionType[]
  /** Index into `types` of each function, the imported ones first. */
  readonly typesOfFunctions: readonly number[]
  /** Signature of the function that instantiation puts at each index of table 0; undefined where it puts none. */
  readonly tableSignatures: readonly (FunctionType | undefined)[]
  readonly exportNames: readonly string[]
}

export interface Section {
  readonly id: number
  /** Including id and length. */
  readonly whole: Uint8Array
  readonly content: Uint8Array
}

/** Reads what the builder needs to know. Throws on anything that Emscripten's linker does not write. */
export function readWasm(bytes: Uint8Array): WasmBinary {
  const types: FunctionType[] = []
  const typesOfFunctions: number[] = []
  const exportNames: string[] = []
  let tableSignatures: (FunctionType | undefined)[] = []
  for (const { id, content } of sections(bytes)) {
    const cursor = new Cursor(content)
    if (id === SECTION.type) readTypes(cursor, types)
    else if (id === SECTION.import) readFunctionImports(cursor, typesOfFunctions)
    else if (id === SECTION.function) cursor.times(() => typesOfFunctions.push(cursor.u32()))
    else if (id === SECTION.table) tableSignatures = new Array(readFirstTableLength(cursor)).fill(undefined)
    else if (id === SECTION.export) cursor.times(() => exportNames.push(readExport(cursor).name))
    else if (id === SECTION.element)
      readElements(cursor, (index, functionIndex) => {
        tableSignatures[index] = types[typesOfFunctions[functionIndex] ?? -1]
      })
  }
  return { types, typesOfFunctions, tableSignatures, exportNames }
}

/**
 * The same code with only the exports of `names`, one for each mutable global and table that has none (`STATE_PREFIX`), and without data, data count and custom sections: a fresh instance's
 * memory is all zero. Code that copies from a data segment (`memory.init`) would not validate without the data count
 * section, so compiling the result proves that there is none.
 */
export function coreModuleBytes(bytes: Uint8Array, names: readonly string[]): Uint8Array<ArrayBuffer> {
  const wanted = new Set(names)
  const parts: Uint8Array[] = [bytes.subarray(0, PREAMBLE_BYTES)]
  const state = stateItems(bytes)
  for (const { id, whole, content } of sections(bytes)) {
    if (id === SECTION.custom || id === SECTION.data || id === SECTION.dataCount) continue
    if (id !== SECTION.export) {
      parts.push(whole)
      continue
    }
    const kept: Uint8Array[] = []
    const cursor = new Cursor(content)
    cursor.times(() => {
      const { name, kind, index, encoded } = readExport(cursor)
      if (!wanted.delete(name)) return
      kept.push(encoded)
      state.delete(stateName(kind, index))
    })
    for (const [name, { kind, index }] of state) kept.push(exportEntry(name, kind, index))
    parts.push(section(SECTION.export, vector(kept)))
  }
  if (wanted.size > 0) throw new Error(`the module does not export ${[...wanted].join(', ')}`)
  return concatenate(parts)
}

/** A whole section: id, length, content. */
export function section(id: number, content: Uint8Array): Uint8Array {
  return concatenate([Uint8Array.of(id), unsigned(content.length), content])
}

/** A vector: the number of items, then the items. */
export function vector(items: readonly Uint8Array[]): Uint8Array {
  return concatenate([unsigned(items.length), ...items])
}

/** LEB128 of a u32. */
export function unsigned(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value >>> 0
  do {
    const low = rest & 0x7f
    rest >>>= 7
    bytes.push(rest === 0 ? low : low | 0x80)
  } while (rest !== 0)
  return Uint8Array.from(bytes)
}

/** LEB128 of an i32, as `i32.const` takes it. */
export function signed(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value | 0
  for (;;) {
    const low = rest & 0x7f
    rest >>= 7
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
    bytes.push(last ? low : low | 0x80)
    if (last) return Uint8Array.from(bytes)
  }
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function sections(bytes: Uint8Array): Section[] {
  const cursor = new Cursor(bytes)
  if (cursor.hex(PREAMBLE_BYTES) !== '0061736d01000000') throw new Error('not a WebAssembly 1 binary')
  const found: Section[] = []
  while (!cursor.done) {
    const start = cursor.at
    const id = cursor.byte()
    const content = cursor.take(cursor.u32())
    found.push({ id, content, whole: bytes.subarray(start, cursor.at) })
  }
  return found
}

function readTypes(cursor: Cursor, types: FunctionType[]): void {
  cursor.times(() => {
    if (cursor.byte() !== FUNCTION_FORM) throw new Error('unexpected form of type in the WebAssembly binary')
    const parameters = [...cursor.take(cursor.u32())]
    const results = [...cursor.take(cursor.u32())]
    types.push({ parameters, results })
  })
}

function readFunctionImports(cursor: Cursor, typesOfFunctions: number[]): void {
  readImports(cursor, (kind, type) => {
    if (kind === KIND.function) typesOfFunctions.push(type)
  })
}

function readImports(cursor: Cursor, found: (kind: number, type: number) => void): void {
  cursor.times(() => {
    cursor.take(cursor.u32())
    cursor.take(cursor.u32())
    const kind = cursor.byte()
    if (kind === KIND.table || kind === KIND.memory)
      throw new Error('the WebAssembly binary imports a table or a memory')
    // A global's value type and mutability, and a tag's attribute, are a byte each.
    if (kind === KIND.global) cursor.take(2)
    if (kind === KIND.tag) cursor.byte()
    found(kind, kind === KIND.global ? 0 : cursor.u32())
  })
}

function readFirstTableLength(cursor: Cursor): number {
  if (cursor.u32() === 0) throw new Error('the WebAssembly binary has no table')
  cursor.take(2)
  return cursor.u32()
}

interface Export {
  readonly name: string
  readonly kind: number
  readonly index: number
  readonly encoded: Uint8Array
}

function readExport(cursor: Cursor): Export {
  const start = cursor.at
  const name = new TextDecoder().decode(cursor.take(cursor.u32()))
  const kind = cursor.byte()
  const index = cursor.u32()
  return { name, kind, index, encoded: cursor.since(start) }
}

function exportEntry(name: string, kind: number, index: number): Uint8Array {
  const text = new TextEncoder().encode(name)
  return concatenate([unsigned(text.length), text, Uint8Array.of(kind), unsigned(index)])
}

interface StateItem {
  readonly kind: number
  readonly index: number
}

/** What running code can change beside memory: tables, and the mutable globals that the module itself defines. By their names here. */
function stateItems(bytes: Uint8Array): Map<string, StateItem> {
  const items: StateItem[] = []
  let globals = 0
  for (const { id, content } of sections(bytes)) {
    const cursor = new Cursor(content)
    if (id === SECTION.import) globals = countImportedGlobals(cursor)
    else if (id === SECTION.table) {
      const count = cursor.u32()
      for (let index = 0; index < count; index++) items.push({ kind: KIND.table, index })
    } else if (id === SECTION.global) {
      let index = globals
      cursor.times(() => {
        if (readGlobal(cursor)) items.push({ kind: KIND.global, index })
        index += 1
      })
    }
  }
  return new Map(items.map((item) => [stateName(item.kind, item.index), item]))
}

function stateName(kind: number, index: number): string {
  return `${STATE_PREFIX}${kind === KIND.table ? 'table' : 'global'} ${index}`
}

function countImportedGlobals(cursor: Cursor): number {
  let count = 0
  readImports(cursor, (kind) => {
    if (kind === KIND.global) count += 1
  })
  return count
}

/** Whether it is mutable. */
function readGlobal(cursor: Cursor): boolean {
  cursor.byte()
  const isMutable = cursor.byte() === 1
  const opcode = cursor.byte()
  if (opcode !== I32_CONST && opcode !== GLOBAL_GET) throw new Error('unexpected initial value of a global')
  cursor.u32()
  if (cursor.byte() !== END) throw new Error('unexpected initial value of a global')
  return isMutable
}

function readElements(cursor: Cursor, put: (index: number, functionIndex: number) => void): void {
  cursor.times(() => {
    if (cursor.u32() !== 0 || cursor.byte() !== I32_CONST)
      throw new Error('unexpected kind of element segment')
    const offset = cursor.u32()
    if (cursor.byte() !== END) throw new Error('unexpected offset of an element segment')
    let index = offset
    cursor.times(() => put(index++, cursor.u32()))
  })
}

export class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get at(): number {
    return this.#at
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new Error('the WebAssembly binary is truncated')
    return byte
  }

  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new Error('a number in the WebAssembly binary is too long')
  }

  take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new Error('the WebAssembly binary is truncated')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#at)
  }

  hex(length: number): string {
    return Buffer.from(this.take(length)).toString('hex')
  }

  /** Reads a count and calls `item` as often. */
  times(item: () => void): void {
    for (let left = this.u32(); left > 0; left--) item()
  }
}
