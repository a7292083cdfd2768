// Parses a WebAssembly binary, except for the instructions of its functions. Owns which parts of the format our readers support: what C,
// C++ and Rust compilers write. Structure types, typed references and second memories are refused. V8 checks that the parts are consistent.
import { type Allowance, Cursor, WasmFormatError } from './cursor.js'
import { KIND, SECTION, sections } from './encoding.js'

/** Value types as in the binary: 0x7f is i32. */
export interface FunctionType {
  readonly parameters: readonly number[]
  readonly results: readonly number[]
}

export const VALUE_TYPE = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const
const VALUE_TYPES: ReadonlySet<number> = new Set(Object.values(VALUE_TYPE))

export interface Limits {
  readonly flags: number
  readonly minimum: number
}

export interface Import {
  readonly module: string
  readonly name: string
  readonly kind: number
  /** Index of a function's or tag's type; the value type of a global; 0 for tables and memories. */
  readonly type: number
  /** For globals. */
  readonly isMutable: boolean
  /** For tables and memories. */
  readonly limits: Limits | undefined
}

/** An i32: the sum of a constant and the values of globals. */
export interface ConstantExpression {
  readonly constant: number
  readonly globals: readonly number[]
}

export interface Global {
  readonly type: number
  readonly isMutable: boolean
  readonly initial: ConstantExpression
}

export interface Export {
  readonly name: string
  readonly kind: number
  readonly index: number
}

export interface ElementSegment {
  readonly mode: 'active' | 'passive' | 'declarative'
  /** 0 unless active. */
  readonly offset: ConstantExpression
  readonly functions: readonly number[]
}

export interface DataSegment {
  readonly mode: 'active' | 'passive'
  readonly offset: ConstantExpression
  readonly bytes: Uint8Array
}

export interface CustomSection {
  readonly name: string
  readonly content: Uint8Array
}

export interface WasmModule {
  readonly types: readonly FunctionType[]
  readonly imports: readonly Import[]
  /** Index into `types` of each function, imported functions first. */
  readonly typesOfFunctions: readonly number[]
  /** Like `memories`, `tags` and `globals`: only those that the module itself defines. */
  readonly tables: readonly Limits[]
  readonly memories: readonly Limits[]
  /** Index into `types` of each tag. */
  readonly tags: readonly number[]
  readonly globals: readonly Global[]
  readonly exports: readonly Export[]
  readonly start: number | undefined
  readonly elements: readonly ElementSegment[]
  /** Body of each function that the module defines, without its length. */
  readonly bodies: readonly Uint8Array[]
  readonly data: readonly DataSegment[]
  readonly customSections: readonly CustomSection[]
}

/**
 * @param allowance - limits the parts of hostile binaries
 * @throws WasmFormatError if the binary is malformed or has something that no reader here supports
 */
export function readModule(bytes: Uint8Array, allowance?: Allowance): WasmModule {
  const module = {
    types: [] as FunctionType[],
    imports: [] as Import[],
    typesOfFunctions: [] as number[],
    tables: [] as Limits[],
    memories: [] as Limits[],
    tags: [] as number[],
    globals: [] as Global[],
    exports: [] as Export[],
    start: undefined as number | undefined,
    elements: [] as ElementSegment[],
    bodies: [] as Uint8Array[],
    data: [] as DataSegment[],
    customSections: [] as CustomSection[],
  }
  const seen = new Set<number>()
  for (const { id, content } of sections(bytes)) {
    const cursor = new Cursor(content, allowance)
    if (id === SECTION.custom) {
      module.customSections.push({ name: cursor.name(), content: content.subarray(cursor.at) })
      continue
    }
    if (seen.has(id)) throw new WasmFormatError(`the WebAssembly binary has section ${id} twice`)
    seen.add(id)
    const list = <T>(items: T[], read: (cursor: Cursor) => T) => cursor.times(() => items.push(read(cursor)))
    switch (id) {
      case SECTION.type:
        list(module.types, readType)
        break
      case SECTION.import:
        list(module.imports, readImport)
        for (const { kind, type } of module.imports)
          if (kind === KIND.function) module.typesOfFunctions.push(type)
        break
      case SECTION.function:
        list(module.typesOfFunctions, (from) => from.u32())
        break
      case SECTION.table:
        list(module.tables, readTable)
        break
      case SECTION.memory:
        list(module.memories, readLimits)
        break
      case SECTION.tag:
        list(module.tags, readTag)
        break
      case SECTION.global:
        list(module.globals, readGlobal)
        break
      case SECTION.export:
        list(module.exports, readExport)
        break
      case SECTION.start:
        module.start = cursor.u32()
        break
      case SECTION.element:
        list(module.elements, readElements)
        break
      case SECTION.code:
        list(module.bodies, (from) => from.take(from.u32()))
        break
      case SECTION.data:
        list(module.data, readData)
        break
      case SECTION.dataCount:
        cursor.u32()
        break
      default:
        throw new WasmFormatError(`the WebAssembly binary has an unknown section ${id}`)
    }
    if (!cursor.done) throw new WasmFormatError(`section ${id} of the WebAssembly binary has bytes left over`)
  }
  return module
}

function readType(cursor: Cursor): FunctionType {
  const form = cursor.byte()
  if (form !== 0x60)
    throw new WasmFormatError(
      `it has a type that is not a function's (0x${form.toString(16)}, garbage-collected types)`,
    )
  return { parameters: readValueTypes(cursor), results: readValueTypes(cursor) }
}

function readValueTypes(cursor: Cursor): number[] {
  const types: number[] = []
  cursor.times(() => types.push(checkValueType(cursor.byte())))
  return types
}

function checkValueType(type: number): number {
  if (VALUE_TYPES.has(type)) return type
  throw new WasmFormatError(
    `it uses the value type 0x${type.toString(16)} (typed references or garbage collection)`,
  )
}

function readImport(cursor: Cursor): Import {
  const module = cursor.name()
  const name = cursor.name()
  const kind = cursor.byte()
  let type = 0
  let isMutable = false
  let limits: Limits | undefined
  if (kind === KIND.function) type = cursor.u32()
  else if (kind === KIND.table) limits = readTable(cursor)
  else if (kind === KIND.memory) limits = readLimits(cursor)
  else if (kind === KIND.global) {
    type = checkValueType(cursor.byte())
    isMutable = cursor.byte() === 1
  } else if (kind === KIND.tag) type = readTag(cursor)
  else throw new WasmFormatError(`it imports something of the unknown kind ${kind}`)
  return { module, name, kind, type, isMutable, limits }
}

function readTable(cursor: Cursor): Limits {
  checkValueType(cursor.byte())
  return readLimits(cursor)
}

const HAS_MAXIMUM = 1
/** Other flags are refused: 2 (shared memory), 4 (64-bit addresses), 8 (custom page size). */
const KNOWN_FLAGS = HAS_MAXIMUM

function readLimits(cursor: Cursor): Limits {
  const flags = cursor.byte()
  if ((flags & ~KNOWN_FLAGS) !== 0)
    throw new WasmFormatError('it has a memory or table that is shared or has 64-bit addresses')
  const minimum = cursor.u32()
  if ((flags & HAS_MAXIMUM) !== 0) cursor.u32()
  return { flags, minimum }
}

function readTag(cursor: Cursor): number {
  if (cursor.byte() !== 0) throw new WasmFormatError('it has a tag of an unknown kind')
  return cursor.u32()
}

function readGlobal(cursor: Cursor): Global {
  const type = checkValueType(cursor.byte())
  const isMutable = cursor.byte() === 1
  return { type, isMutable, initial: readConstantExpression(cursor) }
}

function readExport(cursor: Cursor): Export {
  return { name: cursor.name(), kind: cursor.byte(), index: cursor.u32() }
}

const OP = { end: 0x0b, globalGet: 0x23, i32Const: 0x41, i32Add: 0x6a } as const

/** Reads sums only, because linkers write nothing else. */
function readConstantExpression(cursor: Cursor): ConstantExpression {
  let constant = 0
  const globals: number[] = []
  let depth = 0
  for (;;) {
    const opcode = cursor.byte()
    if (opcode === OP.end) break
    if (opcode === OP.i32Const) constant = (constant + cursor.i32()) | 0
    else if (opcode === OP.globalGet) globals.push(cursor.u32())
    else if (opcode !== OP.i32Add)
      throw new WasmFormatError(`a constant is computed with the instruction 0x${opcode.toString(16)}`)
    depth += opcode === OP.i32Add ? -1 : 1
  }
  if (depth !== 1)
    throw new WasmFormatError('a constant expression of the WebAssembly binary does not give one value')
  return { constant, globals }
}

const NOWHERE: ConstantExpression = { constant: 0, globals: [] }

function readElements(cursor: Cursor): ElementSegment {
  const flags = cursor.u32()
  if (flags > 3) throw new WasmFormatError(`it has a table segment of the unsupported kind ${flags}`)
  const isActive = (flags & 1) === 0
  const hasTable = flags === 2
  if (hasTable && cursor.u32() !== 0) throw new WasmFormatError('it has a second table')
  const offset = isActive ? readConstantExpression(cursor) : NOWHERE
  if (flags !== 0 && cursor.byte() !== 0)
    throw new WasmFormatError('it has a table segment of an unknown kind')
  const functions: number[] = []
  cursor.times(() => functions.push(cursor.u32()))
  return { mode: isActive ? 'active' : flags === 1 ? 'passive' : 'declarative', offset, functions }
}

function readData(cursor: Cursor): DataSegment {
  const flags = cursor.u32()
  if (flags > 2) throw new WasmFormatError(`it has a data segment of the unknown kind ${flags}`)
  if (flags === 2 && cursor.u32() !== 0) throw new WasmFormatError('it has a second memory')
  const offset = flags === 1 ? NOWHERE : readConstantExpression(cursor)
  return { mode: flags === 1 ? 'passive' : 'active', offset, bytes: cursor.take(cursor.u32()) }
}
