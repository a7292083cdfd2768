// Shared memory of a lease, so that output which a slot has not sent yet survives the end of its worker. Owns the layout. The slot writes,
// and the main thread reads only after the worker has ended. The contents are untrusted (R3).

/** Size of each stream's buffer. The slot sends output that does not fit. */
export const OUTPUT_BUFFER_BYTES = 65_536

const WORDS_BYTES = 32
/** Indexes of the Int32s before the buffers. */
const EXECUTION = 0
const LENGTHS = { 1: 1, 2: 2 } as const
const CHUNKS = 3

export class SharedOutput {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  /** The output of each stream that has not been sent yet, as UTF-8. */
  readonly buffers: { readonly 1: Uint8Array; readonly 2: Uint8Array }

  constructor(memory = new SharedArrayBuffer(WORDS_BYTES + 2 * OUTPUT_BUFFER_BYTES)) {
    this.memory = memory
    this.#words = new Int32Array(memory, 0, WORDS_BYTES / Int32Array.BYTES_PER_ELEMENT)
    this.buffers = {
      1: new Uint8Array(memory, WORDS_BYTES, OUTPUT_BUFFER_BYTES),
      2: new Uint8Array(memory, WORDS_BYTES + OUTPUT_BUFFER_BYTES, OUTPUT_BUFFER_BYTES),
    }
  }

  begin(executionId: number): void {
    this.setLength(1, 0)
    this.setLength(2, 0)
    this.#words[CHUNKS] = 0
    this.#words[EXECUTION] = executionId
  }

  /** Sets how many bytes of a stream's buffer are in use. Called at each write, so it uses no Atomics: the reader comes much later. */
  setLength(stream: 1 | 2, bytes: number): void {
    this.#words[LENGTHS[stream]] = bytes
  }

  /** Counts a chunk that was sent, and resets the lengths until they are set again. */
  countChunk(): void {
    this.setLength(1, 0)
    this.setLength(2, 0)
    Atomics.add(this.#words, CHUNKS, 1)
  }

  /**
   * The stream's output that was not sent. Empty if the memory belongs to another execution, or if the slot has sent a different number of
   * chunks, because some are still on their way. A copy, because a worker that is being ended may still write.
   */
  rest(executionId: number, stream: 1 | 2, chunks: number): Uint8Array {
    if (Atomics.load(this.#words, EXECUTION) !== executionId || this.#chunks !== chunks) return NOTHING
    const length = Atomics.load(this.#words, LENGTHS[stream])
    const copy = this.buffers[stream].slice(0, Math.max(0, Math.min(length, OUTPUT_BUFFER_BYTES)))
    return this.#chunks === chunks ? copy : NOTHING
  }

  get #chunks(): number {
    return Atomics.load(this.#words, CHUNKS)
  }
}

const NOTHING = new Uint8Array(0)
