// Waits of a session for what others hold: a slot, or memory. Owns ending them all when the session closes.

export class OpenWaits {
  /** Undefined while there are none: most sessions wait for nothing. */
  #controllers: Set<AbortController> | undefined
  #hasEnded = false

  /**
   * Runs a wait that `endAll` can end.
   *
   * @param signal ends it too, with its own reason
   * @param wait gets the signal that ends it, and rejects then
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

  /** Those that begin from now on are not ended. */
  reopen(): void {
    this.#hasEnded = false
  }

  /** Ends also those that begin later. */
  endAll(): void {
    this.#hasEnded = true
    for (const controller of this.#controllers ?? []) controller.abort()
  }
}
