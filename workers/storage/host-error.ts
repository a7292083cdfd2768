// Translates errors of node:fs to those of the interpreter's C library. Owns that translation.
import { type ErrorName, errno, FsError, fail } from '../host/errno.js'

/** Runs `use`, and turns an error of the host's file system into the FsError of the same name, or EIO if there is none. */
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
