// Which capture's user code a slot runs right now. Owns one word that both threads share: only user code has a deadline there, and on a
// busy machine neither thread can tell by a clock how far the other has come.

/** Where the word is, among the Int32s that both threads share. */
export const USER_CODE = 2
const NOBODYS = 0

export class UserCodeMark {
  readonly #words: Int32Array

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared)
  }

  /** Runs what may call user code of capture `id`. */
  during<T>(id: number, run: () => T): T {
    Atomics.store(this.#words, USER_CODE, id)
    try {
      return run()
    } finally {
      Atomics.store(this.#words, USER_CODE, NOBODYS)
    }
  }
}
