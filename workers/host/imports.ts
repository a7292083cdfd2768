// The table of everything that the interpreter's module imports, and the functions for it. Owns completeness: an import without a row,
// or a working row without a function, is an error before the module is instantiated (R1).

import { WasmGlobal, WasmModule } from '../web-assembly.js'
import { clockImports } from './clock.js'
import type { HostContext } from './context.js'
import { descriptorImports } from './descriptors.js'
import { entropyImports } from './entropy.js'
import { fileImports } from './files.js'
import { foreignCallImports } from './foreign-calls.js'
import { type GuardedImport, ImportDoor, type ImportFunction } from './guard.js'
import { libraryImports } from './libraries.js'
import { mappingImports } from './mapping.js'
import { memoryImports } from './memory.js'
import { pollImports } from './poll.js'
import { processImports } from './process.js'
import { signalImports } from './signals.js'
import { FUNCTION_GLOBALS } from './table/functions.js'
import { type ImportRow, WORKING_CLASSES } from './table/row.js'
import { STUB_ROWS } from './table/stubs.js'
import { WORKING_ROWS } from './table/working.js'
import { timeZoneImports } from './time-zone.js'

export { FUNCTION_GLOBALS } from './table/functions.js'
export { type ImportClass, type ImportRow, WORKING_CLASSES } from './table/row.js'

/** Every function import. */
export const IMPORT_ROWS: readonly ImportRow[] = [...WORKING_ROWS, ...STUB_ROWS]

/** Results of imports that cannot return an error number. If a pointer is bad, they return this and leave memory as it is. */
const RESULT_OF_BAD_POINTER: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['_localtime_js', undefined],
  ['_gmtime_js', undefined],
  ['_tzset_js', undefined],
  ['_emscripten_get_progname', undefined],
  ['ffi_closure_alloc_js', 0],
  ['_dlopen_js', 0],
  ['_dlsym_js', 0],
  ['_mktime_js', -1n],
  ['_timegm_js', -1n],
])

/** Guards the function of every row. Keys are "module.name". */
export function guardedImports(context: HostContext): ReadonlyMap<string, GuardedImport> {
  const working = new Map<string, ImportFunction>(
    [
      fileImports(context),
      descriptorImports(context),
      pollImports(context),
      clockImports(context),
      timeZoneImports(context),
      entropyImports(context),
      memoryImports(context),
      mappingImports(context),
      signalImports(context),
      processImports(context),
      libraryImports(context),
      foreignCallImports(context),
    ].flatMap((family) => Object.entries(family)),
  )
  const guarded = new Map<string, GuardedImport>()
  for (const row of IMPORT_ROWS) {
    const run = working.get(row.name)
    if ((run !== undefined) !== WORKING_CLASSES.includes(row.class)) {
      throw new Error(`the import ${row.name} is listed as ${row.class}`)
    }
    guarded.set(`${row.module}.${row.name}`, guardedImport(context, row, run))
    working.delete(row.name)
  }
  if (working.size > 0) throw new Error(`not in the table of imports: ${[...working.keys()].join(', ')}`)
  return guarded
}

function guardedImport(
  { ending }: HostContext,
  row: ImportRow,
  run: ImportFunction | undefined,
): GuardedImport {
  if (run !== undefined) return ending.guard(row.name, run, resultOfError(row))
  if (row.class === 'ends-interpreter') return ending.forbid(row.name, row.why)
  const { value } = row
  return ending.guard(
    row.name,
    () => value,
    () => value,
  )
}

/** How an import returns an error number to C code. */
function resultOfError({ module, name }: ImportRow): (errno: number) => unknown {
  if (RESULT_OF_BAD_POINTER.has(name)) {
    const result = RESULT_OF_BAD_POINTER.get(name)
    return () => result
  }
  return module === 'wasi_snapshot_preview1' ? (errno) => errno : (errno) => -errno
}

export type ImportDoors = ReadonlyMap<string, ImportDoor>

/** Makes a door for each import. */
export function openDoors(guarded: ReadonlyMap<string, GuardedImport>): ImportDoors {
  return new Map([...guarded].map(([name, behind]) => [name, new ImportDoor(behind)]))
}

/**
 * Builds the import object of a module.
 *
 * @throws Error if the module imports anything that is not in the table
 */
export function linkImports(module: WebAssembly.Module, doors: ImportDoors): WebAssembly.Imports {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {}
  for (const { module: from, name, kind } of WasmModule.imports(module)) {
    imports[from] ??= {}
    imports[from][name] = importValue(from, name, kind, doors)
  }
  return imports
}

function importValue(
  from: string,
  name: string,
  kind: WebAssembly.ImportExportKind,
  doors: ImportDoors,
): WebAssembly.ImportValue {
  const found = doors.get(`${from}.${name}`)
  if (kind === 'function' && found !== undefined) return found.enter
  if (kind === 'global' && from === 'GOT.func' && FUNCTION_GLOBALS.includes(name)) {
    return new WasmGlobal({ value: 'i32', mutable: true }, 0)
  }
  throw new Error(`the module imports ${kind} ${from}.${name}, which is not in the table of imports`)
}
