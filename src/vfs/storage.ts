// VfsStorage: files that live outside any session, with a side for the host. Owns the public methods and their options; the data is
// in a thread of its own (thread.ts), sessions reach it without this thread (H1).

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
  /** Most bytes of all files together, holes included; past it Python gets OSError ENOSPC. Default 64 MiB. */
  readonly maxBytes?: number
}

export interface DirectoryOptions {
  /** Sessions and the host's methods change nothing: EROFS. Default false. */
  readonly readOnly?: boolean
}

const MiB = 1024 * 1024
const maxBytesOption = numberOption({ min: 0, max: 2 ** 40, unit: 'bytes', integer: true })

/**
 * Files that any number of sessions share, at the same time, and that outlive them. `createSession({ vfs })` mounts it at `/data`
 * (`vfsMountPath`). What a write has returned from, every read that begins later sees. All paths are absolute within the
 * storage. Every method rejects with StorageError when the file system says no, and with CancelledError for its signal.
 */
export class VfsStorage implements AsyncDisposable {
  readonly #thread: StorageThread
  /** Most bytes it takes; null for a directory of the host, which has what its disk has. */
  readonly maxBytes: number | null

  /**
   * In memory.
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
   * A directory of the host. Nothing outside of it can be reached: links are followed inside a session's own tree and never by
   * the operating system, and only files, directories and links are served. Changes that others make to it are seen.
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
   * A storage in memory with what a tar archive holds (ustar, pax or GNU), as `export` makes it. The archive is believed nothing:
   * paths that lead out, links and files of other kinds than a storage has, and more than `maxBytes` are refused.
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

  /** A file as bytes, or as text in an encoding of Buffer's. */
  readFile(path: string, options?: FileOptions & { readonly encoding?: undefined }): Promise<Bytes>
  readFile(
    path: string,
    options: BufferEncoding | (FileOptions & { readonly encoding: BufferEncoding }),
  ): Promise<string>
  async readFile(path: string, options: BufferEncoding | ReadFileOptions = {}): Promise<Bytes | string> {
    const { rest, answer } = readFileOptions(options)
    return answer(await withSignal(rest, () => this.#thread.call('readFile', bytePath(path))))
  }

  /** Makes the file or replaces what is in it, at once for everyone who reads it. */
  async writeFile(path: string, data: Uint8Array | string, options: FileOptions = {}): Promise<void> {
    const own = fileData(data)
    await withSignal(options, () => this.#thread.call('writeFile', bytePath(path), own))
  }

  /**
   * Names in a directory, sorted. Python may use names that are not UTF-8: their invalid bytes are shown as U+FFFD, and the host cannot
   * access them by path. `remove` of their directory with `recursive` removes them.
   */
  async list(path: string, options: FileOptions = {}): Promise<string[]> {
    const names = await withSignal(options, () => this.#thread.call('list', bytePath(path)))
    return names.map(textOf)
  }

  /** What a path leads to; with `followLinks: false`, of a link itself. */
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

  /** Moves what is at `from`, replacing a file or an empty directory at `to`. */
  async rename(from: string, to: string, options: FileOptions = {}): Promise<void> {
    await withSignal(options, () => this.#thread.call('rename', bytePath(from), bytePath(to)))
  }

  /** With `recursive` also what is missing above it, and no error if it is there. */
  async mkdir(path: string, options: FileOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    const { recursive, ...rest } = options
    const all = isBoolean('recursive', recursive) ?? false
    await withSignal(rest, () => this.#thread.call('mkdir', bytePath(path), all))
  }

  /** Bytes of its files, holes included. Of a directory of the host they are counted when it is asked. */
  get usedBytes(): Promise<number> {
    return this.#thread.call('usedBytes')
  }

  /** A large file in parts, read as they are taken. */
  createReadStream(path: string, options: FileOptions = {}): ReadableStream<Uint8Array> {
    return readStream(this.#thread, bytePath(path), isSignal('signal', options.signal))
  }

  /** Makes the file or empties it at once, and writes parts as they come. */
  createWriteStream(path: string, options: FileOptions = {}): WritableStream<Uint8Array> {
    return writeStream(this.#thread, bytePath(path), isSignal('signal', options.signal))
  }

  /**
   * All of it as a tar archive (pax), in parts that are made as they are taken. Each file is as it was when its turn came: what
   * sessions change meanwhile may be in it or not.
   */
  export(options: FileOptions = {}): ReadableStream<Uint8Array> {
    return exportTar(this.#thread, isSignal('signal', options.signal))
  }

  /**
   * Adds what a tar archive holds, and replaces files that are there. The archive is read as `VfsStorage.import` reads it. What was added before
   * an error stays.
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

  /** Ends its thread. What is in memory is gone; in sessions that have it mounted every use of it is OSError EIO. Idempotent. */
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

/** @throws InvalidOptionError that says what is wrong */
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
