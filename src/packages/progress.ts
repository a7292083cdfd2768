// Owns the type of progress reports while an image is built.

/** One progress report. Steps run one after another; a step with nothing to do is skipped. */
export interface PackageProgress {
  /** `resolve`: choosing versions. `fetch`: downloading wheels. `build`: building the image. */
  readonly step: 'resolve' | 'fetch' | 'build'
  /** What the builder is doing, in the step `build`. */
  readonly phase?: 'unpacking' | 'linking' | 'importing' | 'recording'
  /** The package that this report is about. */
  readonly package?: string
  /** Packages that are done, or modules while they are imported, out of this step's `total`. `total` is 0 if nothing is counted. */
  readonly done: number
  readonly total: number
  /** Bytes downloaded so far, in the step `fetch`. */
  readonly bytes?: number
}
