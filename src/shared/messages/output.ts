// Shared memory of a lease through which the output that a slot has not sent yet survives its worker. Owns the layout. The slot writes,
// and the main thread reads only when the worker has ended: it may be lied to (R3).

/** Per stream. The slot sends what does not fit. */
export const OUTPUT_BUFFER_BYTES = 65_536

const WORDS_BYTES = 32
/** Index of the Int32s in front of the buffers. */
const EXECUTION = 0
const LENGTHS = { 1: 1, 2: 2 } as const
const CHUNKS = 3

export class SharedOutput {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  /** What was written to each stream and not sent yet, as UTF-8. */
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

  /** Bytes of a stream's buffer that are in use. At each write, so no Atomics: the reader comes long after. */
  setLength(stream: 1 | 2, bytes: number): void {
    this.#words[LENGTHS[stream]] = bytes
  }

  /** A chunk was sent. What the buffers still have is known when their lengths are set again. */
  countChunk(): void {
    this.setLength(1, 0)
    this.setLength(2, 0)
    Atomics.add(this.#words, CHUNKS, 1)
  }

  /**
   * What was written to the stream and not sent: empty if the memory is another execution's, or if more chunks than these are on their
   * way. A copy, because a worker that is being ended may still write.
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
