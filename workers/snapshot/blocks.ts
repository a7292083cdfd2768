// Bytes in compressed blocks of 1 MiB: how the large parts of a snapshot are stored. Owns which codec a block gets and that
// unpacking makes exactly the bytes that were declared, whatever the block holds (N2, ATTACKS.md E7); what the bytes mean
// is the snapshot format's business. Uses nothing that a sealed thread has not.
import * as zlib from 'node:zlib'
import { checkZstdFrame, decompressZstd } from './zstd.js'

/** 0 stored, 1 raw deflate, 2 zstd. */
export type Codec = 0 | 1 | 2

export interface Block {
  readonly codec: Codec
  /** `BLOCK_BYTES`, for the last block what remains. */
  readonly rawBytes: number
  readonly bytes: Uint8Array
}

/** The blocks are not what `packBlocks` makes. */
export class BlockError extends Error {
  override readonly name = 'BlockError'
}

export const BLOCK_BYTES = 1 << 20
const STORED = 0
const DEFLATE = 1
const ZSTD = 2

/** Node has zstd from 22.15 on. */
interface ZstdOfNode {
  zstdCompressSync(bytes: Uint8Array, options: object): Buffer
  zstdDecompressSync(bytes: Uint8Array, options: object): Buffer
  constants: { ZSTD_c_compressionLevel: number }
}
const { zstdCompressSync, zstdDecompressSync, constants } = zlib as unknown as Partial<ZstdOfNode>

/** What this Node compresses with: zstd is twice as fast as deflate at a better ratio. */
export const BEST_CODEC: Codec = zstdCompressSync ? ZSTD : DEFLATE

/** Deflate takes a fifth off a small session's bytes for a millisecond; zstd's first level is as good as that. */
const SMALL_BYTES = 2 * 1024 * 1024
const SMALL_LEVEL = 6
const FAST_LEVEL = 1
/** Deflate's largest hash table: a fifth faster on large bodies, for a few hundred KB while it runs. */
const MOST_MEMORY_LEVEL = 9

/** A block is compressed when that saves more than one byte in this many. */
const LEAST_SAVING = 16
/** Deflate is slow on what it cannot compress, so it tries this much of a block first, in this many pieces. */
const SAMPLE_BYTES = 16_384
const SAMPLE_PIECES = 4

/** The parts one after the other. Blocks that are stored are views of the parts where they can be. */
export function packBlocks(parts: readonly Uint8Array[], codec: Codec = BEST_CODEC): Block[] {
  const blocks: Block[] = []
  const level = parts.reduce((sum, part) => sum + part.length, 0) <= SMALL_BYTES ? SMALL_LEVEL : FAST_LEVEL
  for (const raw of split(parts)) {
    const packed = compress(raw, codec, level)
    blocks.push(
      packed && saves(packed.length, raw.length)
        ? { codec, rawBytes: raw.length, bytes: packed }
        : { codec: STORED, rawBytes: raw.length, bytes: raw },
    )
  }
  return blocks
}

/**
 * The caller has compared `totalBytes` with what it allows: so much is allocated, and no more.
 *
 * @throws BlockError
 */
export function unpackBlocks(blocks: readonly Block[], totalBytes: number): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(totalBytes) || totalBytes < 0)
    throw new BlockError(`a total of ${totalBytes} bytes`)
  if (blocks.length !== Math.ceil(totalBytes / BLOCK_BYTES))
    throw new BlockError(`${blocks.length} blocks for ${totalBytes} bytes`)
  for (const [index, block] of blocks.entries()) checkBlock(block, index, totalBytes)
  const raw = new Uint8Array(totalBytes)
  for (const [index, block] of blocks.entries()) raw.set(unpack(block, index), index * BLOCK_BYTES)
  return raw
}

/** Everything that can be said of a block without unpacking it. */
function checkBlock({ codec, rawBytes, bytes }: Block, index: number, totalBytes: number): void {
  const expected = Math.min(BLOCK_BYTES, totalBytes - index * BLOCK_BYTES)
  if (rawBytes !== expected)
    throw new BlockError(`block ${index} declares ${rawBytes} bytes, not ${expected}`)
  if (!(bytes instanceof Uint8Array)) throw new BlockError(`block ${index} has no bytes`)
  if (codec !== STORED && codec !== DEFLATE && codec !== ZSTD)
    throw new BlockError(`block ${index} has an unknown codec`)
  const fits = codec === STORED ? bytes.length === rawBytes : bytes.length < rawBytes
  if (!fits) throw new BlockError(`block ${index} has ${bytes.length} bytes for ${rawBytes}`)
}

function unpack(block: Block, index: number): Uint8Array {
  if (block.codec === STORED) return block.bytes
  let raw: Uint8Array
  try {
    raw = block.codec === DEFLATE ? inflate(block) : decompress(block)
  } catch (cause) {
    throw new BlockError(`block ${index} cannot be unpacked`, { cause })
  }
  if (raw.length !== block.rawBytes)
    throw new BlockError(`block ${index} has ${raw.length} bytes instead of ${block.rawBytes}`)
  return raw
}

function inflate({ rawBytes, bytes }: Block): Uint8Array {
  const options = { maxOutputLength: rawBytes, chunkSize: chunkBytes(rawBytes), info: true }
  const { buffer, engine } = zlib.inflateRawSync(bytes, options) as unknown as {
    buffer: Buffer
    engine: { bytesWritten: number }
  }
  if (engine.bytesWritten !== bytes.length) throw new BlockError('there are bytes behind its end')
  return buffer
}

function decompress({ rawBytes, bytes }: Block): Uint8Array {
  checkZstdFrame(bytes, rawBytes)
  if (!zstdDecompressSync) return decompressZstd(bytes, rawBytes)
  return zstdDecompressSync(bytes, { maxOutputLength: rawBytes, chunkSize: chunkBytes(rawBytes) })
}

/** Undefined when it would not pay, as far as a sample tells. */
function compress(raw: Uint8Array, codec: Codec, level: number): Uint8Array | undefined {
  if (codec === ZSTD && zstdCompressSync && constants)
    return zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: FAST_LEVEL } })
  if (codec !== DEFLATE) return undefined
  if (raw.length > 2 * SAMPLE_BYTES) {
    const piece = SAMPLE_BYTES / SAMPLE_PIECES
    const gap = Math.floor((raw.length - piece) / (SAMPLE_PIECES - 1))
    const pieces = Array.from({ length: SAMPLE_PIECES }, (_, i) => raw.subarray(i * gap, i * gap + piece))
    if (!saves(deflate(Buffer.concat(pieces), level).length, SAMPLE_BYTES)) return undefined
  }
  return deflate(raw, level)
}

function deflate(bytes: Uint8Array, level: number): Uint8Array {
  // Here and now: slot/shield.ts covers no more than that. Several blocks at once in Node's own threads would be quicker.
  return zlib.deflateRawSync(bytes, level === FAST_LEVEL ? { level, memLevel: MOST_MEMORY_LEVEL } : { level })
}

function saves(packedBytes: number, rawBytes: number): boolean {
  return packedBytes < rawBytes - rawBytes / LEAST_SAVING
}

/** zlib wants at least 64. */
function chunkBytes(rawBytes: number): number {
  return Math.max(64, rawBytes)
}

/** The same bytes in pieces of `BLOCK_BYTES`. */
function* split(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const end = Math.min(part.length, at + BLOCK_BYTES - pendingBytes)
      pending.push(part.subarray(at, end))
      pendingBytes += end - at
      at = end
      if (pendingBytes < BLOCK_BYTES) continue
      yield joined(pending)
      pending = []
      pendingBytes = 0
    }
  }
  if (pendingBytes > 0) yield joined(pending)
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
}
