// Links the native libraries of an image statically with the interpreter, into one WebAssembly module. Owns the interface of this folder:
// pure functions of bytes, with the same results on every machine and Node. Libraries are hostile input; the interpreter's module is ours.
import { Allowance } from '../wasm/cursor.js'
import type { FunctionType } from '../wasm/module.js'
import type { Library, LibraryFile } from './library.js'
import { LIMITS } from './limits.js'
import { blaming, LinkError } from './link-error.js'
import { MainModule } from './main-module.js'
import { PlacedProgram } from './placed-program.js'
import { Program } from './program.js'
import { readSideModule } from './side-module.js'

export type { LibraryFile } from './library.js'
export { LinkError } from './link-error.js'
export type { LibrarySymbols, PlacedProgram } from './placed-program.js'

export interface LinkOptions {
  /** The interpreter's module with all its exports, as Emscripten wrote it. */
  readonly main: Uint8Array
  /** Exports that the merged modules keep. Mutable globals and tables without an export get one, as in `coreModuleBytes`. */
  readonly keep: readonly string[]
  /** In any order: the result does not depend on it. */
  readonly libraries: readonly LibraryFile[]
  /** The first index of the function table that is free for the libraries. */
  readonly tableBase: number
}

export interface LinkedProgram {
  /** Size of the contiguous, zeroed memory that the libraries need. */
  readonly memoryBytes: number
  /** Its alignment in bytes, a power of two. */
  readonly memoryAlignment: number
  /** Length of the function table, the same in both modules. */
  readonly tableEnd: number
  /** Signature of each table entry in `[tableBase, tableEnd)`; undefined if there is none. */
  readonly tableSignatures: readonly (FunctionType | undefined)[]

  /**
   * Computes everything that depends on the address of the libraries' memory.
   *
   * @param address - a multiple of `memoryAlignment`
   * @throws LinkError
   */
  placeAt(address: number): PlacedProgram
}

/**
 * @throws LinkError if a library cannot be linked
 */
export function link({ main, keep, libraries, tableBase }: LinkOptions): LinkedProgram {
  const program = new Program(new MainModule(main), readLibraries(libraries), tableBase)
  return {
    memoryBytes: program.memoryBytes,
    memoryAlignment: program.memoryAlignment,
    tableEnd: program.table.end,
    tableSignatures: program.tableSignatures,
    placeAt: (address) => new PlacedProgram(program, keep, address),
  }
}

function readLibraries(files: readonly LibraryFile[]): Library[] {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const allowance = new Allowance(LIMITS.parts)
  let bytesLeft: number = LIMITS.libraryBytes
  return sorted.map(({ path, bytes, wheel }, number) => {
    bytesLeft -= bytes.length
    if (number >= LIMITS.libraries || bytesLeft < 0)
      throw new LinkError(
        path,
        wheel,
        `with it, the image has more than ${LIMITS.libraries} libraries or ${LIMITS.libraryBytes} bytes of them`,
      )
    const other = sorted[number - 1]
    if (other?.path === path)
      throw new LinkError(path, wheel, `${other.wheel} has a library of the same path`)
    return { path, wheel, module: blaming({ path, wheel }, () => readSideModule(bytes, allowance)) }
  })
}
