// What Ctrl-C does. Owns who receives an interrupt: the command's `signal`, unless the command has set a handler.
import { EXIT_INTERRUPTED } from './exit-codes.js'

export type InterruptHandler = () => void

export class Interrupts {
  readonly #aborted = new AbortController()
  readonly #exit: (code: number) => void
  #handler: InterruptHandler | undefined

  constructor(exit: (code: number) => void) {
    this.#exit = exit
  }

  get signal(): AbortSignal {
    return this.#aborted.signal
  }

  /** From now on an interrupt calls the handler; with `undefined`, it aborts the signal again. */
  readonly handle = (handler: InterruptHandler | undefined): void => {
    this.#handler = handler
  }

  /** Without a handler, a second interrupt ends the program without waiting for the command. */
  readonly raise = (): void => {
    if (this.#handler !== undefined) this.#handler()
    else if (this.signal.aborted) this.#exit(EXIT_INTERRUPTED)
    else this.#aborted.abort(new Error('interrupted'))
  }
}
