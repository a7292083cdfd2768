// What is reported while an image is made. Owns its form.
import type { ImageProgress } from '../image/build-report.js'

/** One step forward. Steps follow one another; those that have nothing to do are left out. */
export interface PackageProgress {
  /** `resolve`: choosing versions. `fetch`: getting wheels. `build`: making the image. */
  readonly step: 'resolve' | 'fetch' | 'build'
  /** Of the step `build`: what the builder does now. */
  readonly phase?: 'unpacking' | 'linking' | 'importing' | 'recording'
  /** The package that this is about. */
  readonly package?: string
  /** Packages (or modules, while they are imported) that are done, of all of the step; `total` is 0 where nothing is counted. */
  readonly done: number
  readonly total: number
  /** Bytes downloaded so far, in the step `fetch`. */
  readonly bytes?: number
}

/** What is said of an image without packages, which is made in one step; undefined where nobody listens. */
export function standardProgress(
  onProgress: ((progress: PackageProgress) => void) | undefined,
): ((progress: ImageProgress) => void) | undefined {
  if (onProgress === undefined) return undefined
  return (progress) => {
    if (progress === 'building') onProgress({ step: 'build', done: 0, total: 1 })
    if (progress === 'built') onProgress({ step: 'build', done: 1, total: 1 })
  }
}
