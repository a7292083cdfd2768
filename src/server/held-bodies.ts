// Limits the bytes of request bodies in memory over all requests: each body has its own limit, but many at once would fill the process.
// Owns the sum.
import { RequestProblem } from './problems.js'

/** The bytes that one request holds in memory. */
export interface HeldBody {
  /** @throws RequestProblem when all requests together would hold more than the limit */
  take(bytes: number): void
}

export class HeldBodies {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Runs the task. The bytes that it takes count until it settles. */
  async during<T>(task: (held: HeldBody) => Promise<T>): Promise<T> {
    let own = 0
    const take = (bytes: number) => {
      if (this.#bytes + bytes > this.#maxBytes)
        throw new RequestProblem(
          503,
          'BUSY',
          'too many uploads at once: the memory for request bodies is full; try again',
          {
            retryAfter: 1,
          },
        )
      own += bytes
      this.#bytes += bytes
    }
    try {
      return await task({ take })
    } finally {
      this.#bytes -= own
    }
  }
}
