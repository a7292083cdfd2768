// One packed block of a snapshot's body, as slots and the main thread both know it (docs/snapshot-format.md). Owns how it is hashed.
import { createHash } from 'node:crypto'

/** Before each block's data: codec, unpacked and packed length. */
export const BLOCK_HEAD_BYTES = 9
/** In a plan: the next of the blocks that came with it. Other numbers are blocks of the base. */
export const NEW_BLOCK = 0xffff_ffff

/** Of a block's nine bytes and the hash of its data, which is then the hash of its content where it is stored as it is. */
export function hashOfBlock(head: Uint8Array, dataHash: Uint8Array): Buffer {
  return createHash('sha256').update(head).update(dataHash).digest()
}
