// Image files on disk. Owns where they lie, writing them so that a reader sees all or nothing, and the lock by which one
// process builds while others wait. What the bytes are is format.ts.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'

/** A holder touches its lock this often; one that has not been touched for `STALE_MS` is nobody's. */
const TOUCH_MS = 1_000
const STALE_MS = 10_000

/** Where the operating system wants caches of its user. */
export function defaultCacheDirectory(platform: string, env: NodeJS.ProcessEnv, home = homedir()): string {
  if (platform === 'win32')
    return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'brumate', 'Cache')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'brumate')
  return join(env.XDG_CACHE_HOME || join(home, '.cache'), 'brumate')
}

export class ImageCache {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  path(key: string): string {
    return join(this.directory, `${key.slice(0, 32)}.image`)
  }

  /** The bytes, unchecked; undefined if there is no such file or it cannot be read. */
  async read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return readFile(this.path(key)).catch(() => undefined)
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
