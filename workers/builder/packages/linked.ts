// The interpreter with the libraries of the packages linked in, from which an image is made. Owns where the libraries are placed in memory
// and in the function table, and the first instance, which runs relocations and constructors.

import { Host } from '../../host/host.js'
import { InterruptCell } from '../../host/interrupt.js'
import type { ReadableImage } from '../../image-bytes.js'
import { INTERPRETER_EXPORTS } from '../../interpreter/exports.js'
import { ImageInstance } from '../../interpreter/instance.js'
import { trampolineModuleBytes } from '../../interpreter/trampoline.js'
import { readWasm } from '../../interpreter/wasm-binary.js'
import { LinkError, type LinkedProgram, link, type PlacedProgram } from '../../linker/link.js'
import type { FunctionType } from '../../wasm/module.js'
import type { SourceFile } from '../files.js'
import type { StockExports } from '../realm.js'
import { callableEntries, trampolineCodes } from '../signatures.js'
import { PackageFailure } from './failure.js'

/** Exports that slots of images with packages need beside `INTERPRETER_EXPORTS`. */
const LIBRARY_EXPORTS = ['__dl_seterr'] as const
const BUILDER_EXPORTS = [
  'PyRun_SimpleString',
  'PyImport_ImportModule',
  'PyObject_GetAttrString',
  '_PyRuntime',
  '_PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET',
  '__stack_low',
] as const

export interface Library {
  readonly file: SourceFile
  readonly packageName: string
}

export class LinkedInterpreter {
  readonly #base: ReadableImage
  readonly #program: LinkedProgram
  readonly #placed: PlacedProgram
  readonly #signatures: readonly (FunctionType | undefined)[]
  /** Address of the trampoline's codes. */
  readonly #codesAddress: number
  /** Address of the libraries' memory; 0 if there are none. */
  readonly #address: number

  /**
   * @param main - the interpreter's module with all its exports, from which the image's module was made
   * @throws PackageFailure
   */
  constructor(base: ReadableImage, main: Uint8Array, libraries: readonly Library[]) {
    this.#base = base
    try {
      this.#program = link({
        main,
        keep: [...INTERPRETER_EXPORTS, ...LIBRARY_EXPORTS],
        libraries: libraries.map(({ file, packageName }) => ({ ...file, wheel: packageName })),
        tableBase: base.tableLength,
      })
      const allocated = this.#allocate(bareInstance(base))
      this.#address = allocated.address
      this.#codesAddress = allocated.codesAddress
      this.#placed = this.#program.placeAt(this.#address)
    } catch (error) {
      if (error instanceof LinkError)
        throw new PackageFailure(error.wheel, `${error.library}: ${error.reason}`, { cause: error })
      throw error
    }
    this.#signatures = [...readWasm(main).tableSignatures, ...this.#program.tableSignatures]
  }

  /** The parts of the image that depend on the libraries. */
  get parts() {
    return {
      moduleBytes: this.#placed.slotModule(),
      trampolineBytes: this.#trampolineBytes,
      tableLength: this.#program.tableEnd,
      native: this.native,
    }
  }

  get native() {
    const libraries = this.#placed.libraries.map(({ path, symbols }) => ({
      path,
      symbols: Object.entries(symbols),
    }))
    return { libraries, callable: callableEntries(this.#signatures) }
  }

  /** Makes an instance with the image's memory and the libraries, ready to run Python. */
  async boot(host: Host): Promise<StockExports> {
    const [module, trampolineModule] = await Promise.all([
      WebAssembly.compile(this.#placed.builderModule(BUILDER_EXPORTS)),
      WebAssembly.compile(this.#trampolineBytes),
    ])
    const image = { ...this.#base, module, trampolineModule, tableLength: this.#program.tableEnd }
    const exports = new ImageInstance(image, host).exports as StockExports & Record<string, unknown>
    const again = this.#allocate(exports)
    if (again.address !== this.#address || again.codesAddress !== this.#codesAddress)
      throw new Error('malloc gave other addresses than before')
    const memory = new Uint8Array(exports.memory.buffer)
    memory.fill(0, this.#address, this.#address + this.#program.memoryBytes)
    this.#placed.writeData(memory)
    memory.set(trampolineCodes(this.#signatures), this.#codesAddress)
    this.#moveTrampoline(exports)
    for (const name of this.#placed.setup) (exports[name] as () => void)()
    return exports
  }

  get #trampolineBytes(): Uint8Array<ArrayBuffer> {
    return trampolineModuleBytes(this.#codesAddress, this.#program.tableEnd)
  }

  /** Returns the same addresses in every instance of the image, because malloc is deterministic. */
  #allocate({ malloc }: Pick<StockExports, 'malloc'>): { address: number; codesAddress: number } {
    const { memoryBytes, memoryAlignment, tableEnd } = this.#program
    const codesAddress = malloc(tableEnd) >>> 0
    const block = memoryBytes === 0 ? 0 : malloc(memoryBytes + memoryAlignment) >>> 0
    if (codesAddress === 0 || (block === 0 && memoryBytes > 0))
      throw new Error('there is no memory for the libraries')
    return { address: Math.ceil(block / memoryAlignment) * memoryAlignment, codesAddress }
  }

  /** Updates the index of the trampoline, which now comes after all entries of the table. */
  #moveTrampoline(exports: StockExports): void {
    const view = new DataView(exports.memory.buffer)
    const offset = view.getUint32(exports._PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET.value >>> 0, true)
    const pointer = (exports._PyRuntime.value >>> 0) + offset
    if (view.getUint32(pointer, true) !== this.#base.tableLength)
      throw new Error('the trampoline is not where the image says')
    view.setUint32(pointer, this.#program.tableEnd, true)
  }
}

/** Exports of an instance of the image without packages, for finding out which addresses malloc returns. */
function bareInstance(base: ReadableImage) {
  const { files, bytes, cwd } = base
  const host = new Host({ files, bytes, cwd, interrupt: new InterruptCell(), onOutput: () => {} })
  return new ImageInstance(base, host).exports
}
