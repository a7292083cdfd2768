// Something that is made when it is first asked for, such as a connection. Owns what was made.

export class Once<T> {
  readonly #make: () => Promise<T>
  #made: Promise<T> | undefined

  constructor(make: () => Promise<T>) {
    this.#make = make
  }

  /** Rejects as making it did; the next call then makes it again. */
  async get(): Promise<T> {
    this.#made ??= this.#make()
    const made = this.#made
    try {
      return await made
    } catch (error) {
      if (this.#made === made) this.#made = undefined
      throw error
    }
  }

  /** What was made, if anything: the caller's now. The next `get` makes another. */
  take(): Promise<T> | undefined {
    const made = this.#made
    this.#made = undefined
    return made
  }
}
