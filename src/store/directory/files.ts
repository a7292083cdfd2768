// Files of a DirectoryStore: a write returns only when the file is on the disk, and a read reads the whole file. Owns modes, flushing, and
// the size of slices, between which the main thread is free.
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Hashing this much takes a few milliseconds. */
const SLICE_BYTES = 2 ** 20

export const FILE_MODE = 0o600
export const FOLDER_MODE = 0o700

/** Writes a new file and flushes it. Fails with EEXIST if the file exists. Returns the SHA-256 of the bytes. */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<string> {
  const file = await open(path, 'wx', FILE_MODE)
  try {
    return await writeAndFlush(file, bytes)
  } finally {
    await file.close()
  }
}

export async function writeAndFlush(file: FileHandle, bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; ) {
    const slice = bytes.subarray(at, at + SLICE_BYTES)
    hash.update(slice)
    for (let done = 0; done < slice.length; )
      done += (await file.write(slice, done, slice.length - done)).bytesWritten
    at += slice.length
  }
  await file.sync()
  return hash.digest('hex')
}

/** Reads at most `sizeBytes`; the result is shorter if the file is. */
export async function readFileOf(
  path: string,
  sizeBytes: number,
): Promise<{ readonly bytes: Uint8Array; readonly isLonger: boolean; readonly sha256: string }> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    // Never allocate more than the file's size, whatever its record claims.
    const bytes = new Uint8Array(Math.min(size, sizeBytes))
    const hash = createHash('sha256')
    let length = 0
    while (length < bytes.length) {
      const { bytesRead } = await file.read(
        bytes,
        length,
        Math.min(SLICE_BYTES, bytes.length - length),
        length,
      )
      if (bytesRead === 0) break
      hash.update(bytes.subarray(length, length + bytesRead))
      length += bytesRead
    }
    return { bytes: bytes.subarray(0, length), isLonger: size > sizeBytes, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}

/** Makes sure that files created, renamed or removed in a folder survive a loss of power. Windows has no such call, and needs none. */
export async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Creates a folder and its missing parents, and flushes the folders in which they were created. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE })
  if (first === undefined) return
  for (let folder = path; ; folder = dirname(folder)) {
    await flushFolder(dirname(folder))
    if (folder === first || folder === dirname(folder)) return
  }
}

/** Names in a folder; undefined if it does not exist. */
export async function namesIn(path: string): Promise<string[] | undefined> {
  return await unless('ENOENT', () => readdir(path))
}

export async function removeFile(path: string): Promise<void> {
  await unless('ENOENT', () => unlink(path))
}

/** Runs a call. Returns undefined if it fails with one of these errno codes. */
export async function unless<T>(
  codes: string | readonly string[],
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    if ([codes].flat().includes(errnoOf(error))) return undefined
    throw error
  }
}

export function errnoOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : ''
}
