// The image's memory as what an interpreter's is compared with: where in its runs an address is. Owns nothing.
import type { Image } from '../../src/image/image.js'

/** The part of an image that a delta is against. */
export type BaseMemory = Pick<Image, 'memoryBytes' | 'runs' | 'runBytes'>

export const NO_RUN = -1

/** The image's words from one address to another; undefined if they are not in one run. */
export function baseWords(image: BaseMemory, from: number, to: number): Uint32Array | undefined {
  const cursor = new BaseCursor(image)
  const source = cursor.find(from)
  if (source === NO_RUN || to > cursor.runEnd) return undefined
  const { buffer, byteOffset } = image.runBytes
  return new Uint32Array(buffer, byteOffset + source, (to - from) / 4)
}

/** Where the image has an address, for addresses asked in ascending order. */
export class BaseCursor {
  readonly #runs: Uint32Array
  #index = 0
  #source = 0

  constructor({ runs }: BaseMemory) {
    this.#runs = runs
  }

  /** Position in `Image.runBytes`, or `NO_RUN` where the image is zero. */
  find(offset: number): number {
    const runs = this.#runs
    while (this.#index < runs.length && offset >= this.#start + this.#length) {
      this.#source += this.#length
      this.#index += 2
    }
    return offset >= this.nextRun ? this.#source + offset - this.#start : NO_RUN
  }

  /** Where the next run begins after a page that is in none. */
  get nextRun(): number {
    return this.#index < this.#runs.length ? this.#start : Number.POSITIVE_INFINITY
  }

  /** Where the run ends that an address was found in. */
  get runEnd(): number {
    return this.#start + this.#length
  }

  get #start(): number {
    return this.#runs[this.#index] ?? 0
  }

  get #length(): number {
    return this.#runs[this.#index + 1] ?? 0
  }
}
