// Creates a value, such as a connection, when it is first needed. Owns that value.

export class Once<T> {
  readonly #make: () => Promise<T>
  #made: Promise<T> | undefined

  constructor(make: () => Promise<T>) {
    this.#make = make
  }

  /** Creates the value if there is none. Rejects if that fails; then the next call tries again. */
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

  /** Hands the value, if there is one, over to the caller. The next `get` creates another. */
  take(): Promise<T> | undefined {
    const made = this.#made
    this.#made = undefined
    return made
  }
}
