// The time limit of a request: how long no byte may arrive. Owns the clock, and the signal that ends the request.

/** Aborts a request when no bytes have arrived for too long, or when the caller's signal aborts. */
export class IdleTimer {
  readonly #controller = new AbortController()
  readonly #timeoutMs: number
  readonly #stopListening: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  isOver = false

  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs
    const onAbort = () => this.#controller.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#stopListening = () => signal?.removeEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()
    this.restart()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  restart(): void {
    this.pause()
    if (this.#timeoutMs === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => {
      this.isOver = true
      this.#controller.abort()
    }, this.#timeoutMs)
  }

  /** Until `restart`, the time does not count: nobody waits for a byte. */
  pause(): void {
    clearTimeout(this.#timer)
  }

  stop(): void {
    this.pause()
    this.#stopListening()
  }
}
