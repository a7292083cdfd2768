// The ABI between the interpreter's C library and the host: flags, and sizes and offsets of structs, all of 32-bit musl as
// Emscripten builds it. Owns numbers only. Checked against <emscripten>/system/lib/libc/musl and by running Python.

/** Flags of open(2). */
export const O = {
  ACCESS_MODE: 0o3,
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
  /** Without the O_DIRECTORY bit that comes with it. */
  TMPFILE: 0o20000000,
} as const

/** Arguments of the `*at` family. */
export const AT = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  REMOVEDIR: 0x200,
  EMPTY_PATH: 0x1000,
} as const

/** Type bits of st_mode. */
export const S = {
  IFMT: 0o170000,
  IFIFO: 0o010000,
  IFCHR: 0o020000,
  IFDIR: 0o040000,
  IFREG: 0o100000,
  IFLNK: 0o120000,
} as const

/** The bits of st_mode that chmod changes: permissions, sticky, set-group and set-user. */
export const MODE_BITS = 0o7777

export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const

export const F = {
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  GETLK: 12,
  SETLK: 13,
  SETLKW: 14,
  DUPFD_CLOEXEC: 1030,
} as const
export const FD_CLOEXEC = 1
export const F_RDLCK = 0
export const F_WRLCK = 1
export const F_UNLCK = 2

export const POLL = { IN: 0x1, OUT: 0x4, ERR: 0x8, HUP: 0x10, NVAL: 0x20 } as const

export const MAP_PRIVATE = 0x2
export const PROT_WRITE = 0x2

/** d_type of a directory entry. */
export const DT = { FIFO: 1, CHR: 2, DIR: 4, REG: 8, LNK: 10 } as const

/** wasi `filetype` of fd_fdstat_get. */
export const FILETYPE = { DIRECTORY: 3, REGULAR: 4 } as const

export const SIGINT = 2

/** tv_nsec of utimensat(2). */
export const UTIME_NOW = 0x3fffffff
export const UTIME_OMIT = 0x3ffffffe

/** struct stat. Times are a 64-bit count of seconds and a 32-bit count of nanoseconds. */
export const STAT = {
  BYTES: 96,
  dev: 0,
  mode: 4,
  nlink: 8,
  uid: 12,
  gid: 16,
  rdev: 20,
  size: 24,
  blksize: 32,
  blocks: 36,
  atim: 40,
  mtim: 56,
  ctim: 72,
  ino: 88,
} as const

/** struct statfs. */
export const STATFS = {
  BYTES: 88,
  type: 0,
  bsize: 4,
  blocks: 8,
  bfree: 16,
  bavail: 24,
  files: 32,
  ffree: 40,
  fsid: 48,
  namelen: 56,
  frsize: 60,
  flags: 64,
} as const

/** struct dirent as getdents64 packs it; `reclen` is rounded up to a multiple of 8. */
export const DIRENT = { ino: 0, off: 8, reclen: 16, type: 18, name: 19, ALIGN: 8 } as const

/** struct timespec {i64, i32, padding}. */
export const TIMESPEC = { BYTES: 16, sec: 0, nsec: 8 } as const

/** struct tm. Offset 36 is tm_gmtoff; C code fills tm_zone (40). */
export const TM = {
  BYTES: 44,
  sec: 0,
  min: 4,
  hour: 8,
  mday: 12,
  mon: 16,
  year: 20,
  wday: 24,
  yday: 28,
  isdst: 32,
  gmtoff: 36,
} as const
/** Room for each of the two zone names, NUL included. */
export const ZONE_NAME_BYTES = 17

/** struct flock. */
export const FLOCK = { BYTES: 32, type: 0, whence: 2, start: 8, len: 16, pid: 24 } as const

/** struct pollfd. */
export const POLLFD = { BYTES: 8, fd: 0, events: 4, revents: 6 } as const

/** struct iovec {pointer, length}. */
export const IOVEC = { BYTES: 8, base: 0, len: 4 } as const

/** struct wasi fdstat. */
export const FDSTAT = { BYTES: 24, filetype: 0 } as const

/** Longest path and longest name in bytes. PATH_MAX counts the NUL, NAME_MAX does not. */
export const PATH_MAX = 4096
export const NAME_MAX = 255
/** Most symbolic links followed in one walk. */
export const SYMLOOP_MAX = 40
/** Most iovecs in one call. */
export const IOV_MAX = 1024
/** Most bytes that one call moves: the result is an i32. */
export const IO_MAX = 0x7fffffff
/** Most open descriptors. */
export const OPEN_MAX = 1024
/** Descriptor number of the door for host calls (host-calls.ts), above every real descriptor. */
export const DOOR_FD = 0x3fff_ffff
/** Descriptor number for displays (displays.ts), likewise. */
export const DISPLAY_FD = 0x3fff_fffe
/** Capacity of a pipe in bytes. */
export const PIPE_BYTES = 65_536
/** st_blksize, and the unit of statfs. */
export const BLOCK_BYTES = 4096
/** A page of WebAssembly memory; also the granularity of mmap. */
export const WASM_PAGE_BYTES = 65_536
