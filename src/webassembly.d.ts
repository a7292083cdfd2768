// Types for the part of the WebAssembly JavaScript API that brumate uses. Node has this API, but @types/node 20 does not declare it, and
// the `dom` library would declare all of a browser's API as well.

declare namespace WebAssembly {
  type ImportExportKind = 'function' | 'global' | 'memory' | 'table' | 'tag'
  type ImportValue = ((...args: never[]) => unknown) | Global | Memory | Table
  type ModuleImports = Record<string, ImportValue>
  type Imports = Record<string, ModuleImports>
  type Exports = Record<string, unknown>

  interface ValueTypeMap {
    i32: number
    i64: bigint
    f32: number
    f64: number
    externref: unknown
  }

  class Module {
    readonly [Symbol.toStringTag]: 'WebAssembly.Module'
    constructor(bytes: ArrayBufferView | ArrayBuffer | SharedArrayBuffer)
    static imports(module: Module): { module: string; name: string; kind: ImportExportKind }[]
    static exports(module: Module): { name: string; kind: ImportExportKind }[]
    static customSections(module: Module, name: string): ArrayBuffer[]
  }

  class Instance {
    readonly [Symbol.toStringTag]: 'WebAssembly.Instance'
    constructor(module: Module, imports?: Imports)
    readonly exports: Exports
  }

  class Memory {
    readonly [Symbol.toStringTag]: 'WebAssembly.Memory'
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean })
    readonly buffer: ArrayBuffer
    /** Grows by `pages` of 65,536 bytes; detaches the old buffer; returns the old size in pages. */
    grow(pages: number): number
  }

  class Table {
    readonly [Symbol.toStringTag]: 'WebAssembly.Table'
    constructor(
      descriptor: { element: 'anyfunc' | 'externref'; initial: number; maximum?: number },
      value?: unknown,
    )
    readonly length: number
    get(index: number): unknown
    grow(delta: number, value?: unknown): number
    set(index: number, value?: unknown): void
  }

  class Global<T extends keyof ValueTypeMap = keyof ValueTypeMap> {
    readonly [Symbol.toStringTag]: 'WebAssembly.Global'
    constructor(descriptor: { value: T; mutable?: boolean }, value?: ValueTypeMap[T])
    value: ValueTypeMap[T]
  }

  /** Thrown by WebAssembly code: a C++ exception, or a longjmp. */
  class Exception {
    private constructor()
  }

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  function compile(bytes: ArrayBufferView | ArrayBuffer): Promise<Module>
  function instantiate(module: Module, imports?: Imports): Promise<Instance>
  function validate(bytes: ArrayBufferView | ArrayBuffer): boolean
}
