// Paths that callers pass. Owns their validation, and the conversion to and from the byte strings that are used internally.
import { InvalidOptionError, StorageError } from '../shared/errors.js'

const MAX_PATH_LENGTH = 4095
/** Top-level directories with the image's own files. A storage may be mounted below home and /tmp, but not at `IMAGE_PATHS`. */
const IMAGE_DIRECTORIES = new Set(['lib', 'dev', 'proc', 'sys', 'bin', 'usr', 'etc'])
const IMAGE_PATHS = new Set(['/tmp', '/home', '/home/pyodide'])
const ASCII = /^[\0-\x7f]*$/
export const DEFAULT_MOUNT_PATH = '/data'

export function checkMountPath(name: string, path: unknown): string {
  const expected =
    'an absolute path without "." and "..", other than "/" and the directories of Python itself (/lib, /home, /tmp …)'
  if (path === undefined) return DEFAULT_MOUNT_PATH
  if (typeof path !== 'string') throw new InvalidOptionError(name, expected, path)
  const parts = path.replace(/\/$/, '').split('/').slice(1)
  const fits =
    path.startsWith('/') &&
    Buffer.byteLength(path) <= 1000 &&
    !path.includes('\0') &&
    path.isWellFormed() &&
    parts.length > 0 &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 255)
  const normalized = `/${parts.join('/')}`
  if (!fits || IMAGE_DIRECTORIES.has(parts[0] ?? '') || IMAGE_PATHS.has(normalized))
    throw new InvalidOptionError(name, expected, path)
  return normalized
}

/** Converts a path to the byte string that the storage's thread uses. @throws InvalidOptionError, StorageError */
export function bytePath(path: unknown): string {
  // UTF-8 cannot encode lone surrogates, so paths that differ only in those would become the same path.
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0') || !path.isWellFormed())
    throw new InvalidOptionError('path', 'an absolute path without NUL and lone surrogates', path)
  const bytes = Buffer.from(path, 'utf8')
  if (bytes.length > MAX_PATH_LENGTH) throw new StorageError('ENAMETOOLONG', path)
  return bytes.toString('latin1')
}

export function textOf(bytes: string): string {
  // Most names are ASCII, and a listing has thousands of them.
  if (ASCII.test(bytes)) return bytes
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
