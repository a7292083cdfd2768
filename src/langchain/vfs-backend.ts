// The files of a VfsStorage for deepagents: implements BackendProtocolV2 (deepagents 1.x), so that its file tools and Python sessions share
// files. Owns the form of answers; an error is an answer with text for the model.
import { posix } from 'node:path'
import { mimeTypeOf } from '../presentation/media-types.js'
import { NameLocks } from '../presentation/name-locks.js'
import { InvalidOptionError, StorageError } from '../shared/errors.js'
import { VfsStorage } from '../vfs/storage.js'
import type {
  Failure,
  FileData,
  FileInfo,
  FileOperationError,
  GrepMatch,
  ReadContent,
} from './backend-types.js'
import { globMatcher, MAX_PATTERN_LENGTH } from './glob.js'

/** Limit for the entries that are searched; beyond it, the answer says `truncated`. */
const MAX_ENTRIES = 20_000
const MAX_LINE_LENGTH = 2000
const MAX_MATCHES = 10_000
/** More than a storage's files can have by default. */
const MAX_EDITED_LENGTH = 128 * 1024 * 1024
const TOO_LONG = `pattern: expected at most ${MAX_PATTERN_LENGTH} characters`
const CODES: Readonly<Record<string, FileOperationError>> = {
  ENOENT: 'file_not_found',
  EISDIR: 'is_directory',
  EROFS: 'permission_denied',
  EACCES: 'permission_denied',
  ENOSPC: 'permission_denied',
}
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Use as `createDeepAgent({ backend: new VfsBackend(storage) })`. Paths are relative to the storage: for a session that mounts it at
 * `/data`, `/a.txt` is `/data/a.txt`. With `CompositeBackend`, both can use the same paths.
 */
export class VfsBackend {
  static readonly #locks = new WeakMap<VfsStorage, NameLocks>()
  readonly #storage: VfsStorage
  /** Shared by all backends of the storage: the calls of a model's turn run concurrently, and an edit is a read followed by a write. */
  readonly #writes: NameLocks

  /** @throws InvalidOptionError */
  constructor(storage: VfsStorage) {
    if (!(storage instanceof VfsStorage)) throw new InvalidOptionError('storage', 'a VfsStorage', storage)
    this.#storage = storage
    this.#writes = VfsBackend.#locks.get(storage) ?? new NameLocks()
    VfsBackend.#locks.set(storage, this.#writes)
  }

  ls(path: string): Promise<{ files: FileInfo[] } | Failure> {
    return orFailure(async () => {
      const directory = absolute(path)
      const names = await this.#storage.list(directory)
      const files = await Promise.all(names.map((name) => this.#info(posix.join(directory, name))))
      return { files: files.filter((info) => info !== undefined) }
    })
  }

  /** Reads lines from `offset` on, counted from 0. */
  read(filePath: string, offset = 0, limit = 500): Promise<ReadContent | Failure> {
    return orFailure(async () => {
      const { content, mimeType } = await this.#load(filePath)
      if (typeof content !== 'string' || content === '') return { content, mimeType }
      const lines = content.split('\n')
      const totalLines = lines.at(-1) === '' ? lines.length - 1 : lines.length
      const [from, count] = [Math.max(0, Math.floor(offset)), Math.max(0, Math.floor(limit))]
      if (from >= totalLines)
        return { error: `line offset ${from} exceeds the file's length (${totalLines} lines)` }
      const end = Math.min(from + count, totalLines)
      return {
        content: lines.slice(from, from + count).join('\n'),
        ...{ mimeType, totalLines, startLine: from + 1, endLine: end },
        ...(end < totalLines ? { nextOffset: end } : {}),
      }
    })
  }

  readRaw(filePath: string): Promise<{ data: FileData } | Failure> {
    return orFailure(async () => ({ data: await this.#load(filePath) }))
  }

  /** Also creates missing parent directories. */
  write(filePath: string, content: string): Promise<{ path: string; filesUpdate: null } | Failure> {
    return this.#alone(filePath, async () => {
      await this.#write(filePath, content)
      return { path: filePath, filesUpdate: null }
    })
  }

  edit(
    filePath: string,
    oldString: string,
    newString: string,
    replaceAll = false,
  ): Promise<{ path: string; filesUpdate: null; occurrences: number } | Failure> {
    return this.#alone(filePath, async () => {
      const { content } = await this.#load(filePath)
      if (typeof content !== 'string') return { error: `${filePath} is not a text file` }
      const parts = oldString === '' ? [] : content.split(oldString)
      const occurrences = parts.length - 1
      if (occurrences < 1) return { error: `the text to replace is not in ${filePath}` }
      if (occurrences > 1 && !replaceAll)
        return {
          error: `the text to replace is ${occurrences} times in ${filePath}; give more of the text around it, or replace all`,
        }
      const length = content.length + occurrences * (newString.length - oldString.length)
      if (length > MAX_EDITED_LENGTH)
        return { error: `the edit would make ${filePath} longer than ${MAX_EDITED_LENGTH} characters` }
      await this.#write(filePath, parts.join(newString))
      return { path: filePath, filesUpdate: null, occurrences }
    })
  }

  /** Finds lines that contain a literal text, in all text files below `path` whose names match `glob`. At most 10,000. */
  grep(
    pattern: string,
    path?: string | null,
    glob?: string | null,
    maxCount?: number | null,
  ): Promise<{ matches: GrepMatch[]; truncated?: boolean } | Failure> {
    return orFailure(async () => {
      const base = absolute(path ?? '/')
      if (pattern.length > MAX_PATTERN_LENGTH) return { error: TOO_LONG }
      const most = Math.min(maxCount || MAX_MATCHES, MAX_MATCHES)
      const matchesName = glob ? globMatcher(glob.includes('/') ? glob : `**/${glob}`) : () => true
      const { files, truncated } = await this.#walk(base)
      const matches: GrepMatch[] = []
      for (const file of files) {
        if (file.is_dir || !matchesName(posix.relative(base, file.path) || posix.basename(base))) continue
        const { content } = await this.#load(file.path)
        if (typeof content !== 'string') continue
        let line = 0
        for (const text of linesOf(content)) {
          line++
          if (!text.includes(pattern)) continue
          if (matches.length === most) return { matches, truncated: true }
          matches.push({ path: file.path, line, text: text.slice(0, MAX_LINE_LENGTH) })
        }
      }
      return { matches, ...(truncated ? { truncated } : {}) }
    })
  }

  /** Finds files below `path` whose relative paths match a pattern such as `**\/*.csv`. */
  glob(pattern: string, path = '/'): Promise<{ files: FileInfo[]; truncated?: boolean } | Failure> {
    return orFailure(async () => {
      const base = absolute(path)
      const matches = globMatcher(pattern)
      const { files, truncated } = await this.#walk(base)
      const found = files.filter((file) => !file.is_dir && matches(posix.relative(base, file.path)))
      return { files: found, ...(truncated ? { truncated } : {}) }
    })
  }

  /** Deletes a file, or a directory with everything in it. */
  delete(filePath: string): Promise<{ path: string; filesUpdate: null } | Failure> {
    return orFailure(async () => {
      await this.#storage.remove(absolute(filePath), { recursive: true })
      return { path: filePath, filesUpdate: null }
    })
  }

  async uploadFiles(
    files: [string, Uint8Array][],
  ): Promise<{ path: string; error: FileOperationError | null }[]> {
    const answers: { path: string; error: FileOperationError | null }[] = []
    for (const [path, content] of files)
      answers.push({ path, error: await this.#write(path, content).then(() => null, codeOf) })
    return answers
  }

  async downloadFiles(
    paths: string[],
  ): Promise<{ path: string; content: Uint8Array | null; error: FileOperationError | null }[]> {
    return Promise.all(
      paths.map((path) =>
        this.#storage.readFile(absolute(path)).then(
          (content) => ({ path, content, error: null }),
          (error) => ({ path, content: null, error: codeOf(error) }),
        ),
      ),
    )
  }

  #alone<T>(filePath: string, task: () => Promise<T>): Promise<T | Failure> {
    return orFailure(() => this.#writes.run(absolute(filePath), undefined, task))
  }

  async #load(filePath: string): Promise<FileData> {
    const path = absolute(filePath)
    const [bytes, { modifiedAt }] = await Promise.all([
      this.#storage.readFile(path),
      this.#storage.stat(path),
    ])
    const text = textOf(bytes)
    const at = modifiedAt.toISOString()
    const mimeType = mimeTypeOf(path) ?? (text === undefined ? 'application/octet-stream' : 'text/plain')
    // A storage does not record when a file was created.
    return { content: text ?? bytes, mimeType, created_at: at, modified_at: at }
  }

  async #write(filePath: string, content: string | Uint8Array): Promise<void> {
    const path = absolute(filePath)
    await this.#storage.mkdir(posix.dirname(path), { recursive: true })
    await this.#storage.writeFile(path, content)
  }

  /** Undefined if the file was removed meanwhile, or is a broken link. */
  async #info(path: string): Promise<FileInfo | undefined> {
    try {
      const { kind, sizeBytes, modifiedAt } = await this.#storage.stat(path)
      const isDirectory = kind === 'directory'
      return {
        path: isDirectory ? `${path}/` : path,
        ...{ is_dir: isDirectory, size: isDirectory ? 0 : sizeBytes, modified_at: modifiedAt.toISOString() },
      }
    } catch (error) {
      if (error instanceof StorageError) return undefined
      throw error
    }
  }

  /** Everything below a directory, or the file itself. Does not follow links to directories, which could form cycles. */
  async #walk(base: string): Promise<{ files: FileInfo[]; truncated: boolean }> {
    const files: FileInfo[] = []
    const todo = [base]
    if ((await this.#storage.stat(base)).kind !== 'directory') todo.length = 0
    if (todo.length === 0) files.push((await this.#info(base)) as FileInfo)
    for (let directory = todo.pop(); directory !== undefined; directory = todo.pop()) {
      const names = await this.#storage.list(directory)
      for (const name of names) {
        if (files.length === MAX_ENTRIES) return { files, truncated: true }
        const path = posix.join(directory, name)
        const info = await this.#info(path)
        if (info === undefined) continue
        files.push(info)
        const isLink =
          info.is_dir && (await this.#storage.stat(path, { followLinks: false })).kind === 'symlink'
        if (info.is_dir && !isLink) todo.push(path)
      }
    }
    return { files, truncated: false }
  }
}

/** Yields lines one by one: an array of all lines could take many times the size of the text. */
function* linesOf(text: string): Generator<string> {
  for (let from = 0; ; ) {
    const end = text.indexOf('\n', from)
    if (end === -1) {
      yield text.slice(from)
      return
    }
    yield text.slice(from, end)
    from = end + 1
  }
}

function absolute(path: string): string {
  if (typeof path !== 'string') throw new InvalidOptionError('path', 'a path', path)
  return posix.resolve('/', path)
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

async function orFailure<T>(call: () => Promise<T>): Promise<T | Failure> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof StorageError || error instanceof InvalidOptionError) return { error: error.message }
    throw error
  }
}

function codeOf(error: unknown): FileOperationError {
  if (error instanceof StorageError) return CODES[error.reason] ?? 'invalid_path'
  if (error instanceof InvalidOptionError) return 'invalid_path'
  throw error
}
