// The sandbox's home directory, which its contexts share: a VfsStorage. Owns knowing whether it has changed, and its form as an archive, in
// which it is kept with the sandbox.
import { Buffer } from 'node:buffer'
import { CancelledError } from '../shared/errors.js'
import { VfsStorage } from '../vfs/storage.js'

/** Where Python finds it: the home of E2B's user. */
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

  /** An archive of it if it has changed since the last one; undefined if not. */
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

  /** The next archive is made in any case. */
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
      // `close` ends it so.
      if (!(error instanceof CancelledError)) throw error
    }
  }
}
