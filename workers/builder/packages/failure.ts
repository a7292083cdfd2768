// Why an image with packages cannot be built, where a package is to blame. Owns the error; the main thread makes a PackageError of it.

export class PackageFailure extends Error {
  override readonly name = 'PackageFailure'

  constructor(
    /** Name of the package. */
    readonly packageName: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(reason, options)
  }
}
