// Long outputs of a tenant's executions, of which results show only a part. Owns how many are kept. They are in memory, so they are lost
// when the process ends.
import { randomUUID } from 'node:crypto'

export interface KeptOutput {
  readonly mimeType: string
  readonly content: string | Uint8Array
}

const MAX_OUTPUTS = 64
const MAX_SIZE = 32 * 1024 * 1024
const PREFIX = 'brumate://outputs/'

export class Outputs {
  /** Oldest first. */
  readonly #kept = new Map<string, KeptOutput>()
  #size = 0

  /** Returns the URI at which a client can read it. */
  keep(mimeType: string, content: string | Uint8Array): string {
    const id = randomUUID()
    this.#kept.set(id, { mimeType, content })
    this.#size += content.length
    for (const [oldest, { content: dropped }] of this.#kept) {
      if (this.#kept.size === 1 || (this.#kept.size <= MAX_OUTPUTS && this.#size <= MAX_SIZE)) break
      this.#kept.delete(oldest)
      this.#size -= dropped.length
    }
    return `${PREFIX}${id}`
  }

  get(id: string): KeptOutput | undefined {
    return this.#kept.get(id)
  }
}
