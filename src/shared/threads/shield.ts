// When this worker must not be ended. Owns one word, in which it and the main thread (src/slots/slot.ts) agree on who comes first.

/** Where the word is, among the Int32s that both threads share. */
export const SHIELD = 1
/** What it says: nothing, that the worker must not be ended now, or that it is being ended. */
export const LOWERED = 0
export const RAISED = 1
export const ENDING = 2

/**
 * Longest wait for a worker that must not be ended. An honest one asks for microseconds of work, but a busy machine may not run it
 * for some hundred milliseconds. One that lies is ended anyway.
 */
export const MOST_SHIELDED_MS = 2_000

/**
 * Node ends the whole process when a worker ends between the making of a zlib stream and its initialization ("close before
 * init" in node_zlib.cc of Node 20 to 26). Both are done by the stream's constructor, in microseconds; the work that follows
 * may be cut short anywhere.
 */
export class Shield {
  readonly #words: Int32Array

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared)
  }

  /**
   * Makes a stream, or whatever else takes no longer; the main thread waits with ending this worker meanwhile. Where this
   * worker is being ended already, this thread goes no further: it sleeps until then.
   */
  during<T>(make: () => T): T {
    while (Atomics.compareExchange(this.#words, SHIELD, LOWERED, RAISED) === ENDING)
      Atomics.wait(this.#words, SHIELD, ENDING)
    try {
      return make()
    } finally {
      Atomics.store(this.#words, SHIELD, LOWERED)
    }
  }
}
