// The API of a session's private files: the methods of a VfsStorage, on the files that Python sees. Owns the validation of arguments and
// the form of answers; the operations run in the session's slot (workers/slot/file-calls.ts).

import { type ReadableStream, WritableStream } from 'node:stream/web'
import { setImmediate } from 'node:timers/promises'
import { isBoolean, isSignal, known, numberOption } from '../options/check.js'
import type { Bytes } from '../shared/bytes.js'
import { CancelledError, InvalidOptionError, StorageError } from '../shared/errors.js'
import type { FileAnswer, FileRequest } from '../shared/messages/slot.js'
import { isUint8Array } from '../shared/realms.js'
import { messageBytes } from '../vfs/bytes.js'
import { fileData, type ReadFileOptions, readFileOptions, statusOf, withSignal } from '../vfs/file-methods.js'
import { bytePath, textOf } from '../vfs/paths.js'
import type { FileOptions, StorageStatus } from '../vfs/storage.js'
import { fromParts } from '../vfs/streams.js'

const PART_BYTES = 1024 * 1024

/** Names that are decoded in one turn of the event loop, because a directory can have millions. */
const NAMES_PER_TURN = 5000

const position = numberOption({ min: 0, max: Number.MAX_SAFE_INTEGER, integer: true })

/** Runs a request in the session's slot; wakes the session if it is dormant. */
export interface FileDoor {
  /** Where a VfsStorage is mounted. */
  readonly mountPath: string | undefined
  /** @throws the StorageError that `fail` creates; else what calls of the session throw */
  run(request: FileRequest, changesFiles: boolean, fail: (code: string) => Error): Promise<FileAnswer>
}

/**
 * A session's private files, with the methods of `VfsStorage`. Paths are absolute, as in Python. A call waits for the session's earlier
 * calls. During an execution, it is served while the execution awaits, so a callback can read what the code has written. A dormant session
 * wakes for the call. Files that these methods write are not in `result.files`.
 *
 * Every method rejects with StorageError when the operation fails (with ENOSPC beyond `limits.fileBytes`), with CancelledError when its
 * signal aborts, and with what `execute` throws if the session cannot be woken.
 */
export class SessionFiles {
  readonly #door: FileDoor

  /** @internal */
  constructor(door: FileDoor) {
    this.#door = door
  }

  /** Reads a file as bytes, or as text in one of Buffer's encodings. */
  readFile(path: string, options?: FileOptions & { readonly encoding?: undefined }): Promise<Bytes>
  readFile(
    path: string,
    options: BufferEncoding | (FileOptions & { readonly encoding: BufferEncoding }),
  ): Promise<string>
  async readFile(path: string, options: BufferEncoding | ReadFileOptions = {}): Promise<Bytes | string> {
    const { rest, answer } = readFileOptions(options)
    const { bytes } = await this.#call('readFile', 'open', rest, path)
    if (bytes === null) throw new Error('unreachable: a file without bytes')
    return answer(bytes)
  }

  /** Creates the file or replaces its content. */
  async writeFile(path: string, data: Uint8Array | string, options: FileOptions = {}): Promise<void> {
    await this.#call('writeFile', 'open', options, path, fileData(data))
  }

  /** Lists the names in a directory, sorted. Bytes of names that are not valid UTF-8 become U+FFFD. */
  async list(path: string, options: FileOptions = {}): Promise<string[]> {
    const { names } = await this.#call('list', 'scandir', options, path)
    return names === null || names === '' ? [] : namesOf(names)
  }

  /** Returns the status of a file, directory or link. Follows links, unless `followLinks` is false. */
  async stat(
    path: string,
    options: FileOptions & { readonly followLinks?: boolean } = {},
  ): Promise<StorageStatus> {
    const { followLinks, ...rest } = options
    const follow = isBoolean('followLinks', followLinks) ?? true
    const { status } = await this.#call('stat', 'stat', rest, path, follow)
    if (status === null) throw new Error('unreachable: a file without a status')
    return statusOf(status)
  }

  /** Removes a file, a link or an empty directory. With `recursive`, also a directory with everything in it. */
  async remove(path: string, options: FileOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    const { recursive, ...rest } = options
    const all = isBoolean('recursive', recursive) ?? false
    // The root contains everything, including Python's own files.
    if (/^\/+$/.test(path)) throw this.#error('EBUSY', 'rm', path)
    await this.#call('remove', 'rm', rest, path, all)
  }

  /** Moves a file, link or directory. Replaces a file or an empty directory at `to`. */
  async rename(from: string, to: string, options: FileOptions = {}): Promise<void> {
    this.#requirePrivate('rename', to)
    await this.#call('rename', 'rename', options, from, bytePath(to))
  }

  /** Creates a directory. With `recursive`, also creates missing parents, and does not fail if the directory exists. */
  async mkdir(path: string, options: FileOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    const { recursive, ...rest } = options
    await this.#call('mkdir', 'mkdir', rest, path, isBoolean('recursive', recursive) ?? false)
  }

  /**
   * Reads a large file in parts, each when the consumer asks for it. The session may go dormant between two parts. Reads the bytes from
   * `start` up to but not including `end`; default: all.
   */
  createReadStream(
    path: string,
    options: FileOptions & { readonly start?: number; readonly end?: number } = {},
  ): ReadableStream<Uint8Array> {
    known('options', options, ['signal', 'start', 'end'])
    const start = position('start', options.start, 0)
    const end = position('end', options.end, Number.MAX_SAFE_INTEGER)
    return fromParts(this.#parts(path, start, end), isSignal('signal', options.signal))
  }

  /** Creates or empties the file at once, then writes each part as it arrives. */
  createWriteStream(path: string, options: FileOptions = {}): WritableStream<Uint8Array> {
    const signal = isSignal('signal', options.signal)
    const bytes = bytePath(path)
    const run = (node: number, position: number, part: Uint8Array) =>
      this.#run({ name: 'writePart', path: bytes, node, position, bytes: part }, 'write', path)
    let node = 0
    let position = 0
    return new WritableStream<Uint8Array>({
      start: async () => {
        ;({ node } = await run(0, 0, new Uint8Array(0)))
      },
      write: async (chunk) => {
        if (!isUint8Array(chunk)) throw new InvalidOptionError('chunk', 'a Uint8Array', chunk)
        for (let at = 0; at < chunk.length; at += PART_BYTES) {
          if (signal?.aborted) throw new CancelledError('interrupted', { cause: signal.reason })
          const part = messageBytes('chunk', chunk, at, Math.min(at + PART_BYTES, chunk.length))
          await run(node, position, part)
          position += part.length
        }
      },
    })
  }

  async *#parts(path: string, start: number, end: number): AsyncGenerator<Uint8Array, void> {
    const bytes = bytePath(path)
    // The first read opens the file, so it is made even for an empty range.
    for (let node = 0, position = start; node === 0 || position < end; ) {
      const length = Math.max(0, Math.min(PART_BYTES, end - position))
      const request = { name: 'readPart', path: bytes, node, position, length } as const
      const answer = await this.#run(request, node === 0 ? 'open' : 'read', path)
      node = answer.node
      const part = answer.bytes ?? new Uint8Array(0)
      if (part.length === 0) return
      position += part.length
      yield part
    }
  }

  #call(
    name: Exclude<FileRequest['name'], 'readPart' | 'writePart'>,
    syscall: string,
    options: FileOptions,
    path: string,
    ...parameters: readonly unknown[]
  ): Promise<FileAnswer> {
    return withSignal(options, () => {
      const request: FileRequest = { name, parameters: [bytePath(path), ...parameters] }
      const dest = name === 'rename' ? textOf(parameters[0] as string) : undefined
      return this.#run(request, syscall, path, dest)
    })
  }

  async #run(request: FileRequest, syscall: string, path: string, dest?: string): Promise<FileAnswer> {
    this.#requirePrivate(syscall, path)
    const changes = !['readFile', 'readPart', 'list', 'stat'].includes(request.name)
    return this.#door.run(request, changes, (code) => this.#error(code, syscall, path, dest))
  }

  #requirePrivate(syscall: string, path: string): void {
    const { mountPath } = this.#door
    if (mountPath === undefined || typeof path !== 'string') return
    if (path !== mountPath && !path.startsWith(`${mountPath}/`)) return
    throw this.#error('EXDEV', syscall, path)
  }

  #error(code: string, syscall: string, path: string, dest?: string): StorageError {
    // Private files are on one device. A path without the mount path can still lead into the storage, through a link that Python made.
    const detail =
      code === 'EXDEV' ? 'the path is in the VfsStorage that is mounted there; use its methods' : undefined
    return new StorageError(code, path, detail, { syscall, dest })
  }
}

/** Splits names that are joined by `/`. */
async function namesOf(joined: string): Promise<string[]> {
  const names: string[] = []
  for (let at = 0; at <= joined.length; ) {
    const end = joined.indexOf('/', at)
    const next = end < 0 ? joined.length : end
    names.push(textOf(joined.slice(at, next)))
    at = next + 1
    if (names.length % NAMES_PER_TURN === 0) await setImmediate()
  }
  return names
}
