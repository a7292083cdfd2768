// Counts running requests. Owns when a server that stops has answered all of them.

export class Requests {
  isDraining = false
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** Counts a request. Call the function it returns once, when the request has been answered. */
  begin(): () => void {
    this.#running++
    return () => {
      this.#running--
      if (this.#running === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  /** No request should begin after this call. Resolves when all that have begun are answered. */
  drain(): Promise<void> {
    this.isDraining = true
    return new Promise((resolve) => {
      if (this.#running === 0) resolve()
      else this.#waiting.push(resolve)
    })
  }
}
