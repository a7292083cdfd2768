// The error numbers of the interpreter's C library (musl numbered as by Emscripten and WASI, not Linux), and the one way in which
// a host function fails. Owns numbers only; guard.ts turns a failure into a return value.

export const errno = {
  EACCES: 2,
  EAFNOSUPPORT: 5,
  EAGAIN: 6,
  EBADF: 8,
  EBUSY: 10,
  EEXIST: 20,
  EFAULT: 21,
  EFBIG: 22,
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  ENAMETOOLONG: 37,
  ENFILE: 41,
  ENODEV: 43,
  ENOENT: 44,
  ENOLCK: 46,
  ENOMEM: 48,
  ENOSPC: 51,
  ENOSYS: 52,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  ENOTSOCK: 57,
  ENOTTY: 59,
  ENXIO: 60,
  EOVERFLOW: 61,
  EPERM: 63,
  EPIPE: 64,
  ERANGE: 68,
  EROFS: 69,
  ESPIPE: 70,
  ESTALE: 72,
  EXDEV: 75,
  EOPNOTSUPP: 138,
} as const

export type ErrorName = keyof typeof errno

/** A failure that is reported to C code as an error number. There is one frozen object per number, so throwing it captures no stack. */
export class FsError extends Error {
  override readonly name = 'FsError'
  readonly errno: number

  constructor(code: ErrorName) {
    super(code)
    this.errno = errno[code]
  }
}

const ERRORS: ReadonlyMap<ErrorName, FsError> = new Map(
  (Object.keys(errno) as ErrorName[]).map((code) => [code, Object.freeze(new FsError(code))]),
)

export function fail(code: ErrorName): never {
  throw ERRORS.get(code)
}

const NAMES: ReadonlyMap<number, ErrorName> = new Map(
  (Object.keys(errno) as ErrorName[]).map((code) => [errno[code], code]),
)

/** Undefined for an unknown number. */
export function errorName(number: number): ErrorName | undefined {
  return NAMES.get(number)
}
