// LibreChat's files in a session: everything below /mnt/data, where LibreChat tells models to keep files. Owns their names and ids.
import { createHash, randomBytes } from 'node:crypto'
import { dirname, extname, join, posix } from 'node:path/posix'
import type { SessionFiles } from '../../session/session-files.js'
import { StorageError } from '../../shared/errors.js'
import { ApiError } from './api-error.js'

export const DATA = '/mnt/data'
/** The form of nanoid's ids: LibreChat refuses to download files with other ids. */
const ID = /^[A-Za-z0-9_-]{21}$/
const ID_LENGTH = 21
const MAX_FILES = 1000
const MAX_NAME_LENGTH = 1024
const MAX_DEPTH = 32

export interface DataFile {
  readonly id: string
  /** The file's path below /mnt/data. */
  readonly name: string
  readonly sizeBytes: number
  readonly modifiedAt: Date
}

export function newId(): string {
  return randomBytes(ID_LENGTH).toString('base64url').slice(0, ID_LENGTH)
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value)
}

/** Computed from the name alone: it is the same in every session, so it does not have to be stored. */
export function idOfFile(name: string): string {
  return createHash('sha256').update(name).digest('base64url').slice(0, ID_LENGTH)
}

/** Turns whatever a client or a model calls the file into a path below /mnt/data. @throws ApiError */
export function dataName(name: unknown): string {
  if (
    typeof name !== 'string' ||
    name.length > MAX_NAME_LENGTH ||
    !name.isWellFormed() ||
    name.includes('\0')
  )
    throw new ApiError(400, `a file name must be text of at most ${MAX_NAME_LENGTH} characters`)
  const path = posix.normalize(`/${name.replaceAll('\\', '/')}`).slice(1)
  if (path === '' || path.endsWith('/')) throw new ApiError(400, `${JSON.stringify(name)} is not a file name`)
  return path
}

/** The name of an object in an object store, which LibreChat splits: `SESSION/FILE.ext`. */
export function objectName(session: string, { id, name }: Pick<DataFile, 'id' | 'name'>): string {
  return `${session}/${id}${extname(name)}`
}

export async function writeData(
  files: SessionFiles,
  name: string,
  bytes: Uint8Array | string,
  signal?: AbortSignal,
): Promise<void> {
  const path = join(DATA, name)
  await files.mkdir(dirname(path), { recursive: true, ...(signal && { signal }) })
  await files.writeFile(path, bytes, signal && { signal })
}

/** Up to 1,000 files, by name. */
export async function dataFiles(files: SessionFiles): Promise<DataFile[]> {
  const found: DataFile[] = []
  const walk = async (directory: string, depth: number): Promise<void> => {
    for (const entry of await namesIn(files, directory)) {
      if (found.length >= MAX_FILES) return
      const path = join(directory, entry)
      const status = await statusOf(files, path)
      const name = path.slice(DATA.length + 1)
      if (status?.kind === 'directory' && depth < MAX_DEPTH) await walk(path, depth + 1)
      else if (status?.kind === 'file')
        found.push({
          ...{ id: idOfFile(name), name },
          ...{ sizeBytes: status.sizeBytes, modifiedAt: status.modifiedAt },
        })
    }
  }
  await walk(DATA, 0)
  return found
}

async function namesIn(files: SessionFiles, directory: string): Promise<string[]> {
  try {
    return await files.list(directory)
  } catch (error) {
    // Python can remove the directory meanwhile.
    if (error instanceof StorageError) return []
    throw error
  }
}

async function statusOf(files: SessionFiles, path: string) {
  try {
    // Links are not followed, so they do not count as files.
    return await files.stat(path, { followLinks: false })
  } catch (error) {
    // There is no way to look up a name that is not UTF-8.
    if (error instanceof StorageError) return undefined
    throw error
  }
}
