// `sandbox.files`: E2B's methods. In the home directory they work on the files that all contexts share, elsewhere on those of the first
// context. Owns paths and the form of answers.
import { Buffer } from 'node:buffer'
import { posix } from 'node:path'
import { ReadableStream } from 'node:stream/web'
import type { SessionFiles } from '../session/session-files.js'
import { StorageError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'
import { VfsStorage } from '../vfs/storage.js'
import { InvalidArgumentError, withSandboxErrors } from './errors.js'
import {
  type EntryInfo,
  entryOf,
  type FileData,
  type FilesystemRequestOpts,
  type WriteEntry,
  type WriteInfo,
} from './file-info.js'
import { HOME } from './home.js'
import type { Machine, Opened } from './machine.js'
import { DEFAULT_CONTEXT } from './record.js'
import { WatchHandle, type WatchOpts } from './watch-handle.js'

type Files = SessionFiles | VfsStorage
interface Formats {
  text: string
  bytes: Uint8Array
  blob: Blob
  stream: ReadableStream<Uint8Array>
}
type ReadFormat = keyof Formats

export class Filesystem {
  readonly #machine: () => Promise<Machine>

  /** @internal */
  constructor(machine: () => Promise<Machine>) {
    this.#machine = machine
  }

  /** Relative paths are in the home directory. */
  read(path: string, opts?: FilesystemRequestOpts & { format?: 'text' }): Promise<string>
  read(path: string, opts?: FilesystemRequestOpts & { format: 'bytes' }): Promise<Uint8Array>
  read(path: string, opts?: FilesystemRequestOpts & { format: 'blob' }): Promise<Blob>
  read(
    path: string,
    opts?: FilesystemRequestOpts & { format: 'stream' },
  ): Promise<globalThis.ReadableStream<Uint8Array>>
  read(path: string, opts: FilesystemRequestOpts & { format?: ReadFormat } = {}): Promise<unknown> {
    const { format = 'text' } = opts
    return this.#at(path, opts, async (files, at, options) => {
      if (format === 'stream') {
        // Fails now if the file does not exist, as the request of E2B's SDK does.
        await files.stat(at, options)
        return files.createReadStream(at, options)
      }
      const bytes = await files.readFile(at, options)
      if (format === 'bytes') return bytes
      if (format === 'blob') return new Blob([bytes])
      if (format === 'text') return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
      throw new InvalidArgumentError(
        `format: expected text, bytes, blob or stream, got ${JSON.stringify(format)}`,
      )
    })
  }

  /** Also creates missing parent directories. */
  write(path: string, data: FileData, opts?: FilesystemRequestOpts): Promise<WriteInfo>
  write(files: WriteEntry[], opts?: FilesystemRequestOpts): Promise<WriteInfo[]>
  write(
    first: string | WriteEntry[],
    second?: FileData | FilesystemRequestOpts,
    third?: FilesystemRequestOpts,
  ): Promise<WriteInfo | WriteInfo[]> {
    if (Array.isArray(first)) return this.writeFiles(first, second as FilesystemRequestOpts)
    return this.#write({ path: first, data: second as FileData }, third)
  }

  async writeFiles(files: WriteEntry[], opts?: FilesystemRequestOpts): Promise<WriteInfo[]> {
    const written: WriteInfo[] = []
    for (const file of files) written.push(await this.#write(Object(file) as WriteEntry, opts))
    return written
  }

  /** Lists a directory, and those below it down to `depth`; default 1. */
  list(path: string, opts: FilesystemRequestOpts & { depth?: number } = {}): Promise<EntryInfo[]> {
    const { depth = 1 } = opts
    if (!(depth >= 1)) throw new InvalidArgumentError('depth should be at least one')
    return this.#at(path, opts, async (files, at, options) => {
      const whole = absolute(path)
      const walk = async (below: string, left: number): Promise<EntryInfo[]> => {
        const entries: EntryInfo[] = []
        for (const name of await files.list(posix.join(at, below), options)) {
          const inner = posix.join(below, name)
          const status = await files.stat(posix.join(at, inner), { ...options, followLinks: false })
          entries.push(entryOf(posix.join(whole, inner), status))
          if (status.kind === 'directory' && left > 1) entries.push(...(await walk(inner, left - 1)))
        }
        return entries
      }
      return walk('', depth)
    })
  }

  /** Resolves to whether the directory was created; false if there was such a directory already. */
  makeDir(path: string, opts?: FilesystemRequestOpts): Promise<boolean> {
    return this.#at(path, opts, async (files, at, options) => {
      const isThere = await files.stat(at, options).then(({ kind }) => kind === 'directory', isMissing)
      await files.mkdir(at, { ...options, recursive: true })
      return !isThere
    })
  }

  /** Both paths must be inside the home directory, or both outside. */
  rename(oldPath: string, newPath: string, opts?: FilesystemRequestOpts): Promise<EntryInfo> {
    return this.#at(oldPath, opts, async (files, from, options) => {
      const to = absolute(newPath)
      if (isInHome(to) !== files instanceof VfsStorage)
        throw new InvalidArgumentError(`only copying is possible between ${HOME} and other directories`)
      const inner = innerPath(to)
      await files.rename(from, inner, options)
      return entryOf(to, await files.stat(inner, { ...options, followLinks: false }))
    })
  }

  /** Removes a file, or a directory with everything in it. */
  remove(path: string, opts?: FilesystemRequestOpts): Promise<void> {
    return this.#at(path, opts, async (files, at, options) => {
      await files.remove(at, { ...options, recursive: true }).catch(isMissing)
    })
  }

  exists(path: string, opts?: FilesystemRequestOpts): Promise<boolean> {
    return this.#at(path, opts, (files, at, options) => files.stat(at, options).then(() => true, isMissing))
  }

  getInfo(path: string, opts?: FilesystemRequestOpts): Promise<EntryInfo> {
    return this.#at(path, opts, async (files, at, options) =>
      entryOf(absolute(path), await files.stat(at, { ...options, followLinks: false })),
    )
  }

  /**
   * Reports changes in a directory of the home directory; with `recursive`, also those below it. Ends after a minute by default.
   *
   * @throws InvalidArgumentError for a directory outside of the home directory
   */
  watchDir(
    path: string,
    onEvent: ConstructorParameters<typeof WatchHandle>[2],
    opts: WatchOpts & FilesystemRequestOpts = {},
  ): Promise<WatchHandle> {
    return this.#at(path, opts, async (files, at) => {
      if (!(files instanceof VfsStorage))
        throw new InvalidArgumentError(`only directories in ${HOME} can be watched`)
      if ((await files.stat(at)).kind !== 'directory')
        throw new InvalidArgumentError(`${absolute(path)} is not a directory`)
      return new WatchHandle(files, at, onEvent, opts)
    })
  }

  #write({ path, data }: WriteEntry, opts?: FilesystemRequestOpts): Promise<WriteInfo> {
    return this.#at(path, opts, async (files, at, options) => {
      await files.mkdir(posix.dirname(at), { ...options, recursive: true })
      if (data instanceof ReadableStream) await data.pipeTo(files.createWriteStream(at, options), options)
      else await files.writeFile(at, await bytesOf(data), options)
      const whole = absolute(path)
      return { name: posix.basename(whole), type: 'file', path: whole }
    })
  }

  #at<T>(
    path: string,
    { signal }: FilesystemRequestOpts = {},
    task: (files: Files, at: string, options: { signal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    return withSandboxErrors(async () => {
      const whole = absolute(path)
      const machine = await this.#machine()
      const filesOf = async (opened: Opened) =>
        isInHome(whole) ? opened.home.storage : (await machine.session(opened, DEFAULT_CONTEXT)).files
      return machine.use(async (opened) =>
        task(await filesOf(opened), innerPath(whole), signal === undefined ? {} : { signal }),
      )
    })
  }
}

function absolute(path: string): string {
  if (typeof path !== 'string' || path === '') throw new InvalidArgumentError('path: expected a path')
  return posix.resolve(HOME, path.replace(/^~(?=\/|$)/, HOME))
}

function isInHome(path: string): boolean {
  return path === HOME || path.startsWith(`${HOME}/`)
}

/** The path as the storage or session that has the file names it. */
function innerPath(path: string): string {
  return isInHome(path) ? path.slice(HOME.length) || '/' : path
}

async function bytesOf(data: Exclude<FileData, ReadableStream>): Promise<Uint8Array | string> {
  if (typeof data === 'string' || isUint8Array(data)) return data
  if (data instanceof Blob) return new Uint8Array(await data.arrayBuffer())
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  throw new InvalidArgumentError('data: expected a string, an ArrayBuffer, a Blob or a ReadableStream')
}

/** Returns false if the error says that the file does not exist, and rethrows any other. */
function isMissing(error: unknown): false {
  if (error instanceof StorageError && ['ENOENT', 'ENOTDIR'].includes(error.reason)) return false
  throw error
}
