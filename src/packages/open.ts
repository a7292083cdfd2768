// Makes a lock, and an image, from options. Owns reading the files that options name: requirements files and locks.
import { standardProgress } from '../image/build-report.js'
import { cacheDirectory, type OpenedImage, openStandardImage } from '../image/open.js'
import { InvalidOptionError, PackageError } from '../shared/errors.js'
import { Credentials } from './http.js'
import { type Lock, parseLock, readLock } from './lock.js'
import { resolveOnce } from './lock-cache.js'
import type { ResolvedImageOptions } from './options.js'
import { openPackageImage, type PackageImageRequest } from './package-image.js'
import { PyodideRelease } from './pyodide-release.js'
import { type RequirementLine, readRequirementsFile } from './requirements-file.js'
import { type ResolveRequest, resolvePackages } from './resolve.js'
import { indexSetting, thisMachine } from './settings.js'
import { Target } from './target.js'
import { readWanted } from './wanted.js'
import { WheelCache } from './wheel-cache.js'

/** Opens the standard image if there are no packages. @throws PackageError, ImageError; the signal's reason if it aborts */
export async function openImageWith(
  options: ResolvedImageOptions,
  build?: PackageImageRequest['build'],
): Promise<OpenedImage> {
  const { cacheDir, signal, preload, lock, packages, requirements, onProgress } = options
  if (lock === undefined && packages.length === 0 && requirements.length === 0) {
    if (preload && preload.length > 0) {
      const message = 'preload: it needs packages or a lock; the standard image cannot be changed'
      throw new InvalidOptionError('preload', 'nothing, where there are no packages', preload, message)
    }
    const listener = standardProgress(onProgress)
    return openStandardImage({
      ...(cacheDir === undefined ? {} : { cacheDir }),
      ...(signal ? { signal } : {}),
      ...(listener ? { onProgress: listener } : {}),
    })
  }
  const release = await PyodideRelease.read()
  const request = await toRequest(options, release)
  return openPackageImage({
    lock:
      lock === undefined
        ? await resolveOnce(request, cacheDirectory(cacheDir))
        : await useLock(lock, request),
    ...{ release, preload, directories: options.directories, cacheDir, signal, onProgress, build },
    cache: request.cache,
    findFiles: async () => {
      const { files } = await readWanted(request.requirements, new Target(release.lock))
      return new Map(files.map(({ sha256 = '', path = '' }) => [sha256, path]))
    },
  })
}

/** @throws PackageError if it is not a lock, or was made for other requirements */
async function useLock(given: Lock | string, { release, requirements }: ResolveRequest): Promise<Lock> {
  const where = typeof given === 'string' ? `the lock ${given}` : 'the lock'
  const lock = typeof given === 'string' ? await readLock(given) : parseLock(given)
  if (requirements.length === 0) return lock
  const { texts } = await readWanted(requirements, new Target(release.lock))
  if (texts.join() !== [...lock.requirements].sort().join())
    throw new PackageError(
      undefined,
      `${where} was made for ${lock.requirements.join(', ') || 'nothing'}, not for ${texts.join(', ')}: make a new one (\`brumate lock\`), or give either the lock or the packages`,
    )
  return lock
}

/** Chooses versions again, without the cache. @throws PackageError; the signal's reason if it aborts */
export async function makeLock(options: ResolvedImageOptions): Promise<Lock> {
  const release = await PyodideRelease.read()
  return (await resolvePackages(await toRequest(options, release))).lock
}

async function toRequest(options: ResolvedImageOptions, release: PyodideRelease): Promise<ResolveRequest> {
  const { packages, indexUrl, cacheDir, signal, onProgress } = options
  const files = await Promise.all(options.requirements.map(readRequirementsFile))
  const requirements = [...packages.map(toLine), ...files.flatMap((file) => file.requirements)]
  return {
    ...{ requirements, release, indexUrl, signal },
    onProgress: onProgress ?? (() => {}),
    constraints: files.flatMap((file) => file.constraints),
    directories: options.directories,
    cache: new WheelCache(cacheDirectory(cacheDir), new Credentials(await indexUrlOf(indexUrl))),
  }
}

/** The configured address, with its credentials. Undefined if none is configured, because the default index has no credentials. */
async function indexUrlOf(given: string | null | undefined): Promise<string | undefined> {
  if (given !== undefined) return given ?? undefined
  const setting = await indexSetting(thisMachine())
  return typeof setting === 'object' ? setting.url : undefined
}

function toLine(text: string, index: number): RequirementLine {
  return { text: text.trim(), hashes: [], directory: process.cwd(), where: `packages[${index}]` }
}
