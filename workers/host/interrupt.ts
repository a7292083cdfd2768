// One Int32 shared with the main thread: the id of the execution to interrupt. Owns reading it, delivering each id once, and
// waiting on it without using CPU. The main thread writes it (a store and a notify); signals.ts turns it into a Python signal.

/** Value of a cell that interrupts nothing; execution ids start at 1. */
const NOBODY = 0

export class InterruptCell {
  #cell: Int32Array<SharedArrayBuffer>
  #executionId = NOBODY
  #deliveredId = NOBODY

  constructor(buffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.#cell = new Int32Array(buffer, 0, 1)
  }

  /** Reads this memory, which the main thread shares, from now on. */
  share(buffer: SharedArrayBuffer): void {
    this.#cell = new Int32Array(buffer, 0, 1)
  }

  /** From now on, only a request that names `executionId` counts. */
  begin(executionId: number): void {
    this.#executionId = executionId
  }

  /** Whether the running execution has been asked to stop and has not been told yet. */
  get pending(): boolean {
    const requested = Atomics.load(this.#cell, 0)
    return requested === this.#executionId && requested !== this.#deliveredId && requested !== NOBODY
  }

  /** Delivers a pending interrupt: returns true once for each id. */
  take(): boolean {
    if (!this.pending) return false
    this.#deliveredId = this.#executionId
    return true
  }

  /** Records that the execution was told of its interrupt in another way. */
  markDelivered(executionId: number): void {
    this.#deliveredId = executionId
  }

  /** Sleeps until the running execution is asked to stop (which stays pending) or `milliseconds` have passed. */
  wait(milliseconds: number): 'interrupted' | 'timeout' {
    const deadlineMs = performance.now() + milliseconds
    for (;;) {
      const seen = Atomics.load(this.#cell, 0)
      if (this.pending) return 'interrupted'
      const remainingMs = deadlineMs - performance.now()
      if (remainingMs <= 0) return 'timeout'
      Atomics.wait(this.#cell, 0, seen, remainingMs)
    }
  }
}
