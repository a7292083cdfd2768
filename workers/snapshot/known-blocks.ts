// The blocks of a slot's last capture, by the hash of their unpacked bytes: a block that the next capture finds here is neither packed nor
// sent again. Owns only these hashes, no bytes of a session; the main thread has the blocks.

export interface KnownBlock {
  /** Hash of the packed block, an input of the body's hash. */
  readonly hash: Uint8Array
  /** Packed size, including the nine bytes of its head. */
  readonly packedBytes: number
}

export class KnownBlocks {
  /** The main thread's number for the capture. */
  readonly number: number
  readonly #indexes = new Map<string, number>()
  readonly #blocks: KnownBlock[] = []

  constructor(number: number) {
    this.number = number
  }

  /** Call for each block, in order. */
  add(digest: Uint8Array, block: KnownBlock): void {
    this.#indexes.set(keyOf(digest), this.#blocks.length)
    this.#blocks.push(block)
  }

  /** @param digest SHA-256 of the block's unpacked bytes */
  find(digest: Uint8Array): (KnownBlock & { readonly index: number }) | undefined {
    const index = this.#indexes.get(keyOf(digest))
    const block = index === undefined ? undefined : this.#blocks[index]
    return index !== undefined && block ? { ...block, index } : undefined
  }
}

function keyOf(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString('latin1')
}
