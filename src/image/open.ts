// Opens an image: from the cache, or by building it once. Owns that decision; other files implement the steps. The caller decides which
// image a key stands for: this file opens the standard image, src/packages those with packages.
import type { FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { imageFacts } from '../install/image-facts.js'
import { ImageError } from '../shared/errors.js'
import { type DecodedImage, decodeImage } from '../shared/image/format.js'
import type { Image } from '../shared/image/image.js'
import { loadVerified } from '../shared/image/load.js'
import { readHead } from '../shared/image/read-head.js'
import { messageOf } from '../shared/thrown.js'
import { buildImage } from './build.js'
import { type ImageProgress, reportOnStderr } from './build-report.js'
import { defaultCacheDirectory, ImageCache, type ImageLock } from './cache.js'
import { keepOpen } from './keep-open.js'
import { imageKey } from './key.js'
import { loadImageFile, readerOf } from './load-file.js'
import { NotOwnError } from './ownership.js'

export interface OpenImageOptions {
  /** Directory for image files. Default: a folder in the operating system's cache directory. */
  readonly cacheDir?: string
  readonly signal?: AbortSignal
  /** Default: one line on stderr (build-report.ts). */
  readonly onProgress?: (progress: ImageProgress) => void
  /** For tests. Default: the id of the image that the package was published with. */
  readonly standardId?: string
  /** For tests. Default: the builder. */
  readonly build?: typeof buildImage
}

/** An image, and where its bytes are. */
export interface OpenedImage {
  readonly image: Image
  /** Path of its file, in the cache or where it was loaded from. Undefined if the cache cannot be written, or must not be read. */
  readonly file: string | undefined
  /** Defined only if there is no file. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined
}

/** Which image to open, and how to build it if it is not in the cache. */
export interface CachedImage {
  readonly cacheDir: string | undefined
  readonly key: string
  /** The only id that a file with this key may have; undefined: any id, if only this process's user can have written the file. */
  readonly standardId: string | undefined
  readonly signal: AbortSignal | undefined
  readonly onProgress: (progress: ImageProgress) => void
  readonly build: (signal: AbortSignal | undefined) => Promise<Uint8Array<ArrayBuffer>>
  /** Whether to read and compile the image in a thread of its own, for large images (H1). Only if `standardId` is undefined. */
  readonly loadsAside?: boolean
}

const POLL_MS = 50

/** Returns the library's cache directory. */
export function cacheDirectory(given: string | undefined): string {
  return given ?? defaultCacheDirectory(process.platform, process.env)
}

/**
 * Opens the standard image. Uses an image from the cache only if it is the one that the package was published with, or, if the package does
 * not say which that is, if only this process's user can have put it there. Otherwise builds the image again, with a warning.
 *
 * @throws ImageError if the image could not be built; the signal's reason if it was aborted
 */
export async function openImage(options: OpenImageOptions = {}): Promise<Image> {
  return (await openStandardImage(options)).image
}

/** Like `openImage`, but also returns where the image's bytes are. */
export async function openStandardImage(options: OpenImageOptions = {}): Promise<OpenedImage> {
  const { cacheDir, signal, onProgress = reportOnStderr(), build = buildImage } = options
  signal?.throwIfAborted()
  const key = imageKey()
  const standardId = options.standardId ?? imageFacts().id
  return openCachedImage({ cacheDir, key, standardId, signal, onProgress, build })
}

/**
 * Opens an image from the cache, or builds it.
 *
 * @throws what `build` throws; ImageError if its bytes are not an image; the signal's reason if it aborts
 */
export async function openCachedImage(options: CachedImage): Promise<OpenedImage> {
  const { cacheDir, key, signal, onProgress } = options
  signal?.throwIfAborted()
  const cache = new ImageCache(cacheDirectory(cacheDir))
  const opening = { ...options, cache, refused: new Set<string>() }
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
        // Another process may have finished the image between our check and taking the lock.
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
      `the Python image in ${cache.directory} is not used, because another user may have put it there; ` +
        `one is built for this process instead: ${error.message}, or set cacheDir to a directory that only this user can write to`,
    )
    return build(opening, false)
  }
}

interface Opening extends CachedImage {
  readonly cache: ImageCache
  /** Ids of images that were rejected, so that each is warned about only once. */
  readonly refused: Set<string>
}

/**
 * Reads the image from the cache. Returns undefined for a damaged file, so that it will be replaced.
 *
 * @throws NotOwnError
 */
async function readCached(opening: Opening): Promise<OpenedImage | undefined> {
  const { cache, key, standardId } = opening
  if (opening.loadsAside) return loadAside(await cache.findOwn(key))
  const opened = await cache.open(key, standardId === undefined)
  if (opened === undefined) return undefined
  const { file, size } = opened
  let image: Image | undefined
  try {
    const decoded = await decodable(file, size)
    if (decoded === undefined) return undefined
    if (standardId === undefined || decoded.id === standardId) {
      image = await loadVerified(decoded, file.fd).catch(() => undefined)
      return image && { image: keepOpen(image, file), file: cache.path(key), bytes: undefined }
    }
    warnRefused(opening, decoded.id)
    return undefined
  } finally {
    if (image === undefined) await file.close()
  }
}

/** Warns once for each image. */
function warnRefused({ cache, key, standardId, refused }: Opening, id: string): void {
  if (refused.has(id)) return
  refused.add(id)
  warn(
    'BRUMATE_IMAGE',
    `${cache.path(key)} is not the Python image of this version of brumate and will be replaced: ` +
      `its id is ${id}, not ${standardId}. Find out who can write to that directory`,
  )
}

async function loadAside(file: string | undefined): Promise<OpenedImage | undefined> {
  if (file === undefined) return undefined
  try {
    return { image: await loadImageFile(file), file, bytes: undefined }
  } catch (error) {
    if (error instanceof ImageError) return undefined
    throw error
  }
}

async function decodable(file: FileHandle, size: number): Promise<DecodedImage | undefined> {
  try {
    return decodeImage(await readHead(readerOf(file), size), size)
  } catch {
    return undefined
  }
}

/** Returns undefined if the cache cannot be written. Every process then builds the image for itself. */
async function takeLock(cache: ImageCache, key: string): Promise<ImageLock | 'held' | undefined> {
  try {
    return (await cache.lock(key)) ?? 'held'
  } catch (error) {
    warnUncached(cache, error)
    return undefined
  }
}

async function build(opening: Opening, keep: boolean): Promise<OpenedImage> {
  opening.onProgress('building')
  try {
    const opened = await buildAnew(opening, keep)
    opening.onProgress('built')
    return opened
  } catch (error) {
    opening.onProgress('failed')
    throw error
  }
}

async function buildAnew(opening: Opening, keep: boolean): Promise<OpenedImage> {
  const { cache, key, standardId, signal } = opening
  const bytes = await opening.build(signal)
  if (keep && opening.loadsAside && (await write(cache, key, bytes))) {
    const kept = await loadAside(cache.path(key))
    if (kept === undefined) throw new ImageError(`the new Python image ${cache.path(key)} cannot be loaded`)
    return kept
  }
  let image: Image
  try {
    image = await loadVerified(decodeImage(bytes))
  } catch (cause) {
    throw new ImageError('the new Python image cannot be loaded', { cause })
  }
  const isStandard = standardId === undefined || image.id === standardId
  if (!isStandard) {
    warn(
      'BRUMATE_IMAGE',
      `the Python image differs from the published one, so each process rebuilds it: ` +
        `its id is ${image.id}, not ${standardId}. It works, but snapshots cannot be exchanged with other machines. ` +
        `Please report this with the platform (${process.platform} ${process.arch}, Node ${process.version})`,
    )
  }
  const isKept = keep && isStandard && !opening.loadsAside && (await write(cache, key, bytes))
  return isKept ? { image, file: cache.path(key), bytes: undefined } : { image, file: undefined, bytes }
}

async function write(cache: ImageCache, key: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await cache.write(key, bytes)
    return true
  } catch (error) {
    warnUncached(cache, error)
    return false
  }
}

function warnUncached(cache: ImageCache, error: unknown): void {
  const reason = messageOf(error, 'for an unknown reason')
  warn(
    'BRUMATE_CACHE',
    `the Python image cannot be cached in ${cache.directory}, so every process rebuilds it: ${reason}. Set cacheDir to a directory ` +
      'that can be written to; or make an image once, with `npx brumate image build -o brumate.image` and its packages or --standard, ship that file, and ' +
      "pass it to SessionManager.create({ image: 'brumate.image' })",
  )
}

function warn(code: 'BRUMATE_CACHE' | 'BRUMATE_IMAGE', message: string): void {
  process.emitWarning(message, { code })
}
