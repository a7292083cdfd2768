// Image files on disk. Owns where they lie, opening them, writing them so that a reader sees all or nothing, and the lock by
// which one process builds while others wait. What the bytes are is src/shared/image/format.ts, whose they are ownership.ts.
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { homedir, hostname, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { MAX_IMAGE_BYTES } from '../shared/image/format.js'
import { NotOwnError, ownDirectory, requireOwn } from './ownership.js'

/** A holder touches its lock this often. A lock that has not been touched for `STALE_MS` is abandoned. */
const TOUCH_MS = 1_000
const STALE_MS = 10_000

/** Opening a pipe must not wait for its other end. Windows has neither flag. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
const READ_NO_LINK = READ | (constants.O_NOFOLLOW ?? 0)

/** Where the operating system wants caches of its user. */
export function defaultCacheDirectory(platform: string, env: NodeJS.ProcessEnv, home = homeOf()): string {
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'brumate', 'Cache')
  if (platform !== 'win32' && platform !== 'darwin' && env.XDG_CACHE_HOME)
    return join(env.XDG_CACHE_HOME, 'brumate')
  // In a container, the user may have no home. What others put there is not taken (ownership.ts).
  if (!home) return join(tmpdir(), `brumate-${process.geteuid?.() ?? 'cache'}`)
  if (platform === 'win32') return join(home, 'AppData', 'Local', 'brumate', 'Cache')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'brumate')
  return join(home, '.cache', 'brumate')
}

/** Undefined: no HOME is set, and the system does not know the user. */
function homeOf(): string | undefined {
  try {
    return homedir() || undefined
  } catch {
    return undefined
  }
}

export class ImageCache {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  path(key: string): string {
    return join(this.directory, `${key.slice(0, 32)}.image`)
  }

  /**
   * The file, which the caller closes, and its size; undefined if there is no such file or it cannot be opened.
   *
   * @param mustBeOwn - what others may have put there is refused
   * @throws NotOwnError
   */
  async open(
    key: string,
    mustBeOwn: boolean,
  ): Promise<{ readonly file: FileHandle; readonly size: number } | undefined> {
    const directory = mustBeOwn ? await ownDirectory(this.directory) : this.directory
    if (directory === undefined) return undefined
    const path = join(directory, basename(this.path(key)))
    let file: FileHandle
    try {
      file = await open(path, mustBeOwn ? READ_NO_LINK : READ)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOOP') return undefined
      throw new NotOwnError(`${path} is a symbolic link; remove it`)
    }
    let isTaken = false
    try {
      // What is checked and what is read is one file, whatever happens to its name.
      const stats = await file.stat()
      if (mustBeOwn) requireOwn(stats, path)
      isTaken = stats.isFile() && stats.size <= MAX_IMAGE_BYTES
      return isTaken ? { file, size: stats.size } : undefined
    } finally {
      if (!isTaken) await file.close()
    }
  }

  /**
   * The path of a file that only this process's user can have put there; undefined if there is none.
   *
   * @throws NotOwnError
   */
  async findOwn(key: string): Promise<string | undefined> {
    const directory = await ownDirectory(this.directory)
    if (directory === undefined) return undefined
    const path = join(directory, basename(this.path(key)))
    const stats = await lstat(path).catch(() => undefined)
    if (stats === undefined) return undefined
    if (stats.isSymbolicLink()) throw new NotOwnError(`${path} is a symbolic link; remove it`)
    requireOwn(stats, path)
    return path
  }

  /** Replaces the file in one step: who reads meanwhile gets the old bytes or the new. */
  async write(key: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${this.path(key)}.${randomUUID()}.tmp`
    try {
      await writeFile(temporary, bytes, { flag: 'wx', mode: 0o600 })
      await rename(temporary, this.path(key))
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  /**
   * The right to build, or undefined while another process has it. A lock only saves work: two builders write the same
   * bytes, each in one step, so a lock wrongly taken for stale does no harm.
   */
  async lock(key: string): Promise<ImageLock | undefined> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 })
    const path = `${this.path(key)}.lock`
    const token = `${hostname()} ${process.pid} ${randomUUID()}`
    try {
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(token)
      await file.close()
      return new ImageLock(path, token)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await isStale(path)) await rm(path, { force: true })
    return undefined
  }
}

export class ImageLock {
  readonly #path: string
  readonly #token: string
  readonly #touching: NodeJS.Timeout

  constructor(path: string, token: string) {
    this.#path = path
    this.#token = token
    this.#touching = setInterval(() => {
      const now = new Date()
      utimes(path, now, now).catch(() => {})
    }, TOUCH_MS).unref()
  }

  async release(): Promise<void> {
    clearInterval(this.#touching)
    const holder = await readFile(this.#path, 'utf8').catch(() => undefined)
    if (holder === this.#token) await rm(this.#path, { force: true })
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [{ mtimeMs }, holder] = await Promise.all([stat(path), readFile(path, 'utf8')])
    if (Date.now() - mtimeMs > STALE_MS) return true
    const [host, pid] = holder.split(' ')
    return host === hostname() && !isAlive(Number(pid))
  } catch {
    return false
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
