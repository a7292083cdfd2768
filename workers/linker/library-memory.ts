// What a library has in memory before anything runs, and what its globals are, once it is known where it lies. Owns the bounds: a library
// writes into its own memory only.
import { Unlinkable } from './link-error.js'
import type { Address, LinkedLibrary } from './program.js'
import { type MemoryWrite, runStart } from './start-function.js'

export interface LibraryMemory {
  /** Value of each global, after the start function; that of the stack pointer is never used. */
  readonly globals: Int32Array
  /** In order. */
  readonly writes: readonly MemoryWrite[]
}

/**
 * @param base - address of the library's memory
 * @param resolve - the number that an address is
 */
export function placeMemory(
  library: LinkedLibrary,
  base: number,
  resolve: (address: Address) => number,
): LibraryMemory {
  const { module } = library
  const globals = globalsOf(library, base, resolve)
  const data = module.data.map(({ offset, bytes }) => ({
    address: (offset.globals.reduce((sum, index) => sum + (globals[index] ?? 0), offset.constant) | 0) >>> 0,
    bytes,
  }))
  const writes = [...data, ...startWrites(library, globals)]
  const end = base + module.dylink.memoryBytes
  // Data of the file, and every byte cleared once and written once again.
  let bytesLeft = data.reduce((sum, { bytes }) => sum + bytes.length, 2 * module.dylink.memoryBytes)
  for (const write of writes) {
    const length = 'bytes' in write ? write.bytes.length : write.length
    if (write.address < base || write.address + length > end)
      throw new Unlinkable('it writes data beyond the memory that it asks for')
    bytesLeft -= length
    if (bytesLeft < 0) throw new Unlinkable('its start function writes the same memory again and again')
  }
  return { globals, writes }
}

/** Runs the start function: it sets globals, too. */
function startWrites({ module }: LinkedLibrary, globals: Int32Array): MemoryWrite[] {
  if (module.start === undefined) return []
  const body = module.bodies[module.start - module.functionImports.length]
  if (body === undefined) throw new Unlinkable('it starts with a function that it imports')
  return runStart(body, globals)
}

function globalsOf(
  { module, tableBase, got }: LinkedLibrary,
  base: number,
  resolve: (address: Address) => number,
): Int32Array {
  const values = new Int32Array(module.globals.length)
  for (const [index, global] of module.globals.entries()) {
    const entry = got.get(index)
    if (entry !== undefined) values[index] = resolve(entry)
    else if (global.role === 'memory-base') values[index] = base
    else if (global.role === 'table-base') values[index] = tableBase
    else if (global.role === 'own') {
      const { constant, globals } = global.global.initial
      values[index] = globals.reduce((sum, other) => sum + (values[other] ?? 0), constant)
    }
  }
  return values
}
