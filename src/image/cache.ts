// Image files on disk. Owns their location, opening them, writing them atomically, and the lock with which one process builds while others
// wait. src/shared/image/format.ts owns the format, ownership.ts checks who may have written a file.
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

/** A holder touches its lock at this interval. A lock that has not been touched for `STALE_MS` is considered abandoned. */
const TOUCH_MS = 1_000
const STALE_MS = 10_000

/** Opening a pipe must not wait for its other end. Windows has neither flag. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
const READ_NO_LINK = READ | (constants.O_NOFOLLOW ?? 0)

/** Returns the directory for the user's caches, by the operating system's convention. */
export function defaultCacheDirectory(platform: string, env: NodeJS.ProcessEnv, home = homeOf()): string {
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'brumate', 'Cache')
  if (platform !== 'win32' && platform !== 'darwin' && env.XDG_CACHE_HOME)
    return join(env.XDG_CACHE_HOME, 'brumate')
  // In a container, the user may have no home directory. Files that others put into this shared directory are rejected (ownership.ts).
  if (!home) return join(tmpdir(), `brumate-${process.geteuid?.() ?? 'cache'}`)
  if (platform === 'win32') return join(home, 'AppData', 'Local', 'brumate', 'Cache')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'brumate')
  return join(home, '.cache', 'brumate')
}

/** Returns undefined if HOME is not set and the system does not know the user. */
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
   * Opens the file. Returns it, for the caller to close, and its size; undefined if there is no such file or it cannot be opened.
   *
   * @param mustBeOwn - reject a file that another user may have put there
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
      // Check the open file, not its path: so the file that is read is the one that was checked.
      const stats = await file.stat()
      if (mustBeOwn) requireOwn(stats, path)
      isTaken = stats.isFile() && stats.size <= MAX_IMAGE_BYTES
      return isTaken ? { file, size: stats.size } : undefined
    } finally {
      if (!isTaken) await file.close()
    }
  }

  /**
   * Returns the path of the file if only this process's user can have put it there; undefined if there is no file.
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

  /** Replaces the file atomically: a concurrent reader gets either the old bytes or the new ones. */
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
   * Takes the lock for building. Returns undefined while another process has it. The lock only saves work: two builders write the same
   * bytes, each atomically, so treating a lock as stale by mistake does no harm.
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
