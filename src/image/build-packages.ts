// Builds an image with packages from one without. Owns what the builder is told and what its failures mean; which wheels there are is
// decided before (src/packages), what is done with them is workers/builder/packages.
import { requirePyodide } from '../install/pyodide.js'
import { ImageError, PackageError } from '../shared/errors.js'
import type { Image } from '../shared/image/image.js'
import type { BuildStep, WheelFile } from '../shared/messages/builder.js'
import { runBuilder } from './builder-thread.js'
import { imageKey } from './key.js'

export type { BuildStep, WheelFile } from '../shared/messages/builder.js'

/** A module of `preload` cannot be in an image; the image is possible without it. */
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

/** Twenty large packages that nobody has unpacked before take a minute or two on a busy machine. */
const DEADLINE_MS = 20 * 60_000

export interface PackageImageOptions {
  /** The image without packages. */
  readonly base: Image
  /** In any order: the image is the same. */
  readonly wheels: readonly WheelFile[]
  /**
   * Modules that are imported before memory is recorded, in this order. A session has them at once; what it imports itself takes time, and is
   * in every snapshot of it.
   */
  readonly preload: readonly string[]
  /** Directory where unpacked wheels are kept for the next image; made where it is missing. */
  readonly layerDir: string
  readonly signal?: AbortSignal
  readonly onProgress?: (step: BuildStep) => void
}

/**
 * The bytes of an image file. The same wheels, in the same versions, and the same `preload` give the same bytes on every machine and Node.
 *
 * @throws PackageError if a wheel is damaged or cannot be linked
 * @throws PreloadError if a module of `preload` cannot be imported, or leaves something behind that an image cannot have
 * @throws ImageError if the builder fails for a reason of its own
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
