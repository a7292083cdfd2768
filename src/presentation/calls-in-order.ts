// Which call of a tool the running Python code belongs to, so that its callbacks act for that call: with its context, its signal. Owns the
// order only; the session runs one call after the other by itself.

export class CallsInOrder<Context> {
  /** Those that have not settled. The session runs the first. */
  readonly #contexts: Context[] = []

  /** Starts the call at once: the session queues it, or refuses it. */
  async run<T>(context: Context, call: () => Promise<T>): Promise<T> {
    this.#contexts.push(context)
    try {
      return await call()
    } finally {
      this.#contexts.splice(this.#contexts.indexOf(context), 1)
    }
  }

  /** Of the call that runs; for callbacks. */
  get current(): Context | undefined {
    return this.#contexts[0]
  }
}
