// Reads from the interpreter's WebAssembly module what the builder needs, and makes the core module that slots instantiate. Owns the
// signatures of function-table entries and the reduction of exports; workers/wasm/ owns the encoding, and workers/interpreter/exports.ts
// lists the exports to keep.
import { STATE_PREFIX } from '../interpreter/exports.js'
import {
  concatenate,
  exportEntry,
  KIND,
  PREAMBLE_BYTES,
  SECTION,
  section,
  sections,
  vector,
} from '../wasm/encoding.js'
import { type FunctionType, readModule, type WasmModule } from '../wasm/module.js'

export interface WasmBinary {
  readonly types: readonly FunctionType[]
  /** Index into `types` of each function, imported functions first. */
  readonly typesOfFunctions: readonly number[]
  /** Signature of the function that instantiation puts at each index of table 0; undefined if it puts none there. */
  readonly tableSignatures: readonly (FunctionType | undefined)[]
  readonly exportNames: readonly string[]
}

/** Reads what the builder needs to know. Throws on anything that Emscripten's linker does not write. */
export function readWasm(bytes: Uint8Array): WasmBinary {
  const { types, typesOfFunctions, tables, elements, exports } = readModule(bytes)
  const [table] = tables
  if (table === undefined) throw new Error('the WebAssembly binary has no table')
  const tableSignatures = new Array<FunctionType | undefined>(table.minimum).fill(undefined)
  for (const { mode, offset, functions } of elements) {
    if (mode !== 'active' || offset.globals.length > 0) throw new Error('unexpected kind of element segment')
    for (const [i, index] of functions.entries())
      tableSignatures[offset.constant + i] = types[typesOfFunctions[index] ?? -1]
  }
  return { types, typesOfFunctions, tableSignatures, exportNames: exports.map(({ name }) => name) }
}

/**
 * Returns the same code with only the exports of `names`, plus one for each mutable global and table that has none (`STATE_PREFIX`), and
 * without data, data count and custom sections: the memory of a fresh instance is all zero. Code that copies from a data segment
 * (`memory.init`) would not validate without the data count section, so compiling the result proves that there is none.
 */
export function coreModuleBytes(bytes: Uint8Array, names: readonly string[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [bytes.subarray(0, PREAMBLE_BYTES)]
  for (const { id, whole } of sections(bytes)) {
    if (id === SECTION.custom || id === SECTION.data || id === SECTION.dataCount) continue
    parts.push(id === SECTION.export ? section(id, vector(coreExports(readModule(bytes), names))) : whole)
  }
  return concatenate(parts)
}

/** The items of the core module's export section. */
export function coreExports(module: WasmModule, names: readonly string[]): Uint8Array[] {
  const wanted = new Set(names)
  const state = stateItems(module)
  const kept: Uint8Array[] = []
  for (const { name, kind, index } of module.exports) {
    if (!wanted.delete(name)) continue
    kept.push(exportEntry(name, kind, index))
    state.delete(stateName(kind, index))
  }
  if (wanted.size > 0) throw new Error(`the module does not export ${[...wanted].join(', ')}`)
  return [...kept, ...[...state].map(([name, { kind, index }]) => exportEntry(name, kind, index))]
}

interface StateItem {
  readonly kind: number
  readonly index: number
}

/** The state that running code can change beside memory, by export name: tables, and mutable globals that the module itself defines. */
function stateItems({ imports, tables, globals }: WasmModule): Map<string, StateItem> {
  if (imports.some(({ kind }) => kind === KIND.table || kind === KIND.memory))
    throw new Error('the WebAssembly binary imports a table or a memory')
  const imported = imports.filter(({ kind }) => kind === KIND.global).length
  const items: StateItem[] = [
    ...tables.map((_, index) => ({ kind: KIND.table, index })),
    ...globals.flatMap(({ isMutable }, i) => (isMutable ? [{ kind: KIND.global, index: imported + i }] : [])),
  ]
  return new Map(items.map((item) => [stateName(item.kind, item.index), item]))
}

function stateName(kind: number, index: number): string {
  return `${STATE_PREFIX}${kind === KIND.table ? 'table' : 'global'} ${index}`
}
