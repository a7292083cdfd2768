// The exports of the interpreter's core module: the only way from JavaScript into WebAssembly. Owns the list (the builder
// reduces the module's 8,560 exports to it) and its type; the interpreter and the host call them.

/** What an instance of `Image.module` exports. Pointers and sizes are u32 that arrive as signed i32: use `>>> 0`. */
export interface InterpreterExports {
  readonly memory: WebAssembly.Memory
  readonly __indirect_function_table: WebAssembly.Table
  /** Mutable i32. Equal to `Image.stackPointer` whenever no call is in progress (I2). */
  readonly __stack_pointer: WebAssembly.Global<'i32'>

  /** Address of C's `tzname`: two pointers to texts of at most `ZONE_NAME_BYTES`. */
  readonly tzname: WebAssembly.Global<'i32'>

  /** Returns 0 if there is no memory. */
  malloc(size: number): number
  free(pointer: number): void
  /** For mmap. `alignment` is a power of two. Returns 0 if there is no memory. Free the memory with `free`. */
  emscripten_builtin_memalign(alignment: number, size: number): number

  /** New reference, or 0 with a Python exception set. */
  PyBytes_FromStringAndSize(pointer: number, size: number): number
  PyBytes_Size(object: number): number
  /** Address of the bytes inside the object, valid as long as the object lives. */
  PyBytes_AsString(object: number): number
  /** New reference, or 0 with a Python exception set. */
  PyObject_CallOneArg(callable: number, argument: number): number
  Py_DecRef(object: number): void
  /** Borrowed reference to the current exception's type, or 0. */
  PyErr_Occurred(): number
  PyErr_Clear(): void
}

/**
 * Prefix of exports for the state that running code can change beside memory and that has no export name of its own: mutable globals and
 * tables. Kind and index follow. Slots use these exports to revert to the image (S1).
 */
export const STATE_PREFIX = 'state '

/** The names of `InterpreterExports`, for the builder. */
export const INTERPRETER_EXPORTS = [
  'memory',
  '__indirect_function_table',
  '__stack_pointer',
  'tzname',
  'malloc',
  'free',
  'emscripten_builtin_memalign',
  'PyBytes_FromStringAndSize',
  'PyBytes_Size',
  'PyBytes_AsString',
  'PyObject_CallOneArg',
  'Py_DecRef',
  'PyErr_Occurred',
  'PyErr_Clear',
] as const satisfies readonly (keyof InterpreterExports)[]
