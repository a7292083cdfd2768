// Resolves every name that a library imports. Owns the search order: the host, the interpreter, the libraries that it needs, itself. Each
// library has its own results, so two libraries of the same name do not mix. Also owns the numbers of functions in the merged module.
import { KIND } from '../wasm/encoding.js'
import type { Dependencies } from './dependencies.js'
import { describeType, type FunctionTypes } from './function-types.js'
import type { Library } from './library.js'
import { LIMITS } from './limits.js'
import { blaming, quote, quoteAll, Unlinkable } from './link-error.js'
import type { MainModule } from './main-module.js'

/** An address: absolute if `library` is undefined, otherwise relative to the start of that library's memory. */
export interface DataAddress {
  readonly library: number | undefined
  readonly offset: number
}

/** Functions that libraries import but never call: Fortran's main program, and scheduling of threads, which do not exist here. */
const MAY_BE_MISSING: ReadonlySet<string> = new Set([
  'MAIN__',
  'pthread_setschedparam',
  'pthread_getschedparam',
])

const UNKNOWN = -1
const MISSING = -2

export class Symbols {
  readonly #main: MainModule
  readonly #libraries: readonly Library[]
  readonly #types: FunctionTypes
  /** For each library, where to search: the libraries that it needs, then itself. */
  readonly #scopes: readonly (readonly number[])[]
  /** For each library, the number to add to the index of a function that it defines, to get the merged number. */
  readonly #bases: number[] = []
  /** For each library, the merged number of each import, or UNKNOWN or MISSING. */
  readonly #imports: Int32Array[] = []
  /** For each library, the merged numbers of its types. */
  readonly #typeNumbers: Uint32Array[] = []
  readonly #typesOfFunctions: number[]
  readonly #stubs = new Map<number, number>()
  #lookups = 0

  constructor(
    main: MainModule,
    libraries: readonly Library[],
    { scopes }: Dependencies,
    types: FunctionTypes,
  ) {
    this.#main = main
    this.#libraries = libraries
    this.#types = types
    this.#scopes = scopes.map((scope, number) => [...scope, number])
    this.#typesOfFunctions = main.module.typesOfFunctions.map((type) => types.normal(type))
    for (const library of libraries) {
      const { functionImports, typesOfFunctions, types: own } = library.module
      this.#bases.push(this.#typesOfFunctions.length - functionImports.length)
      this.#imports.push(new Int32Array(functionImports.length).fill(UNKNOWN))
      const numbers = Uint32Array.from(own, (type) => types.add(type))
      this.#typeNumbers.push(numbers)
      for (const type of typesOfFunctions.slice(functionImports.length))
        this.#typesOfFunctions.push(numbers[type] ?? 0)
      if (this.#typesOfFunctions.length > LIMITS.functions || types.count > LIMITS.types)
        blaming(library, () => {
          throw new Unlinkable(
            `with it, the image's libraries have more than ${LIMITS.functions} functions or types`,
          )
        })
    }
  }

  /** Type of each function of the merged module. Last come the functions that trap, in place of missing ones. */
  get typesOfFunctions(): readonly number[] {
    return [...this.#typesOfFunctions, ...this.#stubs.keys()]
  }

  /** How many functions at the end of the merged module trap when they are called. */
  get stubCount(): number {
    return this.#stubs.size
  }

  /** Merged numbers of a library's types. */
  typesOf(number: number): Uint32Array {
    return this.#typeNumbers[number] ?? new Uint32Array(0)
  }

  /**
   * Merged numbers of all functions of a library, imported functions first.
   *
   * @throws Unlinkable if one is missing
   */
  functionsOf(number: number): Uint32Array {
    const { functionImports, typesOfFunctions, dylink } = this.#library(number)
    const typeNumbers = this.typesOf(number)
    const missing: string[] = []
    const functions = Uint32Array.from(typesOfFunctions, (type, i) => {
      const found = this.#functionAt(number, i, 0)
      const imported = functionImports[i]
      if (imported === undefined) return found ?? 0
      const wanted = typeNumbers[type] ?? 0
      if (found === undefined) {
        if (!dylink.weak.has(imported.name) && !MAY_BE_MISSING.has(imported.name)) missing.push(imported.name)
        return this.#stub(wanted)
      }
      this.#checkType(imported.name, wanted, found)
      return found
    })
    if (missing.length > 0) throw new Unlinkable(missingNames('functions', missing))
    return functions
  }

  /** The function that `name` refers to in a library; undefined if there is none. */
  functionNamed(number: number, name: string): number | undefined {
    return this.#find(number, name, 0, () => this.#main.functionNamed(name))
  }

  /** The variable that `name` refers to in a library; undefined if there is none. */
  dataNamed(number: number, name: string): DataAddress | undefined {
    this.#refuseBridge(name)
    const offset = this.#main.dataAddress(name)
    if (offset !== undefined) return { library: undefined, offset }
    for (const place of this.#scopes[number] ?? []) {
      this.#count()
      if (this.#library(place).exports.get(name)?.kind !== KIND.global) continue
      const address = this.exportedData(place, name)
      if (address === undefined) throw new Unlinkable(`the address of ${quote(name)} is not a constant`)
      return address
    }
    return undefined
  }

  /** Merged number of a function that a library exports. */
  exportedFunction(number: number, name: string): number | undefined {
    const found = this.#library(number).exports.get(name)
    return found?.kind === KIND.function ? this.#functionAt(number, found.index, 0) : undefined
  }

  /** Address of a variable that a library exports; undefined if that is not a constant. */
  exportedData(number: number, name: string): DataAddress | undefined {
    const { exports, globals, dylink } = this.#library(number)
    const found = globals[exports.get(name)?.index ?? -1]
    const isPlain =
      found?.role === 'own' && !found.global.isMutable && found.global.initial.globals.length === 0
    if (!isPlain || dylink.threadLocal.has(name)) return undefined
    return {
      library: dylink.absolute.has(name) ? undefined : number,
      offset: found.global.initial.constant,
    }
  }

  #library(number: number): Library['module'] {
    const library = this.#libraries[number]
    if (library === undefined) throw new Error(`there is no library ${number}`)
    return library.module
  }

  #functionAt(number: number, index: number, depth: number): number | undefined {
    const imported = this.#library(number).functionImports[index]
    if (imported === undefined) return (this.#bases[number] ?? 0) + index
    const known = this.#imports[number] as Int32Array
    if (known[index] === UNKNOWN) {
      // If the search comes back here, the function is only an alias of itself, so it is missing.
      known[index] = MISSING
      const { module, name } = imported
      const found = this.#find(number, name, depth, () => this.#main.functionOf(module, name))
      if (found !== undefined) known[index] = found
    }
    const found = known[index] ?? MISSING
    return found === MISSING ? undefined : found
  }

  #find(number: number, name: string, depth: number, inMain: () => number | undefined): number | undefined {
    if (depth > LIMITS.reexports)
      throw new Unlinkable(`the function ${quote(name)} is exported again and again`)
    this.#refuseBridge(name)
    const found = inMain()
    if (found !== undefined) return found
    for (const place of this.#scopes[number] ?? []) {
      this.#count()
      const item = this.#library(place).exports.get(name)
      if (item?.kind !== KIND.function) continue
      const own = this.#functionAt(place, item.index, depth + 1)
      if (own !== undefined) return own
    }
    return undefined
  }

  #refuseBridge(name: string): void {
    if (this.#main.isBridge(name))
      throw new Unlinkable(
        `it uses ${quote(name)} of Pyodide's bridge to JavaScript, which sessions do not have`,
      )
  }

  #count(): void {
    this.#lookups += 1
    if (this.#lookups > LIMITS.lookups)
      throw new Unlinkable('the libraries look for too many names in too many libraries')
  }

  #checkType(name: string, wanted: number, found: number): void {
    const has = this.#typesOfFunctions[found] ?? 0
    if (has === wanted) return
    const [expected, got] = [describeType(this.#types.get(wanted)), describeType(this.#types.get(has))]
    throw new Unlinkable(`it calls ${quote(name)} as ${expected}, but that function is ${got}`)
  }

  #stub(type: number): number {
    const known = this.#stubs.get(type)
    if (known !== undefined) return known
    const number = this.#typesOfFunctions.length + this.#stubs.size
    if (number >= LIMITS.functions)
      throw new Unlinkable(`with it, the image has more than ${LIMITS.functions} functions`)
    this.#stubs.set(type, number)
    return number
  }
}

export function missingNames(what: string, names: readonly string[]): string {
  return `it needs ${what} that neither the interpreter nor a library it needs has: ${quoteAll(names)}`
}
