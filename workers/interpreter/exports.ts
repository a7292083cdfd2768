// The exports of the interpreter's core module: the only doors from JavaScript into WebAssembly. Owns the list (the
// builder cuts the module's 8,560 exports down to it) and its type; calling them is the interpreter's and the host's.

/** What an instance of `Image.module` exports. Pointers and sizes are u32 that arrive as signed i32: use `>>> 0`. */
export interface InterpreterExports {
  readonly memory: WebAssembly.Memory
  readonly __indirect_function_table: WebAssembly.Table
  /** Mutable i32. Equal to `Image.stackPointer` whenever no call is in progress (I2). */
  readonly __stack_pointer: WebAssembly.Global<'i32'>

  /** Address of C's `tzname`: two pointers to texts of at most `ZONE_NAME_BYTES`. */
  readonly tzname: WebAssembly.Global<'i32'>

  /** 0 if there is no memory. */
  malloc(size: number): number
  free(pointer: number): void
  /** For mmap: `alignment` is a power of two; 0 if there is no memory. Freed with `free`. */
  emscripten_builtin_memalign(alignment: number, size: number): number

  /** New reference, or 0 with a Python exception set. */
  PyBytes_FromStringAndSize(pointer: number, size: number): number
  PyBytes_Size(object: number): number
  /** Address of the bytes inside the object: valid as long as the object is. */
  PyBytes_AsString(object: number): number
  /** New reference, or 0 with a Python exception set. */
  PyObject_CallOneArg(callable: number, argument: number): number
  Py_DecRef(object: number): void
  /** Borrowed reference to the current exception's type, or 0. */
  PyErr_Occurred(): number
  PyErr_Clear(): void
}

/**
 * Begins the names of exports for what running code can change beside memory and that has no name of its own: mutable globals and
 * tables. Kind and index follow. Through them a slot becomes the image again (S1).
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
