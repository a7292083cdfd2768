// Protects a worker from being ended at the wrong moment. Owns one shared word, by which the worker and the main thread
// (src/slots/slot.ts) agree on who goes first.

/** Index of the word in the shared Int32s. */
export const SHIELD = 1
/** Values of the word: unprotected, the worker must not be ended now, the worker is being ended. */
export const LOWERED = 0
export const RAISED = 1
export const ENDING = 2

/**
 * Longest wait for a worker that must not be ended. An honest worker needs microseconds, but a busy machine may not run it
 * for some hundred milliseconds. A worker that keeps the shield up is ended anyway.
 */
export const MOST_SHIELDED_MS = 2_000

/**
 * Node ends the whole process if a worker ends between the creation of a zlib stream and its initialization ("close before
 * init" in node_zlib.cc of Node 20 to 26). The stream's constructor does both, in microseconds. The work that follows
 * may be interrupted anywhere.
 */
export class Shield {
  readonly #words: Int32Array

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared)
  }

  /**
   * Makes a stream, or does other work that takes no longer. Until it is done, the main thread does not end this worker. If this
   * worker is already being ended, the thread sleeps until it ends.
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
