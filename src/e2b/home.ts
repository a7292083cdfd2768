// The sandbox's home directory, a VfsStorage that its contexts share. Owns detecting whether it has changed, and the archive in which it is
// stored with the sandbox.
import { Buffer } from 'node:buffer'
import { CancelledError } from '../shared/errors.js'
import { VfsStorage } from '../vfs/storage.js'

/** Its path in Python: the home of E2B's user. */
export const HOME = '/home/user'
const MAX_BYTES = 64 * 1024 * 1024

export class Home {
  readonly storage = new VfsStorage({ maxBytes: MAX_BYTES })
  readonly #watching = new AbortController()
  #isChanged = false

  constructor() {
    const changes = this.storage.watch({ signal: this.#watching.signal })
    void this.#watch(changes)
  }

  /** An archive of the directory if it has changed since the last archive, else undefined. */
  async takeArchive(): Promise<Uint8Array | undefined> {
    // Changes made before this call are reported before it is answered.
    await this.storage.stat('/')
    if (!this.#isChanged) return undefined
    this.#isChanged = false
    try {
      const parts: Uint8Array[] = []
      for await (const part of this.storage.export()) parts.push(part)
      return Buffer.concat(parts)
    } catch (error) {
      this.#isChanged = true
      throw error
    }
  }

  async load(archive: Uint8Array): Promise<void> {
    await this.storage.extract(archive)
    await this.storage.stat('/')
    this.#isChanged = false
  }

  /** Makes sure that the next `takeArchive` returns an archive. */
  markChanged(): void {
    this.#isChanged = true
  }

  async close(): Promise<void> {
    this.#watching.abort()
    await this.storage.close()
  }

  async #watch(changes: AsyncIterable<unknown>): Promise<void> {
    try {
      for await (const _ of changes) this.#isChanged = true
    } catch (error) {
      // `close` aborts the watch, which ends with this error.
      if (!(error instanceof CancelledError)) throw error
    }
  }
}
