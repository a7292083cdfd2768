// A line on a terminal that says what is going on. Owns that line. There is none if stderr is not a terminal.
import type { OutputStream } from './streams.js'

/** Shorter work shows no line. */
const PATIENCE_MS = 1_000

const CLEAR = '\r\u001B[K'

export class Progress {
  readonly #terminal: OutputStream
  #isShown = false

  constructor(terminal: OutputStream) {
    this.#terminal = terminal
  }

  show(text: string): void {
    if (!this.#terminal.isTTY) return
    this.#terminal.write(`${CLEAR}${text.slice(0, (this.#terminal.columns ?? 80) - 1)}`)
    this.#isShown = true
  }

  /** Shows the text if the work takes more than a second, until it is done. */
  async during<T>(text: string, work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.show(text), PATIENCE_MS)
    try {
      return await work
    } finally {
      clearTimeout(timer)
      this.clear()
    }
  }

  clear(): void {
    if (this.#isShown) this.#terminal.write(CLEAR)
    this.#isShown = false
  }
}
