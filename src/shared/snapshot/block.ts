// One packed block of a snapshot's body, in the form that slots and the main thread share (docs/snapshot-format.md). Owns how a block
// is hashed.
import { createHash } from 'node:crypto'

/** Length of what precedes each block's data: codec, unpacked length, packed length. */
export const BLOCK_HEAD_BYTES = 9
/** Stands in a plan for the next block that came with it. Other numbers are indexes of the base's blocks. */
export const NEW_BLOCK = 0xffff_ffff

/** Hashes a block's nine bytes and the hash of its data. If the block is not compressed, the latter is also the hash of its content. */
export function hashOfBlock(head: Uint8Array, dataHash: Uint8Array): Buffer {
  return createHash('sha256').update(head).update(dataHash).digest()
}
