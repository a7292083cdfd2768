// Opens the image that this version of brumate runs on: from the cache, or by building it once. Owns that decision;
// the steps are files of their own.
import { setTimeout as sleep } from 'node:timers/promises'
import { ImageError } from '../errors.js'
import { messageOf } from '../thrown.js'
import { buildImage } from './build.js'
import { defaultCacheDirectory, ImageCache, type ImageLock } from './cache.js'
import { decodeImage } from './format.js'
import type { Image } from './image.js'
import { imageKey } from './key.js'
import { loadImage } from './load.js'

/** `waiting`: another process builds. `building` and `built` only where this one does. */
export type ImageProgress = 'waiting' | 'building' | 'built'

export interface OpenImageOptions {
  /** Directory for image files. Default: a folder in the operating system's cache directory. */
  readonly cacheDir?: string
  readonly signal?: AbortSignal
  /** Default: one line on stderr while building, if that is a terminal. */
  readonly onProgress?: (progress: ImageProgress) => void
}

const POLL_MS = 50

/**
 * @throws ImageError if the image could not be built; the signal's reason if it was aborted
 */
export async function openImage(options: OpenImageOptions = {}): Promise<Image> {
  const { cacheDir, signal, onProgress = reportOnTerminal() } = options
  signal?.throwIfAborted()
  const cache = new ImageCache(cacheDir ?? defaultCacheDirectory(process.platform, process.env))
  const key = await imageKey()
  let waiting = false
  for (;;) {
    const cached = await readCached(cache, key)
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
      const finished = await readCached(cache, key)
      return finished ?? (await build(lock && cache, key, signal, onProgress))
    } finally {
      await lock?.release()
    }
  }
}

/** A damaged file counts as none: it will be replaced. */
async function readCached(cache: ImageCache, key: string): Promise<Image | undefined> {
  const bytes = await cache.read(key)
  return bytes && load(bytes).catch(() => undefined)
}

/** Hashing and compiling run beside each other; the image is given out only if both went well. */
async function load(bytes: Uint8Array<ArrayBuffer>): Promise<Image> {
  const { id, contents, verify } = decodeImage(bytes)
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

async function build(
  cache: ImageCache | undefined,
  key: string,
  signal: AbortSignal | undefined,
  onProgress: (progress: ImageProgress) => void,
): Promise<Image> {
  onProgress('building')
  const bytes = await buildImage(signal)
  await cache?.write(key, bytes).catch((error: unknown) => warnUncached(cache, error))
  onProgress('built')
  return load(bytes).catch((cause: unknown) => {
    throw new ImageError('the new Python image cannot be loaded', { cause })
  })
}

function warnUncached(cache: ImageCache, error: unknown): void {
  const reason = messageOf(error, 'for an unknown reason')
  process.emitWarning(`the Python image cannot be kept in ${cache.directory}: ${reason}`, {
    code: 'BRUMATE_CACHE',
  })
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
