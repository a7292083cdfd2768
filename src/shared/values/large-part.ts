// A text or byte array that takes more than one step to decode. Owns its progress and the size of a step. The caller has checked its
// length.
import { decodeText, endOfPiece } from './text.js'

/** Bytes copied per step, which takes about as long as one piece of text. */
export const COPY_BYTES = 1_048_576

export class LargePart {
  readonly end: number
  /** Undefined for text. */
  readonly #copy: Uint8Array | undefined
  #copiedBytes = 0
  #text = ''

  /** @param copy receives the bytes of a byte array; undefined for text */
  constructor(end: number, copy: Uint8Array | undefined) {
    this.end = end
    this.#copy = copy
  }

  /** Reads the piece at `start` and returns where it ends. */
  readPiece(bytes: Uint8Array, start: number): number {
    if (this.#copy === undefined) {
      const end = endOfPiece(bytes, start, this.end)
      // V8 builds a rope here and joins it only when the text is read.
      this.#text += decodeText(bytes, start, end)
      return end
    }
    const end = Math.min(this.end, start + COPY_BYTES)
    this.#copy.set(bytes.subarray(start, end), this.#copiedBytes)
    this.#copiedBytes += end - start
    return end
  }

  /** The result, complete once `readPiece` has returned `end`. */
  get value(): string | Uint8Array {
    return this.#copy ?? this.#text
  }
}
