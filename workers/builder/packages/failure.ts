// Why an image with packages cannot be built, where a package is to blame. Owns the error; the main thread makes a PackageError of it.

export interface FailureOptions extends ErrorOptions {
  /** That cannot be preloaded. */
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
