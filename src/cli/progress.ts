// One line on a terminal that says what is going on. Owns that line; where stderr is no terminal, there is none.

interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const CLEAR = '\r\u001B[K'

export class Progress {
  readonly #terminal: Terminal
  #isShown = false

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  show(text: string): void {
    if (!this.#terminal.isTTY) return
    this.#terminal.write(`${CLEAR}${text.slice(0, (this.#terminal.columns ?? 80) - 1)}`)
    this.#isShown = true
  }

  clear(): void {
    if (this.#isShown) this.#terminal.write(CLEAR)
    this.#isShown = false
  }
}
