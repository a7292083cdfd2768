// Opens the image that this version of brumate runs on: from the cache, or by building it once. Owns that decision;
// the steps are files of their own.
import { setTimeout as sleep } from 'node:timers/promises'
import { ImageError } from '../shared/errors.js'
import { type DecodedImage, decodeImage } from '../shared/image/format.js'
import type { Image } from '../shared/image/image.js'
import { loadImage } from '../shared/image/load.js'
import { messageOf } from '../shared/thrown.js'
import { buildImage } from './build.js'
import { defaultCacheDirectory, ImageCache, type ImageLock } from './cache.js'
import { imageKey } from './key.js'
import { NotOwnError } from './ownership.js'
import { standardImageId } from './standard.js'

/** `waiting`: another process builds. `building` and `built` only where this one does. */
export type ImageProgress = 'waiting' | 'building' | 'built'

export interface OpenImageOptions {
  /** Directory for image files. Default: a folder in the operating system's cache directory. */
  readonly cacheDir?: string
  readonly signal?: AbortSignal
  /** Default: one line on stderr while building, if that is a terminal. */
  readonly onProgress?: (progress: ImageProgress) => void
  /** For tests. Default: what the package was published with. */
  readonly standardId?: string
  /** For tests. Default: the builder. */
  readonly build?: typeof buildImage
}

const POLL_MS = 50

/**
 * An image from the cache is taken if it is the one that the package was published with, or, where the package does not say which
 * that is, if only this process's user can have put it there. Anything else is built anew, with a warning.
 *
 * @throws ImageError if the image could not be built; the signal's reason if it was aborted
 */
export async function openImage(options: OpenImageOptions = {}): Promise<Image> {
  const { cacheDir, signal, onProgress = reportOnTerminal() } = options
  signal?.throwIfAborted()
  const cache = new ImageCache(cacheDir ?? defaultCacheDirectory(process.platform, process.env))
  const key = imageKey()
  const standardId = options.standardId ?? (await standardImageId(key))
  const opening = {
    cache,
    key,
    standardId,
    signal,
    onProgress,
    build: options.build ?? buildImage,
    refused: new Set<string>(),
  }
  let waiting = false
  try {
    for (;;) {
      const cached = await readCached(opening)
      if (cached) return cached
      const lock = await takeLock(cache, key)
      if (lock === 'held') {
        if (!waiting) onProgress('waiting')
        waiting = true
        await sleep(POLL_MS, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted())
        continue
      }
      try {
        // Whoever had the lock before may have finished between our look and our turn.
        const finished = await readCached(opening)
        return finished ?? (await build(opening, lock !== undefined))
      } finally {
        await lock?.release()
      }
    }
  } catch (error) {
    if (!(error instanceof NotOwnError)) throw error
    warn(
      'BRUMATE_CACHE',
      `the Python image is not taken from ${cache.directory}, because somebody else may have put it there, ` +
        `but built for this process: ${error.message}, or set cacheDir to a directory of this user's own`,
    )
    return build(opening, false)
  }
}

interface Opening {
  readonly cache: ImageCache
  readonly key: string
  readonly standardId: string | undefined
  readonly signal: AbortSignal | undefined
  readonly onProgress: (progress: ImageProgress) => void
  readonly build: typeof buildImage
  /** Ids of images that were not taken: a warning says so once. */
  readonly refused: Set<string>
}

/**
 * A damaged file counts as none: it will be replaced.
 *
 * @throws NotOwnError
 */
async function readCached(opening: Opening): Promise<Image | undefined> {
  const { cache, key, standardId } = opening
  const bytes = await cache.read(key, standardId === undefined)
  const decoded = bytes && decodable(bytes)
  if (decoded === undefined) return undefined
  if (standardId === undefined || decoded.id === standardId) return load(decoded).catch(() => undefined)
  if (!opening.refused.has(decoded.id)) {
    warn(
      'BRUMATE_IMAGE',
      `${cache.path(key)} is not the Python image of this version of brumate and will be replaced: ` +
        `its id is ${decoded.id}, not ${standardId}. Find out who can write to that directory`,
    )
  }
  opening.refused.add(decoded.id)
  return undefined
}

function decodable(bytes: Uint8Array<ArrayBuffer>): DecodedImage | undefined {
  try {
    return decodeImage(bytes)
  } catch {
    return undefined
  }
}

/** Hashing and compiling run beside each other; the image is given out only if both went well. */
async function load({ id, contents, verify }: DecodedImage): Promise<Image> {
  const [image] = await Promise.all([loadImage(id, contents), verify()])
  return image
}

/** Undefined where the cache cannot be written: then every process builds for itself. */
async function takeLock(cache: ImageCache, key: string): Promise<ImageLock | 'held' | undefined> {
  try {
    return (await cache.lock(key)) ?? 'held'
  } catch (error) {
    warnUncached(cache, error)
    return undefined
  }
}

async function build(opening: Opening, keep: boolean): Promise<Image> {
  const { cache, key, standardId, signal, onProgress } = opening
  onProgress('building')
  const bytes = await opening.build(signal)
  let image: Image
  try {
    image = await load(decodeImage(bytes))
  } catch (cause) {
    throw new ImageError('the new Python image cannot be loaded', { cause })
  }
  const isStandard = standardId === undefined || image.id === standardId
  if (!isStandard) {
    warn(
      'BRUMATE_IMAGE',
      `the Python image came out otherwise here than where brumate was published, and is built anew by each process: ` +
        `its id is ${image.id}, not ${standardId}. It works, but snapshots cannot be exchanged with other machines. ` +
        `Please report this with the platform (${process.platform} ${process.arch}, Node ${process.version})`,
    )
  }
  if (keep && isStandard) await cache.write(key, bytes).catch((error: unknown) => warnUncached(cache, error))
  onProgress('built')
  return image
}

function warnUncached(cache: ImageCache, error: unknown): void {
  const reason = messageOf(error, 'for an unknown reason')
  warn('BRUMATE_CACHE', `the Python image cannot be kept in ${cache.directory}: ${reason}`)
}

function warn(code: 'BRUMATE_CACHE' | 'BRUMATE_IMAGE', message: string): void {
  process.emitWarning(message, { code })
}

function reportOnTerminal(): (progress: ImageProgress) => void {
  const startedMs = performance.now()
  return (progress) => {
    if (!process.stderr.isTTY) return
    if (progress === 'waiting') return
    if (progress === 'building')
      process.stderr.write('brumate: building the Python image (once per version) ... ')
    else process.stderr.write(`done in ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`)
  }
}
