// Why an image with packages cannot be built, if a package is the cause. Owns the error; the main thread turns it into a PackageError.

export interface FailureOptions extends ErrorOptions {
  /** The module that cannot be preloaded. */
  readonly module?: string
}

export class PackageFailure extends Error {
  override readonly name = 'PackageFailure'
  readonly module: string | undefined

  constructor(
    /** Name of the package. */
    readonly packageName: string,
    reason: string,
    options: FailureOptions = {},
  ) {
    super(reason, options)
    this.module = options.module
  }
}
