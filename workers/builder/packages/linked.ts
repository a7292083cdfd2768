// The interpreter with the libraries of the packages linked in, on its way into an image. Owns where what is new lies in memory and in the
// function table, and the first instance, which relocates and constructs.

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

/** What slots of images with packages need beside `INTERPRETER_EXPORTS`. */
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
  /** Where the trampoline's codes lie in memory. */
  readonly #codesAddress: number
  /** Of the libraries; 0 without any. */
  readonly #address: number

  /**
   * @param main - the module of the interpreter with all its exports, as the image's was made from it
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

  /** An instance with the image's memory and the libraries in it, ready to run Python. */
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

  /** The same in every instance of the image, because malloc is. */
  #allocate({ malloc }: Pick<StockExports, 'malloc'>): { address: number; codesAddress: number } {
    const { memoryBytes, memoryAlignment, tableEnd } = this.#program
    const codesAddress = malloc(tableEnd) >>> 0
    const block = memoryBytes === 0 ? 0 : malloc(memoryBytes + memoryAlignment) >>> 0
    if (codesAddress === 0 || (block === 0 && memoryBytes > 0))
      throw new Error('there is no memory for the libraries')
    return { address: Math.ceil(block / memoryAlignment) * memoryAlignment, codesAddress }
  }

  /** It is behind all entries of the table now. */
  #moveTrampoline(exports: StockExports): void {
    const view = new DataView(exports.memory.buffer)
    const offset = view.getUint32(exports._PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET.value >>> 0, true)
    const pointer = (exports._PyRuntime.value >>> 0) + offset
    if (view.getUint32(pointer, true) !== this.#base.tableLength)
      throw new Error('the trampoline is not where the image says')
    view.setUint32(pointer, this.#program.tableEnd, true)
  }
}

/** Of the image without packages, to learn where its malloc puts things. */
function bareInstance(base: ReadableImage) {
  const { files, bytes, cwd } = base
  const host = new Host({ files, bytes, cwd, interrupt: new InterruptCell(), onOutput: () => {} })
  return new ImageInstance(base, host).exports
}
