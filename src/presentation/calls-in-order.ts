// Tracks which call of a tool runs the current Python code, so that callbacks use the context and the signal of that call. Owns only the
// tracking; the session itself runs calls one after the other.

export class CallsInOrder<Context> {
  /** Contexts of the calls that have not settled. The session is running the first. */
  readonly #contexts: Context[] = []

  /** Starts the call at once: the session queues or rejects it. */
  async run<T>(context: Context, call: () => Promise<T>): Promise<T> {
    this.#contexts.push(context)
    try {
      return await call()
    } finally {
      this.#contexts.splice(this.#contexts.indexOf(context), 1)
    }
  }

  /** The context of the running call, for callbacks. */
  get current(): Context | undefined {
    return this.#contexts[0]
  }
}
