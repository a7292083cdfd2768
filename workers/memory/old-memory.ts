// Waits until V8 has freed replaced WebAssembly memories. Memory cannot shrink, and only garbage collection frees it, which rarely runs in
// a thread that allocates little. Owns the wait, and how it makes V8 collect.

/** Size of a buffer that makes V8 collect soon. It is never touched, so it takes address space but no memory; V8 counts it anyway. */
const WEIGHT_BYTES = 64 * 1024 * 1024
/** Two to six are usually enough. */
const MOST_WEIGHTS = 64
/** Pause between two checks, because V8 reports what it has collected in a separate task. */
const LOOK_MS = 1

/** Captured when the thread starts, because seal.ts removes the global. */
const Registry = FinalizationRegistry

export class OldMemories {
  #left = 0
  readonly #registry = new Registry<null>(() => {
    this.#left -= 1
  })

  /** Adds a memory that is no longer used. */
  add(memory: WebAssembly.Memory): void {
    this.#left += 1
    this.#registry.register(memory, null)
  }

  /** Resolves when all are freed. @throws Error if one of them is still referenced */
  async freed(): Promise<void> {
    const weights: ArrayBuffer[] = []
    while (this.#left > 0) {
      if (weights.length === MOST_WEIGHTS) throw new Error('the memory that was replaced is not freed')
      weights.push(new ArrayBuffer(WEIGHT_BYTES))
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
}
