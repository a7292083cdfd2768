// The linked program at its place in memory: every address is a number. Owns what follows from that: constants of globals, bytes that memory
// gets, what `dlsym` finds, and the code, which is rewritten once for both modules.
import { KIND } from '../wasm/encoding.js'
import { ByteWriter } from './byte-writer.js'
import { FunctionBodies } from './function-body.js'
import { blaming, quote, Unlinkable } from './link-error.js'
import { builderModuleBytes, type LibraryCode, slotModuleBytes, TRAP } from './merged-module.js'
import type { Address, LinkedLibrary, Program } from './program.js'
import { type MemoryWrite, runStart } from './start-function.js'

/** A library of an image, for `dlopen` and `dlsym`. */
export interface LibrarySymbols {
  readonly path: string
  /** Table index of each function, address of each variable. */
  readonly symbols: Readonly<Record<string, number>>
}

/** What wasm-ld exports for the dynamic linker to call. */
const RELOCATIONS = '__wasm_apply_data_relocs'
const CONSTRUCTORS = '__wasm_call_ctors'

export class PlacedProgram {
  readonly libraries: readonly LibrarySymbols[]
  /** Exports of the builder's module that have to be called once, in this order, after `writeData`. */
  readonly setup: readonly string[]
  readonly #program: Program
  readonly #keep: readonly string[]
  readonly #address: number
  readonly #code: readonly LibraryCode[]
  readonly #writes: readonly MemoryWrite[]
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
    const writes: MemoryWrite[] = []
    this.#code = program.libraries.map((library) => blaming(library, () => this.#rewrite(library, writes)))
    this.#writes = writes
    const setup = (name: string, prefix: string) =>
      program.order.flatMap((number) => (this.#code[number]?.setup.has(name) ? [`${prefix} ${number}`] : []))
    // All relocations before any constructor, which may read another library's memory.
    this.setup = [...setup(RELOCATIONS, 'relocate'), ...setup(CONSTRUCTORS, 'construct')]
  }

  /** Writes the libraries' data to where they lie. That memory has to be zero before. */
  writeData(memory: Uint8Array): void {
    for (const write of this.#writes) {
      if ('bytes' in write) memory.set(write.bytes, write.address)
      else memory.fill(write.fill, write.address, write.address + write.length)
    }
  }

  /** The module for the builder: with relocations and constructors, exported by the names of `setup`. */
  builderModule(): Uint8Array<ArrayBuffer> {
    const functions = this.setup.map((name): [string, number] => {
      const [what, number] = name.split(' ')
      const code = this.#code[Number(number)]
      return [name, code?.setup.get(what === 'relocate' ? RELOCATIONS : CONSTRUCTORS) ?? 0]
    })
    return builderModuleBytes(this.#program, this.#keep, this.#code, this.#declared, functions)
  }

  /** The module for slots: relocations and constructors trap. */
  slotModule(): Uint8Array<ArrayBuffer> {
    return slotModuleBytes(this.#program, this.#keep, this.#code, this.#declared)
  }

  #rewrite(library: LinkedLibrary, writes: MemoryWrite[]): LibraryCode {
    const { module, functions, types, tags } = library
    const imported = module.functionImports.length
    const globals = this.#globals(library)
    const data = module.data.map(({ offset, bytes }) => ({
      address:
        (offset.globals.reduce((sum, index) => sum + (globals[index] ?? 0), offset.constant) | 0) >>> 0,
      bytes,
    }))
    const start = module.start === undefined ? undefined : module.bodies[module.start - imported]
    if (module.start !== undefined && start === undefined)
      throw new Unlinkable('it starts with a function that it imports')
    const more = start === undefined ? [] : runStart(start, globals)
    let bytesLeft = 2 * module.dylink.memoryBytes + data.reduce((sum, { bytes }) => sum + bytes.length, 0)
    for (const write of [...data, ...more]) {
      bytesLeft -= this.#checkWrite(library, write)
      if (bytesLeft < 0) throw new Unlinkable('its start function writes the same memory again and again')
      writes.push(write)
    }

    const stackPointers = new Set(
      module.globals.flatMap(({ role }, index) => (role === 'stack-pointer' ? [index] : [])),
    )
    const { stackPointer } = this.#program.main
    const body = new ByteWriter()
    const all = new ByteWriter()
    const bodies = new FunctionBodies(
      body,
      { functions, types, tags, globals, stackPointers, stackPointer },
      this.#declared,
    )
    const setup = new Map<string, number>()
    const once = new Map<number, { readonly from: number; to: number }>()
    for (const name of [RELOCATIONS, CONSTRUCTORS]) {
      const index = this.#setupFunction(library, name)
      if (index === undefined) continue
      setup.set(name, functions[index] ?? 0)
      once.set(index, { from: 0, to: 0 })
    }
    for (const [i, bytes] of module.bodies.entries()) {
      body.clear()
      const from = all.length
      if (imported + i === module.start) body.copy(TRAP, 0, TRAP.length)
      else bodies.append(bytes)
      all.u32(body.length)
      all.copy(body.view, 0, body.length)
      if (once.has(imported + i)) once.set(imported + i, { from, to: all.length })
    }
    const ranges = [...once.values()].toSorted((a, b) => a.from - b.from)
    return { count: module.bodies.length, bytes: all.view, setup, setupRanges: ranges }
  }

  /** Index of a function that has to be called once; undefined if the library has none of that name. */
  #setupFunction(
    { module: { exports, functionImports, typesOfFunctions, types } }: LinkedLibrary,
    name: string,
  ): number | undefined {
    const found = exports.get(name)
    if (found?.kind !== KIND.function) return undefined
    const { index } = found
    const type = types[typesOfFunctions[index] ?? -1]
    if (
      index < functionImports.length ||
      type === undefined ||
      type.parameters.length + type.results.length > 0
    )
      throw new Unlinkable(`its function ${quote(name)} is imported, or takes or returns something`)
    return index
  }

  /** Value of each global before the start function; that of the stack pointer is never used. */
  #globals({ module, memoryOffset, tableBase, got }: LinkedLibrary): Int32Array {
    const values = new Int32Array(module.globals.length)
    for (const [index, global] of module.globals.entries()) {
      if (global.role === 'memory-base') values[index] = this.#address + memoryOffset
      else if (global.role === 'table-base') values[index] = tableBase
      else if (global.role === 'own') {
        const { constant, globals } = global.global.initial
        values[index] = globals.reduce((sum, other) => sum + (values[other] ?? 0), constant)
      } else if (global.role !== 'stack-pointer')
        values[index] = this.#resolve(got.get(index) ?? { library: undefined, offset: 0 })
    }
    return values
  }

  #resolve({ library, offset }: Address): number {
    if (library === undefined) return offset >>> 0
    return (this.#address + (this.#program.libraries[library]?.memoryOffset ?? 0) + offset) >>> 0
  }

  /** Returns how many bytes it writes. */
  #checkWrite({ module, memoryOffset }: LinkedLibrary, write: MemoryWrite): number {
    const base = this.#address + memoryOffset
    const length = 'bytes' in write ? write.bytes.length : write.length
    if (write.address < base || write.address + length > base + module.dylink.memoryBytes)
      throw new Unlinkable('it writes data beyond the memory that it asks for')
    return length
  }
}
