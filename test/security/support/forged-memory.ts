// Python code that reads and writes all of the interpreter's memory: the built-in module below ctypes treats any address as an object, and
// a forged bytearray spans everything. It simulates a memory-safety bug of CPython.
import { py } from '../../support/session-code.js'

/** Defines `memory`, a bytearray over 2 GiB from address 0, and `SIZE`, the number of bytes that exist. */
export function readAllMemory(memoryBytes = 30 * 2 ** 20): string {
  return py`
  import _imp, importlib.machinery, struct
  _ctypes = _imp.create_builtin(importlib.machinery.ModuleSpec('_ctypes', importlib.machinery.BuiltinImporter))
  try:
      _imp.exec_builtin(_ctypes)
  except MemoryError:
      pass
  # refcount, type, size, allocated, buffer, start, exports
  forged = struct.pack('<IIiiIIi', 0x3fffffff, id(bytearray), 0x7fffffff, 0x7fffffff, 0, 0, 0) + bytes(16)
  memory = _ctypes.PyObj_FromPtr(id(forged) + bytes.__basicsize__ - 1)
  SIZE = ${memoryBytes}
`
}

export const READ_ALL_MEMORY = readAllMemory()
