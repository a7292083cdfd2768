// Process-level imports: user, environment, program name, exit. Owns those imports. An exit ends only the interpreter; the session
// outlives it.
import type { HostContext } from './context.js'
import type { ImportFunction } from './guard.js'

const PROGRAM_NAME = 'python'

export function processImports(context: HostContext): Readonly<Record<string, ImportFunction>> {
  const { memory, ending } = context
  return {
    __syscall_getuid32_js: () => 0,
    __syscall_umask_js: (mask: number) => {
      const { files } = context.fileSystem
      const before = files.umask
      files.umask = mask & 0o777
      return before
    },
    // The image's memory already contains the environment, and the kernel sets a session's own variables from Python.
    environ_sizes_get: (count: number, bytes: number) => {
      memory.setU32(count, 0)
      memory.setU32(bytes, 0)
      return 0
    },
    environ_get: (_pointers: number, _buffer: number) => 0,
    _emscripten_get_progname: (buffer: number, size: number) => {
      if (size <= 0) return
      memory.range(buffer, size)
      memory.setText(buffer, `${PROGRAM_NAME.slice(0, size - 1)}\0`)
    },
    exit: (status: number) => ending.end('exit', `the code exited the process with status ${status}`),
    proc_exit: (status: number) => ending.end('proc_exit', `the code called os._exit(${status})`),
    _abort_js: () => ending.end('_abort_js', 'the code called os.abort(), or CPython met a fatal error'),
    __assert_fail: (_condition: number, _file: number, line: number, _function: number) =>
      ending.end('__assert_fail', `an assertion in CPython's C code failed (line ${line})`),
    // workers/interpreter replaces this import by its trampoline, so this one runs only without it.
    _PyEM_TrampolineCall_JS: () => ending.end('_PyEM_TrampolineCall_JS', 'there is no trampoline'),
  }
}
