// The contents of an image's files, one after another, in blocks that are read when a session first needs them. Owns the size and the hash
// of a block. The hash is checked each time a block is read from the image's file.
import { createHash } from 'node:crypto'

/** Large enough that hashing a block costs more than requesting it, and small enough to read a module of a few kilobytes quickly. */
export const FILE_BLOCK_BYTES = 65_536
export const BLOCK_HASH_BYTES = 32

export function blockCount(length: number): number {
  return Math.ceil(length / FILE_BLOCK_BYTES)
}

function blockHash(block: Uint8Array): Buffer {
  return createHash('sha256').update(block).digest()
}

/** The hashes of all blocks, in order. */
export function blockHashes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const hashes = new Uint8Array(blockCount(bytes.length) * BLOCK_HASH_BYTES)
  for (let block = 0; block * FILE_BLOCK_BYTES < bytes.length; block += 1) {
    const at = block * FILE_BLOCK_BYTES
    hashes.set(blockHash(bytes.subarray(at, at + FILE_BLOCK_BYTES)), block * BLOCK_HASH_BYTES)
  }
  return hashes
}

/** Whether a block has the hash of block `index`. */
export function isBlock(block: Uint8Array, index: number, hashes: Uint8Array): boolean {
  const at = index * BLOCK_HASH_BYTES
  return blockHash(block).equals(hashes.subarray(at, at + BLOCK_HASH_BYTES))
}
