// The interpreter's module as libraries see it: what they can link with, by name. Owns the lookups. The module comes from the installed
// Pyodide, so anything unexpected in it is a bug, not a library's error.
import { KIND, sections } from '../wasm/encoding.js'
import { type Export, readModule, type WasmModule } from '../wasm/module.js'
import { bridgeNames } from './bridge.js'

export class MainModule {
  readonly module: WasmModule
  /** Contents of its sections, by id. */
  readonly sections: ReadonlyMap<number, Uint8Array>
  readonly stackPointer: number
  /** Lowest table index of each function that is in the table. */
  readonly tableIndices: ReadonlyMap<number, number>
  readonly tableLength: number
  readonly #bridge: ReadonlySet<string>
  /** Imported functions, which the host implements, by name. */
  readonly #imports = new Map<string, { readonly module: string; readonly index: number }>()
  readonly #exports: ReadonlyMap<string, Export>

  constructor(bytes: Uint8Array) {
    this.module = readModule(bytes)
    if (this.module.start !== undefined) throw new Error('the main module has a start function')
    this.sections = new Map(sections(bytes).map(({ id, content }) => [id, content]))
    this.#bridge = bridgeNames(this.module)
    const functions = this.module.imports.filter(({ kind }) => kind === KIND.function)
    for (const [index, { module, name }] of functions.entries()) this.#imports.set(name, { module, index })
    this.#exports = new Map(this.module.exports.map((item) => [item.name, item]))
    const stackPointer = this.#exports.get('__stack_pointer')
    if (stackPointer?.kind !== KIND.global)
      throw new Error('the main module does not export its stack pointer')
    this.stackPointer = stackPointer.index
    const indices = new Map<number, number>()
    for (const { offset, functions: entries } of this.module.elements)
      for (const [i, index] of entries.entries())
        if (!indices.has(index)) indices.set(index, offset.constant + i)
    this.tableIndices = indices
    const [table] = this.module.tables
    if (table === undefined) throw new Error('the main module has no table')
    this.tableLength = table.minimum
  }

  isBridge(name: string): boolean {
    return this.#bridge.has(name)
  }

  /** Index of the function that a library's import refers to. The host's functions take precedence. */
  functionOf(module: string, name: string): number | undefined {
    const host = this.#imports.get(name)
    if (host !== undefined) return host.module === module ? host.index : undefined
    if (module !== 'env') return undefined
    const found = this.#exports.get(name)
    return found?.kind === KIND.function ? found.index : undefined
  }

  /** Index of a function by name alone, for references that do not name a module. */
  functionNamed(name: string): number | undefined {
    const found = this.#exports.get(name)
    return this.#imports.get(name)?.index ?? (found?.kind === KIND.function ? found.index : undefined)
  }

  /** Address of an exported variable. */
  dataAddress(name: string): number | undefined {
    const found = this.#exports.get(name)
    if (found?.kind !== KIND.global) return undefined
    const imported = this.module.imports.filter(({ kind }) => kind === KIND.global).length
    const global = this.module.globals[found.index - imported]
    return global === undefined || global.isMutable ? undefined : global.initial.constant
  }

  /** Index and type of an exported exception tag. */
  tag(name: string): { readonly index: number; readonly type: number } | undefined {
    const found = this.#exports.get(name)
    const type = found?.kind === KIND.tag ? this.module.tags[found.index] : undefined
    return found === undefined || type === undefined ? undefined : { index: found.index, type }
  }
}
