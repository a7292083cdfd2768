// The imports that do something: the session's operating system, and everything of the host that hostile code can reach (R1).
// Owns the list and the reason for each; the functions are in the file of each family.
import type { ImportClass, ImportRow } from './row.js'

const ENV: Readonly<Partial<Record<ImportClass, Readonly<Record<string, string>>>>> = {
  file: {
    __syscall_openat: 'opens or creates a file, directory or device',
    __syscall_stat64: 'describes what a path leads to',
    __syscall_lstat64: 'describes a path without following its last link',
    __syscall_newfstatat: 'describes a path below a directory descriptor',
    __syscall_statfs64: 'tells quota and usage at a path',
    __syscall_faccessat: 'tests permission bits',
    __syscall_chdir: 'sets the working directory',
    __syscall_getcwd: 'tells the working directory',
    __syscall_chmod: 'sets permission bits',
    __syscall_fchmodat2: 'sets permission bits below a directory descriptor',
    __syscall_fchownat: 'accepts an owner and keeps the one there is',
    __syscall_mkdirat: 'makes a directory',
    __syscall_mknodat: 'makes a regular file; devices and named pipes are refused',
    __syscall_unlinkat: 'removes a file or an empty directory',
    __syscall_rmdir: 'removes an empty directory',
    __syscall_renameat: 'moves a node, replacing what is there',
    __syscall_symlinkat: 'makes a symbolic link inside the session’s tree',
    __syscall_readlinkat: 'reads a symbolic link',
    __syscall_truncate64: 'sets the size of a file by path',
    __syscall_utimensat: 'sets a node’s time stamps',
  },
  descriptor: {
    __syscall_fstat64: 'describes an open file',
    __syscall_fstatfs64: 'tells quota and usage at an open file',
    __syscall_fchdir: 'sets the working directory to an open directory',
    __syscall_fchmod: 'sets an open file’s permission bits',
    __syscall_fchown32: 'accepts an owner and keeps the one there is',
    __syscall_ftruncate64: 'sets the size of an open file',
    __syscall_fallocate: 'lengthens an open file',
    __syscall_fadvise64: 'accepts advice and ignores it',
    __syscall_fdatasync:
      'succeeds for files in memory; asks the host’s disk for those of a mounted directory',
    __syscall_getdents64: 'lists an open directory',
    __syscall_dup: 'gives an open file a second number',
    __syscall_dup3: 'gives an open file a chosen number',
    __syscall_pipe: 'makes a pipe inside the interpreter',
    __syscall_fcntl64:
      'reads and sets flags; file locks: granted on private files, where a session is alone, and kept between sessions on mounted ones',
    __syscall_ioctl: 'answers ENOTTY: no descriptor is a terminal',
    __syscall_poll:
      'tells which descriptors are ready; with none, or with the door for host calls, sleeps without CPU until a time, an answer or an interrupt',
  },
  clock: {
    emscripten_date_now: 'real time in milliseconds',
    emscripten_get_now: 'monotonic time in milliseconds, from the start of the host',
    _tzset_js: 'offset and names of the session’s time zone',
    _localtime_js: 'splits a time in the session’s time zone',
    _gmtime_js: 'splits a time in UTC',
    _mktime_js: 'joins a local time',
    _timegm_js: 'joins a UTC time',
  },
  memory: {
    emscripten_resize_heap: 'the one door through which memory grows, bounded by memoryBytes',
    emscripten_get_heap_max: 'tells that bound',
    _mmap_js: 'copies a file into memory of the interpreter’s allocator',
    _msync_js: 'copies a shared mapping back into its file',
    ffi_closure_alloc_js:
      'memory for a ctypes callback whose code is the null function: ctypes can be imported',
    ffi_closure_free_js: 'frees it',
    _munmap_js: 'copies a writable shared mapping back before C code frees it',
  },
  signal: {
    _Py_CheckEmscriptenSignals_Helper: 'tells CPython the number of a signal that is due: an interrupt',
    __call_sighandler: 'calls a C signal handler of the interpreter, for raise()',
  },
  process: {
    __syscall_getuid32_js: 'the user id is 0',
    __syscall_umask_js: 'permission bits that new files do not get',
    _emscripten_get_progname: 'the program is called “python”',
    exit: 'ends the interpreter with a reason',
    _abort_js: 'ends the interpreter with a reason',
    __assert_fail: 'ends the interpreter with a reason',
    _PyEM_TrampolineCall_JS:
      'calls a C function with as many arguments as it takes; served by workers/interpreter, as the same WebAssembly function that the table has',
  },
  library: {
    _dlopen_js:
      'tells whether a path is a native library of the image’s packages: their code is in the module',
    _dlsym_js:
      'looks up a symbol of such a library in the image: an index in the function table, or an address',
    ffi_call_js:
      'calls a function of the table that takes and returns numbers, with numbers from memory, for ctypes; ends the interpreter for any other one, and in images without packages',
  },
}

const WASI: Readonly<Partial<Record<ImportClass, Readonly<Record<string, string>>>>> = {
  descriptor: {
    fd_read: 'reads at the position; of the door for host calls: the next answer',
    fd_write:
      'writes at the position or the end; descriptors 1 and 2 are the session’s output, cut at outputBytes; to the door: one host call, to the descriptor of displays: one display, at most resultBytes in all; both as bytes that the main thread checks',
    fd_pread: 'reads at an offset',
    fd_pwrite:
      'writes at an offset; to the door for host calls: the name of the session’s time zone, at most 100 bytes, for time.tzset',
    fd_seek: 'moves the position; of the door: the size of the next answer',
    fd_close: 'closes',
    fd_sync: 'succeeds for files in memory; asks the host’s disk for those of a mounted directory',
    fd_fdstat_get: 'tells a directory from a file',
  },
  clock: {
    clock_time_get: 'real and monotonic time in nanoseconds',
    clock_res_get: 'their resolution',
  },
  entropy: {
    random_get: 'random bytes from the operating system',
  },
  process: {
    environ_sizes_get:
      'an empty environment: the image has one in its memory, a session sets its own from Python',
    environ_get: 'an empty environment',
    proc_exit: 'ends the interpreter with a reason',
  },
}

export const WORKING_ROWS: readonly ImportRow[] = [
  ...rows('env', ENV),
  ...rows('wasi_snapshot_preview1', WASI),
]

function rows(module: ImportRow['module'], classes: typeof ENV): ImportRow[] {
  return Object.entries(classes).flatMap(([name, imports]) =>
    Object.entries(imports).map(([importName, why]) => ({
      module,
      name: importName,
      class: name as ImportClass,
      why,
    })),
  )
}
