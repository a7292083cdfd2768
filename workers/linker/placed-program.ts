// The linked program at a fixed address in memory: every address is a number. Owns what the builder and the image need from it: two
// modules, bytes for memory, and the symbols for `dlsym`. The code is rewritten once, for both modules.
import { type LibraryCode, rewriteCode, withoutSetup } from './library-code.js'
import { placeMemory } from './library-memory.js'
import { blaming } from './link-error.js'
import { mergedModuleBytes } from './merged-module.js'
import type { Address, Program } from './program.js'
import type { MemoryWrite } from './start-function.js'

/** A library of an image, for `dlopen` and `dlsym`. */
export interface LibrarySymbols {
  readonly path: string
  /** Table indices of functions and addresses of variables, by name. */
  readonly symbols: Readonly<Record<string, number>>
}

export class PlacedProgram {
  readonly libraries: readonly LibrarySymbols[]
  readonly #program: Program
  readonly #keep: readonly string[]
  readonly #address: number
  readonly #code: readonly LibraryCode[]
  readonly #writes: readonly MemoryWrite[]
  /** Merged numbers of the setup functions by export name, in the order in which to call them. */
  readonly #setup: ReadonlyMap<string, number>
  /** Functions that `ref.func` names. */
  readonly #declared = new Set<number>()

  constructor(program: Program, keep: readonly string[], address: number) {
    const end = address + program.memoryBytes
    if (!Number.isInteger(address) || address < 0 || address % program.memoryAlignment !== 0 || end > 2 ** 32)
      throw new RangeError(`the libraries cannot lie at the address ${address}`)
    this.#program = program
    this.#keep = keep
    this.#address = address
    this.libraries = program.libraries.map(({ path, symbols }) => ({
      path,
      symbols: Object.fromEntries(symbols.map(([name, symbol]) => [name, this.#resolve(symbol)])),
    }))
    const allWrites: MemoryWrite[][] = []
    this.#code = program.libraries.map((library) =>
      blaming(library, () => {
        const base = address + library.memoryOffset
        const { globals, writes } = placeMemory(library, base, (symbol) => this.#resolve(symbol))
        allWrites.push([...writes])
        return rewriteCode(library, globals, program.main.stackPointer, this.#declared)
      }),
    )
    this.#writes = allWrites.flat()
    // All relocations come before any constructor, because a constructor may read another library's memory.
    this.#setup = new Map([...this.#setupOf('relocate'), ...this.#setupOf('construct')])
  }

  /** Exports of the builder's module that must be called once, in this order, after `writeData`. */
  get setup(): readonly string[] {
    return [...this.#setup.keys()]
  }

  /** Writes the libraries' data to their addresses. That memory must be zero before. */
  writeData(memory: Uint8Array): void {
    for (const write of this.#writes) {
      if ('bytes' in write) memory.set(write.bytes, write.address)
      else memory.fill(write.fill, write.address, write.address + write.length)
    }
  }

  /**
   * The module for the builder. It has relocations and constructors, which it exports by the names in `setup`.
   *
   * @param keep - exports of the interpreter that only the builder needs
   */
  builderModule(keep: readonly string[] = []): Uint8Array<ArrayBuffer> {
    return this.#module(
      [...this.#keep, ...keep],
      this.#code.map(({ bytes }) => bytes),
      this.#setup,
    )
  }

  /** The module for slots. Its relocations and constructors trap. */
  slotModule(): Uint8Array<ArrayBuffer> {
    return this.#module(this.#keep, this.#code.flatMap(withoutSetup), new Map())
  }

  #module(
    keep: readonly string[],
    bodies: readonly Uint8Array[],
    functionExports: ReadonlyMap<string, number>,
  ) {
    const count = this.#code.reduce((sum, code) => sum + code.count, 0)
    return mergedModuleBytes(this.#program, keep, {
      bodies,
      count,
      functionExports,
      declared: this.#declared,
    })
  }

  /** Setup functions in order: each library's after those of the libraries that it needs. */
  #setupOf(what: 'relocate' | 'construct'): [string, number][] {
    return this.#program.order.flatMap((number) => {
      const index = this.#code[number]?.setup.get(what)
      return index === undefined ? [] : [[`${what} ${number}`, index] as [string, number]]
    })
  }

  #resolve({ library, offset }: Address): number {
    if (library === undefined) return offset >>> 0
    return (this.#address + (this.#program.libraries[library]?.memoryOffset ?? 0) + offset) >>> 0
  }
}
