// Gets the wheels of a lock. Owns where to look for each: in the cache, in directories, then on the web, always checked by hash.
import { join } from 'node:path'
import { PackageError } from '../shared/errors.js'
import { FetchError } from './http.js'
import { OFFLINE } from './index-source.js'
import type { Lock, LockedPackage } from './lock.js'
import type { PackageProgress } from './progress.js'
import type { PyodideRelease } from './pyodide-release.js'
import { mismatch, type WheelCache } from './wheel-cache.js'
import { hashFile } from './wheel-file.js'

export interface FetchRequest {
  readonly lock: Lock
  readonly release: PyodideRelease
  readonly directories: readonly string[]
  /** Likely paths of wheels, by sha-256. */
  readonly paths: ReadonlyMap<string, string>
  readonly cache: WheelCache
  readonly signal: AbortSignal | undefined
  readonly onProgress: (progress: PackageProgress) => void
}

export interface FetchedWheel {
  readonly name: string
  readonly version: string
  readonly sha256: string
  readonly path: string
}

const AT_ONCE = 6

/** Returns the wheels in the order of the lock. @throws PackageError; the signal's reason if it aborts */
export async function fetchWheels(request: FetchRequest): Promise<FetchedWheel[]> {
  const { lock, release, onProgress } = request
  if (lock.abi !== release.lock.abi)
    throw new PackageError(
      undefined,
      `the lock is for abi ${lock.abi} of Pyodide, the installed one (${release.version}) has ${release.lock.abi}: make a new lock`,
    )
  const failed = new AbortController()
  const signal = request.signal ? AbortSignal.any([request.signal, failed.signal]) : failed.signal
  const total = lock.packages.length
  const fetched: FetchedWheel[] = []
  let next = 0
  let done = 0
  let bytes = 0
  const work = async () => {
    for (let i = next++; i < total; i = next++) {
      const locked = lock.packages[i]
      if (locked === undefined) return
      signal.throwIfAborted()
      const path = await fetchWheel(locked, request, signal, (count) => {
        bytes += count
        onProgress({ step: 'fetch', package: locked.name, done, total, bytes })
      })
      fetched[i] = { name: locked.name, version: locked.version, sha256: locked.sha256, path }
      done += 1
      onProgress({ step: 'fetch', package: locked.name, done, total, bytes })
    }
  }
  const workers = Array.from({ length: Math.min(AT_ONCE, total) }, () => work())
  try {
    await Promise.all(workers)
  } catch (error) {
    // Stop the other downloads, and wait until they have stopped before this rejects.
    failed.abort()
    await Promise.allSettled(workers)
    request.signal?.throwIfAborted()
    throw error
  }
  return fetched
}

async function fetchWheel(
  locked: LockedPackage,
  request: FetchRequest,
  signal: AbortSignal,
  onBytes: (count: number) => void,
): Promise<string> {
  const { cache, release, lock } = request
  const { name, sha256, source, file } = locked
  const cached = await cache.find(sha256)
  if (cached !== undefined) return cached
  let other: { readonly path: string; readonly sha256: string } | undefined
  const known = request.paths.get(sha256)
  const places = [
    ...(known === undefined ? [] : [known]),
    ...request.directories.map((one) => join(one, file)),
  ]
  for (const path of places) {
    const hashed = await hashIfThere(path)
    if (hashed === sha256) return path
    if (hashed !== undefined) other ??= { path, sha256: hashed }
  }
  if (source === 'directory') {
    if (other) throw mismatch(name, other.path, sha256, other.sha256)
    throw new PackageError(
      name,
      `${file} is neither cached nor in a directory of wheels; give its directory as wheels (--wheels)`,
    )
  }
  const url = source === 'pyodide' ? release.urlOf(file, lock.pyodide) : (locked.url ?? '')
  try {
    return await cache.download({ name, url, sha256 }, signal, onBytes)
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    throw new PackageError(name, `${error.message}. ${OFFLINE}`, { cause: error })
  }
}

async function hashIfThere(path: string): Promise<string | undefined> {
  try {
    return (await hashFile(path)).sha256
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined
    throw error
  }
}
