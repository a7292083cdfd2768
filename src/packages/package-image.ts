// Gets the image for a lock, from the cache or by building it from wheels. Owns the key of such an image, and the order of the
// steps.
import { join } from 'node:path'
import { type BuildStep, buildPackageImage, PreloadError } from '../image/build-packages.js'
import { reportOnStderr } from '../image/build-report.js'
import { packageImageKey } from '../image/key.js'
import { cacheDirectory, type OpenedImage, openCachedImage, openImage } from '../image/open.js'
import { count } from '../shared/count.js'
import { type FetchedWheel, fetchWheels } from './fetch-wheels.js'
import type { Lock } from './lock.js'
import { defaultPreload } from './preload.js'
import type { PackageProgress } from './progress.js'
import type { PyodideRelease } from './pyodide-release.js'
import type { WheelCache } from './wheel-cache.js'

export interface PackageImageRequest {
  readonly lock: Lock
  readonly release: PyodideRelease
  /** Modules to import before memory is recorded. If undefined, those of the requested packages. */
  readonly preload: readonly string[] | undefined
  readonly directories: readonly string[]
  /** Paths of the wheels that were given by path, by sha-256. */
  readonly findFiles: () => Promise<ReadonlyMap<string, string>>
  readonly cacheDir: string | undefined
  /** The cache below `cacheDir`. */
  readonly cache: WheelCache
  readonly signal: AbortSignal | undefined
  /** If undefined, a line on stderr says that the image is being built. */
  readonly onProgress: ((progress: PackageProgress) => void) | undefined
  /** For tests. */
  readonly build?: typeof buildPackageImage | undefined
}

/** @throws PackageError, ImageError; the signal's reason if it aborts */
export function openPackageImage(request: PackageImageRequest): Promise<OpenedImage> {
  const { lock, preload, cacheDir, signal, onProgress } = request
  return openCachedImage({
    ...{ cacheDir, signal, standardId: undefined, loadsAside: true },
    onProgress: onProgress
      ? () => {}
      : reportOnStderr(`the Python image with ${count(lock.packages.length, 'package')} (once)`),
    key: keyOf(lock, preload),
    build: async () => {
      const wheels = await fetchWheels({
        ...{ ...request, paths: await request.findFiles() },
        onProgress: onProgress ?? (() => {}),
      })
      return preload
        ? build(request, wheels, preload)
        : buildByDefault(request, wheels, await defaultPreload(lock, wheels))
    },
  })
}

/** Leaves out default modules that cannot be imported, because an image without them is better than none. */
async function buildByDefault(
  request: PackageImageRequest,
  wheels: readonly FetchedWheel[],
  preload: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await build(request, wheels, preload)
  } catch (error) {
    if (!(error instanceof PreloadError)) throw error
    const { module, message } = error
    const others = preload.filter((one) => one !== module && !one.startsWith(`${module}.`))
    if (others.length === preload.length) throw error
    process.emitWarning(
      `${module} is not preloaded, so sessions import it when they need it. Name what is to be preloaded (\`preload\`) to avoid this warning. ${message.split('\n')[0]}`,
      { code: 'BRUMATE_PRELOAD' },
    )
    return buildByDefault(request, wheels, others)
  }
}

async function build(
  { cacheDir, signal, onProgress = () => {}, build = buildPackageImage }: PackageImageRequest,
  wheels: readonly FetchedWheel[],
  preload: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const options = {
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(signal ? { signal } : {}),
    // The caller's listener, or the line for the image with packages, already reports the build.
    onProgress: () => {},
  }
  onProgress({ step: 'build', done: 0, total: 0 })
  return build({
    ...{ wheels, preload, layerDir: join(cacheDirectory(cacheDir), 'layers') },
    base: await openImage(options),
    ...(signal ? { signal } : {}),
    onProgress: (step) => onProgress(progressOf(step)),
  })
}

function progressOf(step: BuildStep): PackageProgress {
  const { done, total } = 'done' in step ? step : { done: 0, total: 0 }
  return { step: 'build', done, total, phase: step.step }
}

/** The sources of the wheels are not part of the key. Without `preload`, the requirements are, because they decide what is imported. */
function keyOf({ packages, requirements }: Lock, preload: readonly string[] | undefined): string {
  return packageImageKey(packages, preload ?? ['default of', ...requirements])
}
