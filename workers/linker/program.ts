// All libraries of an image, linked with the interpreter: what each name refers to, and how much memory and table they take. Owns
// everything that does not depend on the address of the libraries' memory; placed-program.ts owns the rest.
import { KIND } from '../wasm/encoding.js'
import type { FunctionType } from '../wasm/module.js'
import { findDependencies } from './dependencies.js'
import { FunctionTable } from './function-table.js'
import { FunctionTypes } from './function-types.js'
import type { Library } from './library.js'
import { LIMITS } from './limits.js'
import { blaming, quote, Unlinkable } from './link-error.js'
import type { MainModule } from './main-module.js'
import { type DataAddress, missingNames, Symbols } from './symbols.js'

/** A number that is already known, or an address that will be known when the libraries are placed. */
export type Address = DataAddress

/** A library with all its names resolved. */
export interface LinkedLibrary extends Library {
  /** Offset of its memory from the start of all libraries' memory; 0 if it has none. */
  readonly memoryOffset: number
  readonly tableBase: number
  /** Merged numbers of its functions, types and tags. */
  readonly functions: Uint32Array
  readonly types: Uint32Array
  readonly tags: Uint32Array
  /** Value of each GOT entry, by the index of its global. */
  readonly got: ReadonlyMap<number, Address>
  /** Symbols that `dlsym` finds: table indices of functions and addresses of variables. */
  readonly symbols: readonly (readonly [name: string, address: Address])[]
}

export class Program {
  readonly main: MainModule
  readonly types: FunctionTypes
  readonly table: FunctionTable
  readonly libraries: readonly LinkedLibrary[]
  /** Numbers of the libraries; each comes after those that it needs. */
  readonly order: readonly number[]
  readonly memoryBytes: number
  readonly memoryAlignment: number
  readonly #symbols: Symbols

  constructor(main: MainModule, libraries: readonly Library[], tableBase: number) {
    if (tableBase < main.tableLength)
      throw new RangeError('the libraries would overwrite the interpreter’s function table')
    this.main = main
    this.types = new FunctionTypes(main.module.types)
    const dependencies = findDependencies(libraries)
    this.order = dependencies.order
    this.#symbols = new Symbols(main, libraries, dependencies, this.types)
    this.table = new FunctionTable(tableBase, main.tableIndices)
    const layout = new MemoryLayout()
    const placed = libraries.map((library, number) =>
      blaming(library, () => ({
        ...library,
        memoryOffset: layout.reserve(library),
        tableBase: this.table.reserve(
          library.module.dylink.tableEntries,
          library.module.dylink.tableAlignment,
        ),
        functions: this.#symbols.functionsOf(number),
        types: this.#symbols.typesOf(number),
        tags: this.#tags(library),
      })),
    )
    for (const library of placed) blaming(library, () => this.#fillTable(library))
    this.table.index()
    this.libraries = placed.map((library, number) =>
      blaming(library, () => ({
        ...library,
        got: this.#got(library, number),
        symbols: this.#exportedSymbols(library, number, dependencies.needed.has(number)),
      })),
    )
    this.memoryBytes = layout.bytes
    this.memoryAlignment = layout.alignment
  }

  /** Type of each function of the merged module. */
  get typesOfFunctions(): readonly number[] {
    return this.#symbols.typesOfFunctions
  }

  /** How many functions at the end of the merged module trap when they are called. */
  get stubCount(): number {
    return this.#symbols.stubCount
  }

  /** Signature of each entry that the libraries add to the table. */
  get tableSignatures(): (FunctionType | undefined)[] {
    const { typesOfFunctions } = this
    return this.table.functions.map((index) =>
      index === undefined ? undefined : this.types.get(typesOfFunctions[index] ?? 0),
    )
  }

  #tags({ module: { tags, types } }: Library): Uint32Array {
    return Uint32Array.from(tags, ({ name, type }) => {
      const found = this.main.tag(name)
      const wanted = types[type]
      if (
        found === undefined ||
        wanted === undefined ||
        this.types.add(wanted) !== this.types.normal(found.type)
      )
        throw new Unlinkable(`it uses the exception tag ${quote(name)}, which the interpreter does not have`)
      return found.index
    })
  }

  #fillTable({
    module,
    tableBase,
    functions,
  }: Library & { readonly tableBase: number; readonly functions: Uint32Array }): void {
    for (const { offset, functions: entries } of module.elements) {
      if (offset < 0 || offset + entries.length > module.dylink.tableEntries)
        throw new Unlinkable('it fills more of the function table than it asks for')
      this.table.fill(
        tableBase + offset,
        entries.map((index) => functions[index] ?? 0),
      )
    }
  }

  #got({ module }: Library, number: number): Map<number, Address> {
    const entries = new Map<number, Address>()
    const missing: string[] = []
    for (const [index, global] of module.globals.entries()) {
      if (global.role !== 'function-address' && global.role !== 'data-address') continue
      const address =
        global.role === 'function-address'
          ? this.#functionAddress(number, global.name)
          : this.#symbols.dataNamed(number, global.name)
      if (address === undefined && !module.dylink.weak.has(global.name)) missing.push(global.name)
      entries.set(index, address ?? fixed(0))
    }
    if (missing.length > 0) throw new Unlinkable(missingNames('addresses', missing))
    return entries
  }

  #functionAddress(number: number, name: string): Address | undefined {
    const found = this.#symbols.functionNamed(number, name)
    return found === undefined ? undefined : fixed(this.table.addressOf(found))
  }

  /**
   * The symbols that `dlsym` may find. For an extension module: the functions that CPython looks up. For any other library that no library
   * needs: everything, because it exists to be opened by ctypes.
   */
  #exportedSymbols({ module: { exports } }: Library, number: number, isNeeded: boolean): [string, Address][] {
    const names = [...exports.keys()]
    const isExtension = names.some(isInitializer)
    const symbols: [string, Address][] = []
    for (const [name, { kind }] of exports) {
      if (!(isInitializer(name) || (!isExtension && !isNeeded && !name.startsWith('__wasm_')))) continue
      let address = kind === KIND.global ? this.#symbols.exportedData(number, name) : undefined
      const found = kind === KIND.function ? this.#symbols.exportedFunction(number, name) : undefined
      if (found !== undefined) address = fixed(this.table.addressOf(found))
      if (address !== undefined) symbols.push([name, address])
    }
    return symbols
  }
}

function fixed(offset: number): Address {
  return { library: undefined, offset }
}

/** By PEP 489, names that are not ASCII use `PyInitU_`. */
function isInitializer(name: string): boolean {
  return /^PyInitU?_/.test(name)
}

/** Places the libraries' memory one after the other. */
class MemoryLayout {
  bytes = 0
  /** At least the alignment that malloc guarantees. */
  alignment = 16

  reserve({ module: { dylink } }: Library): number {
    if (dylink.memoryBytes === 0) return 0
    const start = Math.ceil(this.bytes / dylink.memoryAlignment) * dylink.memoryAlignment
    if (start + dylink.memoryBytes > LIMITS.memoryBytes)
      throw new Unlinkable(
        `with it, the image's libraries need more than ${LIMITS.memoryBytes} bytes of memory`,
      )
    this.bytes = start + dylink.memoryBytes
    this.alignment = Math.max(this.alignment, dylink.memoryAlignment)
    return start
  }
}
