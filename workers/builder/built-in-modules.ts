// CPython's table of built-in modules. Owns removing Pyodide's own module from it: `_pyodide_core` is the C half of the bridge to
// JavaScript. Slots do not have the other half, so importing it there would end the interpreter. Once it is removed, importing it
// raises ModuleNotFoundError.
import type { StockInterpreter } from './realm.js'

export const REMOVED_MODULES = ['_pyodide_core'] as const

/** `struct _inittab`: address of the name, address of the function; a null name ends the table. */
const ENTRY_BYTES = 8
/** More than the size of `_PyRuntime`, so that the scan ends. */
const RUNTIME_BYTES = 1 << 20

export function removeBuiltInModules({ exports }: StockInterpreter): void {
  const memory = new Uint8Array(exports.memory.buffer)
  const view = new DataView(exports.memory.buffer)
  const table = runtimeTable(view, exports._PyRuntime.value >>> 0, exports.PyImport_Inittab.value >>> 0)
  const removed = new Set<string>(REMOVED_MODULES)
  let to = table
  for (let from = table; ; from += ENTRY_BYTES) {
    const name = view.getUint32(from, true)
    if (name !== 0 && removed.delete(textAt(memory, name))) continue
    memory.copyWithin(to, from, from + ENTRY_BYTES)
    to += ENTRY_BYTES
    if (name === 0) break
  }
  if (removed.size > 0) throw new Error(`there is no built-in module ${[...removed].join(', ')}`)
}

/**
 * CPython uses a copy of the linker's table. A field of `_PyRuntime` points to it, but the offset of that field is not exported: it is
 * the field that points to the same entries at another address.
 */
function runtimeTable(view: DataView, runtime: number, variable: number): number {
  const original = view.getUint32(variable, true)
  const entry = view.getBigUint64(original, true)
  const next = view.getBigUint64(original + ENTRY_BYTES, true)
  for (let field = runtime; field < runtime + RUNTIME_BYTES; field += 4) {
    const copy = view.getUint32(field, true)
    if (copy === original || copy === 0 || copy % 4 !== 0 || copy + 2 * ENTRY_BYTES > view.byteLength)
      continue
    if (view.getBigUint64(copy, true) === entry && view.getBigUint64(copy + ENTRY_BYTES, true) === next)
      return copy
  }
  throw new Error('the table of built-in modules was not found')
}

function textAt(memory: Uint8Array, address: number): string {
  return Buffer.from(memory.subarray(address, memory.indexOf(0, address))).toString('latin1')
}
