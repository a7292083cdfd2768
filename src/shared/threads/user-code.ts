// Shows while a slot runs user code during a capture. Owns one word that both threads share. In a capture, only user code has a deadline,
// and on a busy machine the main thread cannot tell from the clock how far the slot is.

/** Index of the word in the shared Int32s. */
export const USER_CODE = 2
const NOBODYS = 0

export class UserCodeMark {
  readonly #words: Int32Array

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared)
  }

  /** Runs a function that may call user code, for capture `id`. */
  during<T>(id: number, run: () => T): T {
    Atomics.store(this.#words, USER_CODE, id)
    try {
      return run()
    } finally {
      Atomics.store(this.#words, USER_CODE, NOBODYS)
    }
  }
}
