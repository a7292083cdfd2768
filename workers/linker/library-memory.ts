// A library's initial memory and the values of its globals, once its address is known. Owns the bounds check: a library writes only to its
// own memory.
import { Unlinkable } from './link-error.js'
import type { Address, LinkedLibrary } from './program.js'
import { type MemoryWrite, runStart } from './start-function.js'

export interface LibraryMemory {
  /** Value of each global after the start function. The value of the stack pointer is never used. */
  readonly globals: Int32Array
  /** Writes in order. */
  readonly writes: readonly MemoryWrite[]
}

/**
 * @param base - address of the library's memory
 * @param resolve - turns an address into a number
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
  // Allow the file's data, plus clearing and writing every byte once.
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

/** Runs the start function, which may also set globals. */
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
