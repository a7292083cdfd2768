// One WebAssembly instance of an image's module: creates it, fills it, and restores it to the image. Owns everything in it that running
// code can change: memory, mutable globals, tables (I1). The interpreter calls it, and the host implements its imports.
import type { Host } from '../host/host.js'
import { type StackProbe, stackProbe } from '../host/stack-reserve.js'
import type { CopyImageBytes, ReadableImage } from '../image-bytes.js'
import { WasmGlobal, WasmInstance, WasmTable } from '../web-assembly.js'
import { BaseCursor, NO_RUN } from './base-memory.js'
import { Clearing } from './clear.js'
import { INTERPRETER_EXPORTS, type InterpreterExports, STATE_PREFIX } from './exports.js'
import { KernelFault } from './link.js'
import { DELTA_PAGE_BYTES } from './memory-delta.js'

const PAGE_BYTES = 65_536

interface MutableGlobal {
  readonly global: WebAssembly.Global<'i32'>
  readonly value: number
}

interface ImageTable {
  readonly table: WebAssembly.Table
  readonly length: number
}

export class ImageInstance {
  readonly exports: InterpreterExports
  readonly #image: ReadableImage
  readonly #copyImage: CopyImageBytes
  readonly #stackProbe: StackProbe
  readonly #globals: readonly MutableGlobal[]
  readonly #tables: readonly ImageTable[]

  /**
   * Creates the instance without running any code of the module.
   *
   * @param host - implements its imports
   */
  constructor(image: ReadableImage, host: Host) {
    this.#image = image
    const trampoline: { call?: TrampolineCall } = {}
    const imports = host.imports(image.module)
    // Reached only when a guest clears the pointer to the table entry below; the same function serves both.
    Object.assign(imports.env ?? {}, {
      _PyEM_TrampolineCall_JS: (f: number, self: number, args: number, kwargs: number) => {
        if (trampoline.call === undefined) throw new KernelFault('a call before the interpreter was booted')
        return trampoline.call(f, self, args, kwargs)
      },
    })
    const instance = new WasmInstance(image.module, imports)
    this.exports = interpreterExports(instance)
    const { memory, __indirect_function_table: table, __stack_pointer: stackPointer } = this.exports
    const missingBytes = image.memoryBytes - memory.buffer.byteLength
    if (missingBytes > 0) memory.grow(missingBytes / PAGE_BYTES)
    this.#copyImage = image.bytes.into(memory)
    this.#copyRuns()
    const helper = new WasmInstance(image.trampolineModule, {
      env: { __indirect_function_table: table, memory },
    }).exports
    trampoline.call = helper.call as TrampolineCall
    table.grow(image.tableLength + 1 - table.length)
    table.set(image.tableLength, helper.trampoline)
    stackPointer.value = image.stackPointer
    // Code can change nothing else in the module: test/image/module-state.test.ts checks the module's instructions.
    const state = [...importedValues(imports), ...stateExports(instance), stackPointer, table]
    this.#globals = state.flatMap((item) =>
      item instanceof WasmGlobal
        ? [{ global: item as WebAssembly.Global<'i32'>, value: item.value as number }]
        : [],
    )
    this.#tables = state.flatMap((item) =>
      item instanceof WasmTable ? [{ table: item, length: item.length }] : [],
    )
    this.#stackProbe = stackProbe(image.stackProbeModule, memory)
    host.bind(this.exports, this.#stackProbe)
  }

  /** Whether memory or a table has grown. They cannot shrink, so such an instance cannot be restored to the image. */
  get hasGrown(): boolean {
    return (
      this.exports.memory.buffer.byteLength !== this.#image.memoryBytes ||
      this.#tables.some(({ table, length }) => table.length !== length)
    )
  }

  /** Makes `host` implement the imports in place of `previous`. */
  serveBy(host: Host, previous: Host): void {
    host.replace(previous)
    host.bind(this.exports, this.#stackProbe)
  }

  /**
   * Restores every byte of memory, and all globals, to the image's, and zeroes memory beyond the image's. The table needs no restoring:
   * code cannot change which functions are in it.
   *
   * @param changedPages - numbers of all pages that differ, ascending; undefined: any page may differ
   */
  restore(changedPages: Uint32Array | undefined): void {
    if (changedPages === undefined) this.#restoreAll()
    else this.#restorePages(changedPages)
    for (const { global, value } of this.#globals) global.value = value
  }

  #restorePages(pages: Uint32Array): void {
    const heap = new Uint8Array(this.exports.memory.buffer)
    const base = new BaseCursor(this.#image)
    for (const page of pages) {
      const at = page * DELTA_PAGE_BYTES
      const source = base.find(at)
      // Runs are whole pages.
      if (source === NO_RUN) heap.fill(0, at, at + DELTA_PAGE_BYTES)
      else this.#copyImage(source, at, DELTA_PAGE_BYTES)
    }
  }

  #restoreAll(): void {
    this.#copyRuns()
    const { runs } = this.#image
    const gaps = new Clearing(new Uint8Array(this.exports.memory.buffer))
    let from = 0
    for (let i = 0; i < runs.length; i += 2) {
      const offset = runs[i] ?? 0
      gaps.clear(from, offset)
      from = offset + (runs[i + 1] ?? 0)
    }
    gaps.clear(from, this.exports.memory.buffer.byteLength)
  }

  #copyRuns(): void {
    const { runs } = this.#image
    let source = 0
    for (let i = 0; i < runs.length; i += 2) {
      const length = runs[i + 1] ?? 0
      this.#copyImage(source, runs[i] ?? 0, length)
      source += length
    }
  }
}

type TrampolineCall = (f: number, self: number, args: number, kwargs: number) => number

function interpreterExports(instance: WebAssembly.Instance): InterpreterExports {
  for (const name of INTERPRETER_EXPORTS) {
    if (instance.exports[name] === undefined) throw new Error(`the image's module does not export ${name}`)
  }
  return instance.exports as unknown as InterpreterExports
}

function importedValues(imports: WebAssembly.Imports): unknown[] {
  return Object.values(imports).flatMap((values) => Object.values(values))
}

function stateExports({ exports }: WebAssembly.Instance): unknown[] {
  return Object.entries(exports).flatMap(([name, value]) => (name.startsWith(STATE_PREFIX) ? [value] : []))
}
