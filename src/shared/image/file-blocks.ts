// The contents of an image's files, one after the other, in blocks that are read when a session first asks for them. Owns the size of a
// block and its hash, by which a block is checked each time it is read from the image's file.
import { createHash } from 'node:crypto'

/** Large enough that hashing costs more than asking for it, and so small that a module of a few kilobytes is read quickly. */
export const FILE_BLOCK_BYTES = 65_536
export const BLOCK_HASH_BYTES = 32

export function blockCount(length: number): number {
  return Math.ceil(length / FILE_BLOCK_BYTES)
}

function blockHash(block: Uint8Array): Buffer {
  return createHash('sha256').update(block).digest()
}

/** Of all blocks, in their order. */
export function blockHashes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const hashes = new Uint8Array(blockCount(bytes.length) * BLOCK_HASH_BYTES)
  for (let block = 0; block * FILE_BLOCK_BYTES < bytes.length; block += 1) {
    const at = block * FILE_BLOCK_BYTES
    hashes.set(blockHash(bytes.subarray(at, at + FILE_BLOCK_BYTES)), block * BLOCK_HASH_BYTES)
  }
  return hashes
}

/** Whether the list says that this is block `index`. */
export function isBlock(block: Uint8Array, index: number, hashes: Uint8Array): boolean {
  const at = index * BLOCK_HASH_BYTES
  return blockHash(block).equals(hashes.subarray(at, at + BLOCK_HASH_BYTES))
}
