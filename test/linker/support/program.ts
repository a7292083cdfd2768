// Owns a small main module for the tests of the linker, in place of the interpreter's, and running a linked program.
import { type LibraryFile, link } from '../../../workers/linker/link.js'
import { call, EXTERNREF, get, I32, i32, Module, OP, type Side } from './assembler.js'

/** Length of the main module's table. One more entry is left for the trampoline, and libraries start after it. */
export const MAIN_TABLE = 2
export const TABLE_BASE = MAIN_TABLE + 1
/** Address of the main module's variable `main_data`. */
export const MAIN_DATA = 1024
/** Where the tests put libraries. */
export const ADDRESS = 65_536
export const KEEP = ['memory', '__indirect_function_table', '__stack_pointer'] as const

/**
 * Imports `env.host` and, from the bridge, `JsvNum_fromInt` (function 0). Exports `increment`, `twice`, `apply(table index, value)`,
 * `main_data`, and exception tags.
 */
export function mainModule(): Uint8Array<ArrayBuffer> {
  const main = new Module()
  const toJavaScript = main.type([I32], [EXTERNREF])
  const unary = main.type([I32], [I32])
  const binary = main.type([I32, I32], [I32])
  const thrown = main.type([I32])
  // A duplicate of another type.
  main.type([I32], [I32])
  main.importFunction('JsvNum_fromInt', toJavaScript)
  main.importFunction('host', unary)
  main.importFunction('fd_sync', unary, 'wasi_snapshot_preview1')
  main.memory(4, 'memory')
  main.table(MAIN_TABLE, '__indirect_function_table').table(1, undefined, EXTERNREF)
  main.tag(thrown, '__c_longjmp')
  main.tag(thrown, '__cpp_exception')
  main.global(i32(8192), { name: '__stack_pointer', isMutable: true })
  main.global(i32(MAIN_DATA), { name: 'main_data' })
  main.global(i32(MAIN_DATA), { name: 'Jsr_undefined' })
  main.global(i32(0), { isMutable: true })
  const increment = main.function(unary, [...get(0), ...i32(1), OP.i32Add], { name: 'increment' })
  main.function(unary, [...get(0), ...i32(2), OP.i32Mul], { name: 'twice' })
  main.function(binary, [...get(1), ...get(0), OP.callIndirect, unary, 0], { name: 'apply' })
  main.function(unary, [...get(0), ...call(0), OP.drop, ...i32(0)], { name: 'JsProxy_create' })
  main.elements(i32(1), [increment])
  main.data(i32(MAIN_DATA), [7, 0, 0, 0])
  return main.bytes()
}

/** Wraps `module` as a library at `path`. */
export function library(module: Module | Side, path = '/site/lib.so', wheel = 'lib-1.0.whl'): LibraryFile {
  return { path, bytes: ('module' in module ? module.module : module).bytes(), wheel }
}

export interface Running {
  readonly exports: WebAssembly.Exports
  readonly memory: Uint8Array
  /** Looks up a function's table index or a variable's address in the library at `path`; 0 if `dlsym` does not find it. */
  symbol(name: string, path?: string): number
  /** Calls a function by its table index. */
  call(index: number, ...args: number[]): unknown
  /** Calls a function of the library at `/site/lib.so`. */
  run(name: string, ...args: number[]): unknown
}

/** What `env.host` returns for its argument. */
export const HOST_ADDS = 100

/** Links and places libraries, and runs their relocations and constructors, as the builder does. */
export function start(...libraries: LibraryFile[]): Running {
  const placed = link({ main: mainModule(), keep: KEEP, libraries, tableBase: TABLE_BASE }).placeAt(ADDRESS)
  const exports = instantiate(placed.builderModule())
  const memory = new Uint8Array((exports.memory as WebAssembly.Memory).buffer)
  placed.writeData(memory)
  for (const name of placed.setup) (exports[name] as () => void)()
  const table = exports.__indirect_function_table as WebAssembly.Table
  const symbol = (name: string, path = '/site/lib.so') =>
    placed.libraries.find((item) => item.path === path)?.symbols[name] ?? 0
  const call = (index: number, ...args: number[]) =>
    (table.get(index) as (...args: number[]) => unknown)(...args)
  return { exports, memory, symbol, call, run: (name, ...args) => call(symbol(name), ...args) }
}

export function instantiate(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Exports {
  const imports = {
    env: { JsvNum_fromInt: (value: number) => value, host: (value: number) => value + HOST_ADDS },
    wasi_snapshot_preview1: { fd_sync: () => 0 },
  }
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports
}
