// When this worker must not be ended. Owns one word that the main thread looks at first (src/slots/slot.ts).

/** Where the word is, among the Int32s that both threads share. */
const SHIELDED = 1

/**
 * Node ends the whole process when a worker ends between the making of a zlib stream and its initialization ("close before
 * init" in node_zlib.cc of Node 20 to 26), which a single call of `deflateRaw` or `deflateRawSync` does.
 */
export class Shield {
  readonly #words: Int32Array

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared)
  }

  /** The main thread waits with ending this worker, for a bounded time, until `work` is done. */
  async during<T>(work: () => T | Promise<T>): Promise<T> {
    Atomics.store(this.#words, SHIELDED, 1)
    try {
      return await work()
    } finally {
      Atomics.store(this.#words, SHIELDED, 0)
    }
  }
}
