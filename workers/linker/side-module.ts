// A library as an Emscripten side module, with its parts as the linker needs them. Owns what a library may consist of; function-body.ts
// owns what its functions may do.
import type { Allowance } from '../wasm/cursor.js'
import { KIND } from '../wasm/encoding.js'
import {
  type ConstantExpression,
  type Export,
  type FunctionType,
  type Global,
  readModule,
  VALUE_TYPE,
  type WasmModule,
} from '../wasm/module.js'
import { isInlineJavaScript } from './bridge.js'
import { type Dylink, readDylink } from './dylink.js'
import { quote, Unlinkable } from './link-error.js'

export interface FunctionImport {
  readonly module: string
  readonly name: string
  readonly type: number
}

/** What a global of a library stands for. */
export type GlobalRole =
  | { readonly role: 'stack-pointer' | 'memory-base' | 'table-base' }
  /** The table index of a function. */
  | { readonly role: 'function-address'; readonly name: string }
  | { readonly role: 'data-address'; readonly name: string }
  | { readonly role: 'own'; readonly global: Global }

export interface SideModule {
  readonly dylink: Dylink
  readonly types: readonly FunctionType[]
  readonly functionImports: readonly FunctionImport[]
  /** Index into `types` of each function, imported functions first. */
  readonly typesOfFunctions: readonly number[]
  /** Imported exception tags. */
  readonly tags: readonly { readonly name: string; readonly type: number }[]
  readonly globals: readonly GlobalRole[]
  readonly exports: ReadonlyMap<string, Export>
  readonly start: number | undefined
  /** Active segments of the table, with their offsets from the table base. */
  readonly elements: readonly { readonly offset: number; readonly functions: readonly number[] }[]
  readonly bodies: readonly Uint8Array[]
  readonly data: readonly { readonly offset: ConstantExpression; readonly bytes: Uint8Array }[]
}

const DYLINK = 'dylink.0'

/**
 * @throws Unlinkable, WasmFormatError
 */
export function readSideModule(bytes: Uint8Array, allowance: Allowance): SideModule {
  const module = readModule(bytes, allowance)
  // V8 checks everything that is not checked below: types, indices, the order of sections.
  if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>))
    throw new Unlinkable(
      'it is not valid WebAssembly, or uses a feature that this version of Node does not have',
    )
  const [first] = module.customSections
  if (first?.name !== DYLINK)
    throw new Unlinkable(`it is not a side module: it does not begin with a ${DYLINK} section`)
  if (module.memories.length > 0) throw new Unlinkable('it has a memory of its own')
  if (module.tables.length > 0) throw new Unlinkable('it has a table of its own')
  if (module.tags.length > 0) throw new Unlinkable('it defines an exception tag of its own')
  if (module.data.some(({ mode }) => mode === 'passive'))
    throw new Unlinkable('it has a passive data segment')
  if (module.elements.some(({ mode }) => mode === 'passive'))
    throw new Unlinkable('it has a passive table segment')
  for (const { name } of [...module.customSections, ...module.exports, ...module.imports])
    if (isInlineJavaScript(name))
      throw new Unlinkable(`it has inline JavaScript (EM_JS or EM_ASM): ${quote(name)}`)
  const globals = globalRoles(module)
  return {
    dylink: readDylink(first.content, allowance),
    types: module.types,
    functionImports: module.imports.filter(({ kind }) => kind === KIND.function),
    typesOfFunctions: module.typesOfFunctions,
    tags: module.imports.filter(({ kind }) => kind === KIND.tag),
    globals,
    exports: new Map(module.exports.map((item) => [item.name, item])),
    start: module.start,
    elements: module.elements.flatMap(({ mode, offset, functions }) =>
      mode === 'active' ? [{ offset: tableOffset(offset, globals), functions }] : [],
    ),
    bodies: module.bodies,
    data: module.data,
  }
}

function globalRoles({ imports, globals }: WasmModule): GlobalRole[] {
  const roles: GlobalRole[] = []
  for (const { module, name, kind, type, isMutable } of imports) {
    if (kind === KIND.table && (module !== 'env' || name !== '__indirect_function_table'))
      throw new Unlinkable(`it imports a table ${quote(name)}`)
    if (kind === KIND.memory && (module !== 'env' || name !== 'memory'))
      throw new Unlinkable(`it imports a memory ${quote(name)}`)
    if (kind === KIND.tag && module !== 'env') throw new Unlinkable(`it imports a tag ${quote(name)}`)
    if (kind !== KIND.global) continue
    const role = importedRole(module, name)
    if (role === undefined || type !== VALUE_TYPE.i32 || isMutable !== MUTABLE.has(role.role))
      throw new Unlinkable(`it imports a global ${quote(`${module}.${name}`)} of an unknown kind`)
    roles.push(role)
  }
  for (const global of globals) {
    if (global.type !== VALUE_TYPE.i32) throw new Unlinkable('it has a global that is not an i32')
    roles.push({ role: 'own', global })
  }
  return roles
}

const MUTABLE: ReadonlySet<GlobalRole['role']> = new Set([
  'stack-pointer',
  'function-address',
  'data-address',
])

function importedRole(module: string, name: string): GlobalRole | undefined {
  if (module === 'GOT.func') return { role: 'function-address', name }
  if (module === 'GOT.mem') return { role: 'data-address', name }
  if (module !== 'env') return undefined
  if (name === '__stack_pointer') return { role: 'stack-pointer' }
  if (name === '__memory_base') return { role: 'memory-base' }
  if (name === '__table_base') return { role: 'table-base' }
  return undefined
}

function tableOffset(
  { constant, globals: used }: ConstantExpression,
  globals: readonly GlobalRole[],
): number {
  const [base, ...others] = used
  if (base === undefined || others.length > 0 || globals[base]?.role !== 'table-base')
    throw new Unlinkable('it fills a place in the table that is not its own')
  return constant
}
