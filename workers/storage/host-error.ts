// Errors of node:fs as those of the interpreter's C library. Owns that translation.
import { type ErrorName, errno, FsError, fail } from '../host/errno.js'

/** What is thrown by the host's file system, by the same name; what has none here is EIO. */
export function onHost<T>(use: () => T): T {
  try {
    return use()
  } catch (error) {
    if (error instanceof FsError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EDQUOT') return fail('ENOSPC')
    if (code !== undefined && Object.hasOwn(errno, code)) return fail(code as ErrorName)
    return fail('EIO')
  }
}
