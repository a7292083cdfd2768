// The images of a manager: opens those that its options name or describe, and checks that their sessions fit the limits.
import { standardProgress } from '../image/build-report.js'
import { closeFile } from '../image/keep-open.js'
import { openImage } from '../image/open.js'
import { Image } from '../image.js'
import { count } from '../shared/count.js'
import { InvalidOptionError } from '../shared/errors.js'
import type { Image as BootedImage } from '../shared/image/image.js'
import type { ResolvedManagerOptions } from './options.js'

/** @throws InvalidOptionError if a session of the image needs more memory from the start */
export function requireMemory(
  { memoryBytes }: ResolvedManagerOptions['limits'],
  image: BootedImage | undefined,
): void {
  if (memoryBytes === null || image === undefined || image.memoryBytes <= memoryBytes) return
  const packages = image.packages.length === 0 ? '' : ` with its ${count(image.packages.length, 'package')}`
  throw new InvalidOptionError(
    'limits.memoryBytes',
    `at least ${image.memoryBytes}`,
    memoryBytes,
    `limits.memoryBytes: expected at least ${image.memoryBytes} bytes, which a session of the image${packages} has from the start, got ${memoryBytes}. Raise it, or preload less`,
  )
}

/** Opens each image once, even if it is given several times. */
export async function openImages({
  images,
  packages,
  cacheDir,
  onProgress,
}: ResolvedManagerOptions): Promise<[BootedImage, ...BootedImage[]]> {
  const options = cacheDir === undefined ? {} : { cacheDir }
  if (images === undefined) {
    if (Object.keys(packages).length > 0) {
      const listener = onProgress ? { onProgress } : {}
      return [(await Image.build({ ...packages, ...options, ...listener })).booted]
    }
    const listener = standardProgress(onProgress)
    return [await openImage({ ...options, ...(listener ? { onProgress: listener } : {}) })]
  }
  const opened = await Promise.all(
    images.map(async (image) => (typeof image === 'string' ? await Image.load(image) : image).booted),
  )
  const [first, ...others] = new Map(opened.map((image) => [image.id, image])).values()
  if (first === undefined) throw new Error('unreachable: no images')
  return [first, ...others]
}

/** Closes the files of the images that the manager opened itself. Call it when the slots have ended. */
export async function closeImages(
  opened: readonly BootedImage[],
  { images = [] }: ResolvedManagerOptions,
): Promise<void> {
  const given = new Set(images.map((image) => (typeof image === 'string' ? undefined : image.booted)))
  await Promise.all(opened.map((image) => (given.has(image) ? undefined : closeFile(image))))
}
