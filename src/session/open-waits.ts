// The waits of a session for a slot or memory that others hold. Owns ending all of them when the session closes.

export class OpenWaits {
  /** Undefined while there are none, because most sessions wait for nothing. */
  #controllers: Set<AbortController> | undefined
  #hasEnded = false

  /**
   * Runs a wait that `endAll` can end.
   *
   * @param signal also ends the wait, with its own reason
   * @param wait called with the signal that ends it; must reject when that aborts
   */
  async run<T>(signal: AbortSignal | undefined, wait: (ends: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    const onAbort = () => controller.abort(signal?.reason)
    if (signal?.aborted) onAbort()
    if (this.#hasEnded) controller.abort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const controllers = this.#controllers ?? new Set<AbortController>()
    this.#controllers = controllers.add(controller)
    try {
      return await wait(controller.signal)
    } finally {
      signal?.removeEventListener('abort', onAbort)
      controllers.delete(controller)
      if (controllers.size === 0) this.#controllers = undefined
    }
  }

  /** Allows new waits again, after `endAll`. */
  reopen(): void {
    this.#hasEnded = false
  }

  /** Ends all waits, and those that begin later. */
  endAll(): void {
    this.#hasEnded = true
    for (const controller of this.#controllers ?? []) controller.abort()
  }
}
