// Exports a storage as a tar archive, and imports one. Owns the order of entries, and the rules for untrusted archives: no paths out of the
// storage, only files, directories and links, and no more than fits into the storage. tar.ts owns the format.

import type { ReadableStream } from 'node:stream/web'
import { CancelledError, InvalidOptionError, StorageError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'
import { textOf } from './paths.js'
import { fromParts } from './streams.js'
import { BLOCK_BYTES, entryHead, padding, type TarEntry, TarReader } from './tar.js'
import type { StorageThread } from './thread.js'

/** The bytes of an archive: complete, or in parts of any size. */
export type ArchiveSource = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>

const PART_BYTES = 1024 * 1024
const MODE = 0o777

export function exportTar(
  thread: StorageThread,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  return fromParts(entries(thread), signal)
}

async function* entries(thread: StorageThread): AsyncGenerator<Uint8Array, void> {
  const todo = (await thread.call('list', '/')).reverse().map((name) => `/${name}`)
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const status = await ignoringGone(thread.call('stat', path, false))
    if (status === undefined) continue
    const { kind, mode, modifiedMs, sizeBytes } = status
    const entry = { path: path.slice(1), mode, modifiedMs, target: '', sizeBytes: 0 }
    if (kind === 'directory') {
      yield entryHead({ ...entry, kind })
      const names = (await ignoringGone(thread.call('list', path))) ?? []
      for (const name of names.reverse()) todo.push(`${path}/${name}`)
    } else if (kind === 'symlink') {
      const target = await ignoringGone(thread.call('readlink', path))
      if (target !== undefined) yield entryHead({ ...entry, kind, target })
    } else if (sizeBytes <= PART_BYTES) {
      // Read the file in one request, so that its content is consistent.
      const bytes = await ignoringGone(thread.call('readFile', path))
      if (bytes === undefined) continue
      yield entryHead({ ...entry, kind, sizeBytes: bytes.length })
      if (bytes.length > 0) yield bytes
      yield padding(bytes.length)
    } else yield* largeFile(thread, path, { ...entry, kind })
  }
  yield new Uint8Array(2 * BLOCK_BYTES)
}

/** Exports as many bytes as the file had at the start, even if its size changes meanwhile. */
async function* largeFile(
  thread: StorageThread,
  path: string,
  entry: TarEntry,
): AsyncGenerator<Uint8Array, void> {
  const opened = await ignoringGone(thread.call('open', path, false))
  if (opened === undefined) return
  const { node, sizeBytes } = opened
  try {
    yield entryHead({ ...entry, sizeBytes })
    for (let at = 0; at < sizeBytes; ) {
      const wanted = Math.min(PART_BYTES, sizeBytes - at)
      const part = await thread.call('readAt', node, at, wanted)
      yield part.length > 0 ? part : new Uint8Array(wanted)
      at += part.length > 0 ? part.length : wanted
    }
    yield padding(sizeBytes)
  } finally {
    if (!thread.isClosed) await thread.call('release', node)
  }
}

/** Resolves to undefined if the file was removed since it was listed. */
async function ignoringGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (error instanceof StorageError && ['ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM'].includes(error.reason))
      return undefined
    throw error
  }
}

export async function importTar(
  thread: StorageThread,
  source: ArchiveSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (source === null || typeof source !== 'object')
    throw new InvalidOptionError('source', 'bytes or an iterable of them', source)
  const reader = new TarReader(isUint8Array(source) ? [source] : source)
  /** The archive's directories. Their times and modes are set at the end, when nothing more is created in them. */
  const directories: TarEntry[] = []
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    if (signal?.aborted) throw new CancelledError('interrupted', { cause: signal.reason })
    const path = checkedPath(entry)
    const slash = path.lastIndexOf('/')
    if (slash > 0) await thread.call('mkdir', path.slice(0, slash), true)
    if (entry.kind === 'directory') {
      await thread.call('mkdir', path, true)
      directories.push({ ...entry, path })
    } else if (entry.kind === 'symlink') await thread.call('symlink', entry.target, path)
    else {
      await file(thread, path, entry, reader)
      await thread.call('setStatus', path, entry.mode & MODE, entry.modifiedMs)
    }
  }
  for (const { path, mode, modifiedMs } of directories.reverse()) {
    if (path !== '/') await thread.call('setStatus', path, mode & MODE, modifiedMs)
  }
}

async function file(
  thread: StorageThread,
  path: string,
  { sizeBytes }: TarEntry,
  reader: TarReader,
): Promise<void> {
  const { node } = await thread.call('open', path, true)
  try {
    for (let at = 0; at < sizeBytes; ) {
      const part = await reader.read(Math.min(PART_BYTES, sizeBytes - at))
      await thread.call('writeAt', node, at, part)
      at += part.length
    }
  } finally {
    await thread.call('release', node)
  }
}

/** Returns an entry's path as an absolute byte string. */
function checkedPath({ path }: TarEntry): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0') || path.length > 4000)
    throw new StorageError('EINVAL', textOf(path), 'the archive has a path that leads out of it')
  return `/${parts.join('/')}`
}
