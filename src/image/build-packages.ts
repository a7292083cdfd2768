// Builds an image with packages from the standard image. Owns the request to the builder and the meaning of its failures. src/packages
// chooses the wheels, workers/builder/packages installs them.
import { requirePyodide } from '../install/pyodide.js'
import { ImageError, PackageError } from '../shared/errors.js'
import type { Image } from '../shared/image/image.js'
import type { BuildStep, WheelFile } from '../shared/messages/builder.js'
import { runBuilder } from './builder-thread.js'
import { imageKey } from './key.js'

export type { BuildStep, WheelFile } from '../shared/messages/builder.js'

/** Thrown if a module of `preload` cannot be in an image. The image can be built without it. */
export class PreloadError extends PackageError {
  constructor(
    packageName: string,
    readonly module: string,
    reason: string,
  ) {
    super(packageName, reason)
    this.name = 'PackageError'
  }
}

/** Twenty large packages that have not been unpacked before take a minute or two on a busy machine. */
const DEADLINE_MS = 20 * 60_000

export interface PackageImageOptions {
  /** The image without packages. */
  readonly base: Image
  /** Wheels to install. Their order does not change the image. */
  readonly wheels: readonly WheelFile[]
  /**
   * Modules to import, in this order, before the image's memory is recorded. Sessions have them from the start. A module that a session
   * imports itself takes time, and is part of every snapshot of that session.
   */
  readonly preload: readonly string[]
  /** Directory where unpacked wheels are kept for the next image; created if it does not exist. */
  readonly layerDir: string
  readonly signal?: AbortSignal
  readonly onProgress?: (step: BuildStep) => void
}

/**
 * Returns the bytes of an image file. The same wheels and the same `preload` give the same bytes on every machine and Node version.
 *
 * @throws PackageError if a wheel is damaged or cannot be linked
 * @throws PreloadError if a module of `preload` cannot be imported, or leaves something behind that an image cannot contain
 * @throws ImageError if the builder fails for another reason
 */
export async function buildPackageImage(options: PackageImageOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { base, wheels, preload, layerDir, signal, onProgress } = options
  const reply = await runBuilder(
    {
      kind: 'packages',
      codeKey: imageKey(),
      pyodide: await requirePyodide(),
      ...{ base, wheels, preload, layerDirectory: layerDir },
    },
    { deadlineMs: DEADLINE_MS, signal, onProgress },
  )
  if (reply.ok) return reply.bytes
  if (reply.package !== undefined && reply.module !== undefined)
    throw new PreloadError(reply.package, reply.module, reply.reason)
  if (reply.package !== undefined) throw new PackageError(reply.package, reply.reason)
  throw new ImageError(`the Python image with packages could not be built: ${reply.reason}`)
}
