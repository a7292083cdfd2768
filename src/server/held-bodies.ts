// How many bytes of bodies all requests hold in memory together: each has a bound, but many at once would fill the process. Owns the sum.
import { RequestProblem } from './problems.js'

/** What one request holds. */
export interface HeldBody {
  /** @throws RequestProblem when the requests together would hold more than they may */
  take(bytes: number): void
}

export class HeldBodies {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Counts what the task takes until it settles. */
  async during<T>(task: (held: HeldBody) => Promise<T>): Promise<T> {
    let own = 0
    const take = (bytes: number) => {
      if (this.#bytes + bytes > this.#maxBytes)
        throw new RequestProblem(503, 'BUSY', 'other uploads fill the memory for them; try again', {
          retryAfter: 1,
        })
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
