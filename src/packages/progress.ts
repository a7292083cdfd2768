// What is reported while an image is made. Owns the type only.

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
