// The image's memory, with which an interpreter's is compared. Finds an address in the image's runs. Owns nothing.
import type { Image } from '../../src/shared/image/image.js'
import type { ImageBytes } from '../image-bytes.js'

/** The parts of an image that a delta needs. */
export interface BaseMemory extends Pick<Image, 'memoryBytes' | 'runs'> {
  readonly bytes: Pick<ImageBytes, 'view' | 'read' | 'pages'>
}

export const NO_RUN = -1

/** Copies the image's words from one address to another. Undefined if they are not in one run. */
export function baseWords(image: BaseMemory, from: number, to: number): Uint32Array | undefined {
  const cursor = new BaseCursor(image)
  const source = cursor.find(from)
  if (source === NO_RUN || to > cursor.runEnd) return undefined
  const bytes = new Uint8Array(to - from)
  image.bytes.read(source, bytes, 0, bytes.length)
  return new Uint32Array(bytes.buffer)
}

/** Finds addresses in the image's runs. Ask for them in ascending order. */
export class BaseCursor {
  readonly #runs: Uint32Array
  #index = 0
  #source = 0

  constructor({ runs }: Pick<BaseMemory, 'runs'>) {
    this.#runs = runs
  }

  /** Offset of the address among the concatenated bytes of the runs, or `NO_RUN` if the image is zero there. */
  find(offset: number): number {
    const runs = this.#runs
    while (this.#index < runs.length && offset >= this.#start + this.#length) {
      this.#source += this.#length
      this.#index += 2
    }
    return offset >= this.nextRun ? this.#source + offset - this.#start : NO_RUN
  }

  /** Start of the next run, after an address that is in none. */
  get nextRun(): number {
    return this.#index < this.#runs.length ? this.#start : Number.POSITIVE_INFINITY
  }

  /** End of the run in which an address was found. */
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
