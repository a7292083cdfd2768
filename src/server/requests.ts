// Requests that are being answered. Owns when a server that stops has answered them all.

export class Requests {
  isDraining = false
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** Counts a request. What it returns is to be called once, when it has been answered. */
  begin(): () => void {
    this.#running++
    return () => {
      this.#running--
      if (this.#running === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  /** From now on none should begin. Resolves when those that have begun are answered. */
  drain(): Promise<void> {
    this.isDraining = true
    return new Promise((resolve) => {
      if (this.#running === 0) resolve()
      else this.#waiting.push(resolve)
    })
  }
}
