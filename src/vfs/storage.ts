// VfsStorage: files outside of any session, with an API for the host. Owns the public methods and their options. The data is in a thread of
// its own (thread.ts), which sessions reach without going through this thread (H1).

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import { isBoolean, isSignal, isText, known, numberOption } from '../options/check.js'
import type { Bytes } from '../shared/bytes.js'
import { InvalidOptionError } from '../shared/errors.js'
import type { StorageKind } from '../shared/messages/storage.js'
import { type ArchiveSource, exportTar, importTar } from './archive.js'
import {
  type FileOptions,
  fileData,
  type ReadFileOptions,
  readFileOptions,
  type StorageStatus,
  statusOf,
  withSignal,
} from './file-methods.js'
import { bytePath, textOf } from './paths.js'
import { readStream, writeStream } from './streams.js'
import { type Connection, StorageThread } from './thread.js'
import { type StorageChange, watch } from './watch.js'

export type { FileOptions, StorageStatus }

export interface StorageOptions {
  /** Limit in bytes for all files together, holes included. Beyond it, Python gets OSError ENOSPC. Default 64 MiB. */
  readonly maxBytes?: number
}

export interface DirectoryOptions {
  /** Reject all changes by sessions and by the host's methods, with EROFS. Default false. */
  readonly readOnly?: boolean
}

const MiB = 1024 * 1024
const maxBytesOption = numberOption({ min: 0, max: 2 ** 40, unit: 'bytes', integer: true })

/**
 * Files that any number of sessions can share at the same time, and that outlive them. `createSession({ vfs })` mounts the storage at
 * `/data` (`vfsMountPath`). Once a write returns, every later read in any session sees it. All paths are absolute within the storage. Every
 * method rejects with StorageError when the operation fails, and with CancelledError when its signal aborts.
 */
export class VfsStorage implements AsyncDisposable {
  readonly #thread: StorageThread
  /** Limit in bytes for all files together; null for a directory of the host, which is limited only by its disk. */
  readonly maxBytes: number | null

  /**
   * Creates a storage in memory.
   *
   * @throws InvalidOptionError
   */
  constructor(options?: StorageOptions)
  /** @internal For `VfsStorage.directory`. */
  constructor(options: StorageOptions, directory: Extract<StorageKind, { kind: 'directory' }>)
  constructor(options: StorageOptions = {}, directory?: Extract<StorageKind, { kind: 'directory' }>) {
    known('options', options, ['maxBytes'])
    const maxBytes = maxBytesOption('maxBytes', options.maxBytes, 64 * MiB)
    this.maxBytes = directory ? null : maxBytes
    this.#thread = new StorageThread(directory ?? { kind: 'memory', maxBytes })
  }

  /**
   * Creates a storage that serves a directory of the host. Nothing outside of the directory can be reached: links are followed within a
   * session's own tree and never by the operating system, and only files, directories and links are served. Sessions see changes that other
   * programs make to the directory.
   *
   * @throws InvalidOptionError
   */
  static directory(hostPath: string, options: DirectoryOptions = {}): VfsStorage {
    known('options', options, ['readOnly'])
    const path = isText('hostPath', hostPath, { maxLength: 4096 })
    if (path === undefined) throw new InvalidOptionError('hostPath', 'a path', hostPath)
    const readOnly = isBoolean('readOnly', options.readOnly) ?? false
    requireDirectory(path)
    return new VfsStorage({}, { kind: 'directory', hostPath: resolve(path), readOnly })
  }

  /**
   * Creates a storage in memory with the contents of a tar archive (ustar, pax or GNU), such as one from `export`. The archive is treated
   * as untrusted input: paths that lead out of it, entries other than files, directories and symbolic links, and contents of more than
   * `maxBytes` are rejected.
   *
   * @throws StorageError of reason EINVAL, ENOSPC
   */
  static async import(
    source: ArchiveSource,
    options: StorageOptions & FileOptions = {},
  ): Promise<VfsStorage> {
    const { signal, ...rest } = options
    const storage = new VfsStorage(rest)
    try {
      await importTar(storage.#thread, source, isSignal('signal', signal))
      return storage
    } catch (error) {
      await storage.close()
      throw error
    }
  }

  /** Reads a file as bytes, or as text in one of Buffer's encodings. */
  readFile(path: string, options?: FileOptions & { readonly encoding?: undefined }): Promise<Bytes>
  readFile(
    path: string,
    options: BufferEncoding | (FileOptions & { readonly encoding: BufferEncoding }),
  ): Promise<string>
  async readFile(path: string, options: BufferEncoding | ReadFileOptions = {}): Promise<Bytes | string> {
    const { rest, answer } = readFileOptions(options)
    return answer(await withSignal(rest, () => this.#thread.call('readFile', bytePath(path))))
  }

  /** Creates the file or replaces its content, atomically for all readers. */
  async writeFile(path: string, data: Uint8Array | string, options: FileOptions = {}): Promise<void> {
    const own = fileData(data)
    await withSignal(options, () => this.#thread.call('writeFile', bytePath(path), own))
  }

  /**
   * Lists the names in a directory, sorted. In names that are not valid UTF-8, which Python may use, the invalid bytes become U+FFFD. The
   * host cannot access such files by path; `remove` of their directory with `recursive` removes them.
   */
  async list(path: string, options: FileOptions = {}): Promise<string[]> {
    const names = await withSignal(options, () => this.#thread.call('list', bytePath(path)))
    return names.map(textOf)
  }

  /** Returns the status of a file, directory or link. Follows links, unless `followLinks` is false. */
  async stat(
    path: string,
    options: FileOptions & { readonly followLinks?: boolean } = {},
  ): Promise<StorageStatus> {
    const { followLinks, ...rest } = options
    const follow = isBoolean('followLinks', followLinks) ?? true
    return statusOf(await withSignal(rest, () => this.#thread.call('stat', bytePath(path), follow)))
  }

  /**
   * Removes a file, a link or an empty directory. With `recursive`, also a directory with everything in it, however deep. `/` with
   * `recursive` empties the storage.
   */
  async remove(path: string, options: FileOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    const { recursive, ...rest } = options
    const all = isBoolean('recursive', recursive) ?? false
    await withSignal(rest, () => this.#thread.call('remove', bytePath(path), all))
  }

  /** Moves a file, link or directory. Replaces a file or an empty directory at `to`. */
  async rename(from: string, to: string, options: FileOptions = {}): Promise<void> {
    await withSignal(options, () => this.#thread.call('rename', bytePath(from), bytePath(to)))
  }

  /** Creates a directory. With `recursive`, also creates missing parents, and does not fail if the directory exists. */
  async mkdir(path: string, options: FileOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    const { recursive, ...rest } = options
    const all = isBoolean('recursive', recursive) ?? false
    await withSignal(rest, () => this.#thread.call('mkdir', bytePath(path), all))
  }

  /** Bytes of all files, holes included. For a directory of the host, they are counted on each access. */
  get usedBytes(): Promise<number> {
    return this.#thread.call('usedBytes')
  }

  /** Reads a large file in parts, each when the consumer asks for it. */
  createReadStream(path: string, options: FileOptions = {}): ReadableStream<Uint8Array> {
    return readStream(this.#thread, bytePath(path), isSignal('signal', options.signal))
  }

  /** Creates or empties the file at once, then writes each part as it arrives. */
  createWriteStream(path: string, options: FileOptions = {}): WritableStream<Uint8Array> {
    return writeStream(this.#thread, bytePath(path), isSignal('signal', options.signal))
  }

  /**
   * Exports all files as a tar archive (pax), in parts that are created when the consumer asks for them. Each file is exported as it is at
   * that time, so the archive may or may not contain changes that sessions make meanwhile.
   */
  export(options: FileOptions = {}): ReadableStream<Uint8Array> {
    return exportTar(this.#thread, isSignal('signal', options.signal))
  }

  /**
   * Adds the contents of a tar archive, and replaces existing files. Treats the archive as `VfsStorage.import` does. Files that were added
   * before an error stay.
   *
   * @throws StorageError of reason EINVAL, ENOSPC
   */
  async extract(source: ArchiveSource, options: FileOptions = {}): Promise<void> {
    known('options', options, ['signal'])
    await importTar(this.#thread, source, isSignal('signal', options.signal))
  }

  /** Reports changes by sessions and by the host from now on. In a directory of the host, changes by other programs are not reported. */
  watch(options: FileOptions = {}): AsyncIterableIterator<StorageChange> {
    known('options', options, ['signal'])
    return watch(this.#thread, isSignal('signal', options.signal))
  }

  /** Ends the storage's thread. Files in memory are lost. Sessions that have it mounted get OSError EIO for every access. Idempotent. */
  close(): Promise<void> {
    return this.#thread.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get isClosed(): boolean {
    return this.#thread.isClosed
  }

  /** @internal */
  connect(): Connection {
    return this.#thread.connect()
  }
}

/** @throws InvalidOptionError unless the path is that of a directory */
function requireDirectory(path: string): void {
  let fault: string
  try {
    if (statSync(path).isDirectory()) return
    fault = 'is not a directory'
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const known = { ENOENT: 'does not exist; make it first', ENOTDIR: 'leads through a file' }
    fault = known[code as keyof typeof known] ?? `cannot be read (${code})`
  }
  const shown = JSON.stringify(path.slice(0, 200))
  const message = `hostPath: expected the path of a directory, but ${shown} ${fault}`
  throw new InvalidOptionError('hostPath', 'the path of a directory', path, message)
}
