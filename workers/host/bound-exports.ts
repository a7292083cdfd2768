// The exports of the interpreter's module that the host uses. Owns the type only; the full set is in workers/interpreter/exports.ts.

export interface BoundExports {
  readonly memory: WebAssembly.Memory
  readonly __indirect_function_table: WebAssembly.Table
  readonly tzname?: WebAssembly.Global<'i32'>
  /** Only in images with packages. */
  readonly __stack_pointer?: WebAssembly.Global<'i32'>
  /** Sets the text of dlerror: a format and its arguments as C code passes them. Only in images with packages. */
  __dl_seterr?(format: number, values: number): void
  emscripten_builtin_memalign(alignment: number, size: number): number
  free(pointer: number): void
}
