// WebAssembly memories that were replaced, until V8 has freed them. Memory cannot shrink and nothing frees it but the collector, which
// sees no hurry in a thread that allocates little. Owns the wait for that, and what hurries it.

/** Never touched, so it takes address space and no memory; but V8 counts it, and collects when there is much of it. */
const WEIGHT_BYTES = 64 * 1024 * 1024
/** It takes two to six. */
const MOST_WEIGHTS = 64
/** Between two looks: V8 tells of what it has collected in a task of its own. */
const LOOK_MS = 1

/** Of when the thread began: seal.ts takes the global away. */
const Registry = FinalizationRegistry

export class OldMemories {
  #left = 0
  readonly #registry = new Registry<null>(() => {
    this.#left -= 1
  })

  /** Nothing uses it any more. */
  add(memory: WebAssembly.Memory): void {
    this.#left += 1
    this.#registry.register(memory, null)
  }

  /** @throws Error if something keeps one of them */
  async freed(): Promise<void> {
    const weights: ArrayBuffer[] = []
    while (this.#left > 0) {
      if (weights.length === MOST_WEIGHTS) throw new Error('the memory that was replaced is not freed')
      weights.push(new ArrayBuffer(WEIGHT_BYTES))
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
}
