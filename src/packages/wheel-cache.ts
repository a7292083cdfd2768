// A cache of wheels on disk, by sha-256. Owns its directory, checks files when they are read and stored, and makes sure that readers see
// a whole file or none. fetch-wheels.ts decides where wheels come from.
import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PackageError } from '../shared/errors.js'
import { Credentials, type Resource, request } from './http.js'
import { hashFile } from './wheel-file.js'

/** Longest wheel. The largest wheels of Pyodide have some tens of megabytes. */
export const MAX_WHEEL_BYTES = 1024 ** 3

export interface WantedWheel {
  readonly name: string
  readonly url: string
  readonly sha256: string
}

export class WheelCache {
  readonly #directory: string
  /** Credentials for downloads. */
  readonly credentials: Credentials

  /** @param cacheDir the library's cache directory */
  constructor(cacheDir: string, credentials = new Credentials(undefined)) {
    this.#directory = join(cacheDir, 'wheels')
    this.credentials = credentials
  }

  path(sha256: string): string {
    return join(this.#directory, `${sha256}.whl`)
  }

  /** The wheel's path; undefined if it is not cached. Ignores a file whose bytes do not match. */
  async find(sha256: string): Promise<string | undefined> {
    const path = this.path(sha256)
    try {
      if ((await hashFile(path)).sha256 === sha256) return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    return undefined
  }

  /**
   * Downloads a wheel, unless it is cached.
   *
   * @param onBytes called with the number of bytes of each part
   * @throws PackageError if its bytes do not match its hash
   * @throws FetchError if it cannot be downloaded
   */
  async download(
    { name, url, sha256 }: WantedWheel,
    signal: AbortSignal | undefined,
    onBytes: (count: number) => void = () => {},
  ): Promise<string> {
    const found = await this.find(sha256)
    if (found !== undefined) return found
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const temporary = join(this.#directory, `${randomUUID()}.tmp`)
    let file: FileHandle | undefined
    try {
      file = await open(temporary, 'wx', 0o600)
      const got = await receive(file, { url, credentials: this.credentials, signal }, onBytes)
      if (got !== sha256) throw mismatch(name, url, sha256, got)
      await file.close()
      file = undefined
      await rename(temporary, this.path(sha256))
      return this.path(sha256)
    } catch (error) {
      await file?.close()
      await rm(temporary, { force: true })
      throw error
    }
  }
}

async function receive(
  file: FileHandle,
  source: Pick<Resource, 'url' | 'credentials' | 'signal'>,
  onBytes: (count: number) => void,
): Promise<string> {
  let hash = createHash('sha256')
  let position = 0
  await request({
    ...source,
    maxBytes: MAX_WHEEL_BYTES,
    onChunk: async (chunk) => {
      if (chunk === undefined) {
        hash = createHash('sha256')
        position = 0
        await file.truncate(0)
        return
      }
      hash.update(chunk)
      await writeAll(file, chunk, position)
      position += chunk.length
      onBytes(chunk.length)
    },
  })
  return hash.digest('hex')
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; )
    done += (await file.write(chunk, done, chunk.length - done, position + done)).bytesWritten
}

export function mismatch(name: string, where: string, expected: string, got: string): PackageError {
  return new PackageError(
    name,
    `${where} does not match its hash: expected sha-256 ${expected}, got ${got}. Find out who changed the file; if the change is ` +
      'intended, make a new lock',
  )
}
