// The blocks of a slot's last capture, by the hash of what is in them: a block that the next capture finds here is neither packed nor sent
// again. Owns no bytes, and nothing of a session but these hashes; the main thread has the blocks.

export interface KnownBlock {
  /** What the body's hash is made of. */
  readonly hash: Uint8Array
  /** With the nine bytes before it. */
  readonly packedBytes: number
}

export class KnownBlocks {
  /** Of the capture, as the main thread names it. */
  readonly number: number
  readonly #indexes = new Map<string, number>()
  readonly #blocks: KnownBlock[] = []

  constructor(number: number) {
    this.number = number
  }

  /** Call for each block, in their order. */
  add(digest: Uint8Array, block: KnownBlock): void {
    this.#indexes.set(keyOf(digest), this.#blocks.length)
    this.#blocks.push(block)
  }

  /** @param digest sha-256 of what is in the block */
  find(digest: Uint8Array): (KnownBlock & { readonly index: number }) | undefined {
    const index = this.#indexes.get(keyOf(digest))
    const block = index === undefined ? undefined : this.#blocks[index]
    return index !== undefined && block ? { ...block, index } : undefined
  }
}

function keyOf(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString('latin1')
}
