// Packs bytes into compressed blocks of 1 MiB, in which snapshots are stored. Owns the choice of codec for each block, and that unpacking
// produces exactly the bytes that were declared, whatever the block contains (N2). The snapshot format defines what the bytes mean. Uses
// nothing that a sealed thread lacks.
import { constants, type ZlibOptions } from 'node:zlib'
import type { Effort } from '../../src/shared/messages/slot.js'
import { type PackingRoom, UNLIMITED_ROOM } from '../memory/packing-room.js'
import {
  compressZstd,
  deflate,
  deflateAside,
  HAS_ZSTD,
  inflate,
  type Shielded,
  UNSHIELDED,
  unzstd,
} from './streams.js'
import { checkZstdFrame, decompressZstd } from './zstd.js'

/** 0 stored, 1 raw deflate, 2 zstd. */
export type Codec = 0 | 1 | 2

export interface Block {
  readonly codec: Codec
  /** Unpacked size: `BLOCK_BYTES`, except for the last block. */
  readonly rawBytes: number
  readonly bytes: Uint8Array
}

/** `packBlocks` cannot have made these blocks. */
export class BlockError extends Error {
  override readonly name = 'BlockError'
}

export const BLOCK_BYTES = 1 << 20
const { Z_HUFFMAN_ONLY } = constants
const STORED = 0
const DEFLATE = 1
const ZSTD = 2

/** The codec that this Node packs with. zstd is twice as fast as deflate, at a better ratio. */
export const BEST_CODEC: Codec = HAS_ZSTD ? ZSTD : DEFLATE

/** Larger bodies are packed at the fastest level whatever the effort. So are bodies packed with zstd, whose first level is good. */
const SMALL_BYTES = 2 * 1024 * 1024
/** Deflate packs a session of fifty cells into 38 KB in 4.8 ms at its default level (6), and into 43 KB in 1.3 ms at level 3. */
const LEVELS = { small: 6, quick: 3, least: 3 } as const
/** With effort `least`, bodies up to this size are stored without compression, because another one replaces them soon. */
const UNPACKED_BYTES = 256 * 1024
const FAST_LEVEL = 1
/**
 * Uses deflate's largest hash table: a fifth faster on large bodies, for a few hundred KB while it runs. Output chunks are large, because
 * each costs a round trip between two threads.
 */
const FAST_DEFLATE = { level: FAST_LEVEL, memLevel: 9, chunkSize: 262_144 }
/**
 * Does not search for repetitions: up to twice as fast on numbers, which have hardly any. Used if that makes a sample larger by at most one
 * byte in `MOST_LOSS`.
 */
const CODED_ONLY = { ...FAST_DEFLATE, strategy: Z_HUFFMAN_ONLY }
const MOST_LOSS = 20
/** How many blocks are compressed at once: Node's default number of threads for such work. */
const BLOCKS_AT_ONCE = 4

/** A body may have this many blocks, plus one for every `LEAST_MEAN_BYTES`, whatever their lengths. Writers make larger ones on average. */
const MOST_SHORT_BLOCKS = 16
const LEAST_MEAN_BYTES = 16_384

/** A block is compressed if that saves more than one byte in this many. */
const LEAST_SAVING = 16
/** Compression takes longest where it saves least, so it is first tried on a sample of this size, from this many places of the block. */
const SAMPLE_BYTES = 16_384
const SAMPLE_PIECES = 4

/** How blocks are packed. */
export interface BlockPacking {
  readonly codec: Codec
  readonly effort: Effort
  /** Unpacked size of the body that the blocks are for. */
  readonly totalBytes: number
  readonly shielded: Shielded
  readonly room: PackingRoom
}

/** Packs the concatenated parts. Stored blocks are views of the parts if possible. @throws NoRoomError */
export function packBlocks(
  parts: readonly Uint8Array[],
  codec: Codec = BEST_CODEC,
  effort: Effort = 'small',
  shielded: Shielded = UNSHIELDED,
  room: PackingRoom = UNLIMITED_ROOM,
): Block[] {
  return packPieces(split(parts), { codec, effort, totalBytes: byteLength(parts), shielded, room })
}

/** Packs each piece into a block. @throws NoRoomError */
export function packPieces(pieces: Iterable<Piece>, packing: BlockPacking): Block[] {
  const { codec, effort, totalBytes, shielded, room } = packing
  const level = levelFor(packing)
  const isStored = effort === 'least' && totalBytes <= UNPACKED_BYTES
  const samples = new Samples(level, shielded)
  return Array.from(pieces, (piece) => {
    const bytes = piece.join()
    const packed = isStored ? undefined : compress(bytes, piece.index, codec, samples, shielded)
    return counted(block(bytes, codec, packed), piece.isView, room)
  })
}

function levelFor({ totalBytes, effort }: BlockPacking): number {
  return totalBytes <= SMALL_BYTES ? LEVELS[effort] : FAST_LEVEL
}

/** Takes room for a block that has already been made. Single blocks are too small to ask for room in advance. */
function counted(block: Block, isView: boolean, room: PackingRoom): Block {
  if (block.codec !== STORED || !isView) room.take(block.bytes.length)
  return block
}

/** Like `packBlocks`, with the help of other threads; see `packPiecesAside`. */
export async function packBlocksAside(
  parts: readonly Uint8Array[],
  codec: Codec = BEST_CODEC,
  effort: Effort = 'small',
  shielded: Shielded = UNSHIELDED,
  room: PackingRoom = UNLIMITED_ROOM,
): Promise<Block[]> {
  return packPiecesAside(split(parts), { codec, effort, totalBytes: byteLength(parts), shielded, room })
}

/**
 * Makes the same blocks as `packPieces`. If deflate has much to do, Node's own threads compress several at once, so the pieces must not
 * change meanwhile.
 *
 * @throws NoRoomError
 */
export async function packPiecesAside(given: Iterable<Piece>, packing: BlockPacking): Promise<Block[]> {
  const { codec, totalBytes, shielded, room } = packing
  if (codec !== DEFLATE || totalBytes <= SMALL_BYTES) return packPieces(given, packing)
  const blocks: Block[] = []
  const pieces = given[Symbol.iterator]()
  const samples = new Samples(FAST_LEVEL, shielded)
  const work = async () => {
    // Each worker takes the next piece when it has finished one, so that only a few pieces are joined at a time.
    for (let next = pieces.next(); !next.done; next = pieces.next()) {
      const bytes = next.value.join()
      const index = blocks.push(block(bytes, codec, undefined)) - 1
      const options = samples.deflateOptions(bytes, next.value.index)
      const packed = options && (await deflateAside(bytes, options, shielded))
      blocks[index] = counted(block(bytes, codec, packed), next.value.isView, room)
    }
  }
  // Wait for all workers even if one fails: the input must not be reused while one of them reads it.
  const ends = await Promise.allSettled(Array.from({ length: BLOCKS_AT_ONCE }, work))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return blocks
}

/**
 * Unpacks each block into a piece. Allocates at most `totalBytes`, which the caller has checked against its limit. The piece of a stored
 * block is a view of its bytes, not a copy.
 *
 * @param lengths `equal`: all blocks except the last unpack to `BLOCK_BYTES`; `any`: each unpacks to at most that
 * @throws BlockError
 */
export function unpackBlocks(
  blocks: readonly Block[],
  totalBytes: number,
  shielded: Shielded = UNSHIELDED,
  lengths: 'equal' | 'any' = 'equal',
): Uint8Array[] {
  if (!Number.isSafeInteger(totalBytes) || totalBytes < 0)
    throw new BlockError(`a total of ${totalBytes} bytes`)
  const most = mostBlocks(totalBytes, lengths)
  if (lengths === 'equal' ? blocks.length !== most : blocks.length > most)
    throw new BlockError(`${blocks.length} blocks for ${totalBytes} bytes`)
  let sum = 0
  for (const [index, block] of blocks.entries()) {
    const expected = Math.min(BLOCK_BYTES, totalBytes - sum)
    checkBlock(block, index, expected, lengths)
    sum += block.rawBytes
  }
  if (sum !== totalBytes) throw new BlockError(`${sum} bytes instead of ${totalBytes}`)
  return blocks.map((block, index) => unpack(block, index, shielded))
}

/** Most blocks that a body of `totalBytes` may have. With `equal`, it must have exactly this many. */
export function mostBlocks(totalBytes: number, lengths: 'equal' | 'any'): number {
  if (lengths === 'equal') return Math.ceil(totalBytes / BLOCK_BYTES)
  return MOST_SHORT_BLOCKS + Math.ceil(totalBytes / LEAST_MEAN_BYTES)
}

/** How many bytes `unpackBlocks` allocates, if the blocks have the sizes that they declare. */
export function unpackedBytes(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { codec, rawBytes }) => (codec === STORED ? sum : sum + rawBytes), 0)
}

/** Checks everything that can be checked without unpacking the block. */
function checkBlock(
  { codec, rawBytes, bytes }: Block,
  index: number,
  expected: number,
  lengths: 'equal' | 'any',
): void {
  if (lengths === 'equal' ? rawBytes !== expected : !(rawBytes > 0 && rawBytes <= expected))
    throw new BlockError(`block ${index} declares ${rawBytes} bytes, not ${expected}`)
  if (!(bytes instanceof Uint8Array)) throw new BlockError(`block ${index} has no bytes`)
  if (codec !== STORED && codec !== DEFLATE && codec !== ZSTD)
    throw new BlockError(`block ${index} has an unknown codec`)
  const fits = codec === STORED ? bytes.length === rawBytes : bytes.length < rawBytes
  if (!fits) throw new BlockError(`block ${index} has ${bytes.length} bytes for ${rawBytes}`)
}

function unpack(block: Block, index: number, shielded: Shielded): Uint8Array {
  if (block.codec === STORED) return block.bytes
  let raw: Uint8Array
  try {
    raw = block.codec === DEFLATE ? inflated(block, shielded) : decompressed(block, shielded)
  } catch (cause) {
    throw new BlockError(`block ${index} cannot be unpacked`, { cause })
  }
  if (raw.length !== block.rawBytes)
    throw new BlockError(`block ${index} has ${raw.length} bytes instead of ${block.rawBytes}`)
  return raw
}

function inflated({ rawBytes, bytes }: Block, shielded: Shielded): Uint8Array {
  const { raw, readBytes } = inflate(bytes, outputOf(rawBytes), shielded)
  if (readBytes !== bytes.length) throw new BlockError('there are bytes after its end')
  return raw
}

function decompressed({ rawBytes, bytes }: Block, shielded: Shielded): Uint8Array {
  checkZstdFrame(bytes, rawBytes)
  return unzstd(bytes, outputOf(rawBytes), shielded) ?? decompressZstd(bytes, rawBytes)
}

function byteLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

/** Makes a block: packed if that saves enough, otherwise stored. */
function block(raw: Uint8Array, codec: Codec, packed: Uint8Array | undefined): Block {
  const rawBytes = raw.length
  return packed && saves(packed.length, rawBytes)
    ? { codec, rawBytes, bytes: packed }
    : { codec: STORED, rawBytes, bytes: raw }
}

/** Decides by samples how to compress blocks. A sample also counts for the next blocks of the same length, up to `BLOCK_BYTES` in all. */
class Samples {
  readonly #level: number
  readonly #shielded: Shielded
  /** Undefined: do not compress. */
  #options: ZlibOptions | undefined
  #index = Number.NaN
  #length = 0
  #leftBytes = 0

  constructor(level: number, shielded: Shielded) {
    this.#level = level
    this.#shielded = shielded
  }

  /** @param index of the block. @returns undefined: do not compress */
  deflateOptions(raw: Uint8Array, index: number): ZlibOptions | undefined {
    if (!this.#isGoodFor(raw, index)) this.#options = deflateOptions(raw, this.#level, this.#shielded)
    return this.#options
  }

  /** Whether zstd makes a block smaller. */
  isWorthZstd(raw: Uint8Array, index: number): boolean {
    if (!this.#isGoodFor(raw, index)) {
      const sample = sampleOf(raw)
      const packed = sample && compressZstd(sample, FAST_LEVEL, this.#shielded)
      const isWorth = sample === undefined || packed === undefined || saves(packed.length, sample.length)
      this.#options = isWorth ? FAST_DEFLATE : undefined
    }
    return this.#options !== undefined
  }

  #isGoodFor({ length }: Uint8Array, index: number): boolean {
    const isGood = index === this.#index + 1 && length === this.#length && length <= this.#leftBytes
    this.#leftBytes = (isGood ? this.#leftBytes : BLOCK_BYTES) - length
    this.#index = index
    this.#length = length
    return isGood
  }
}

function deflateOptions(raw: Uint8Array, level: number, shielded: Shielded): ZlibOptions | undefined {
  const options = level === FAST_LEVEL ? FAST_DEFLATE : { level }
  const sample = sampleOf(raw)
  if (sample === undefined) return options
  const fast = deflate(sample, FAST_DEFLATE, shielded).length
  if (!saves(fast, sample.length)) return undefined
  if (level !== FAST_LEVEL) return options
  const coded = deflate(sample, CODED_ONLY, shielded).length
  return coded <= fast + fast / MOST_LOSS ? CODED_ONLY : options
}

/** Undefined for a block so small that compressing it takes no longer than a sample. */
function sampleOf(raw: Uint8Array): Uint8Array | undefined {
  if (raw.length <= 2 * SAMPLE_BYTES) return undefined
  const piece = SAMPLE_BYTES / SAMPLE_PIECES
  const gap = Math.floor((raw.length - piece) / (SAMPLE_PIECES - 1))
  const pieces = Array.from({ length: SAMPLE_PIECES }, (_, i) => raw.subarray(i * gap, i * gap + piece))
  return Buffer.concat(pieces)
}

/** Undefined if compression does not pay, or this Node lacks the codec. */
function compress(
  raw: Uint8Array,
  index: number,
  codec: Codec,
  samples: Samples,
  shielded: Shielded,
): Uint8Array | undefined {
  if (codec === STORED) return undefined
  if (codec === ZSTD)
    return samples.isWorthZstd(raw, index) ? compressZstd(raw, FAST_LEVEL, shielded) : undefined
  const options = samples.deflateOptions(raw, index)
  return options && deflate(raw, options, shielded)
}

function saves(packedBytes: number, rawBytes: number): boolean {
  return packedBytes < rawBytes - rawBytes / LEAST_SAVING
}

/** Limits the output to the declared size, in one chunk. zlib requires chunks of at least 64 bytes. */
function outputOf(rawBytes: number): { readonly maxOutputLength: number; readonly chunkSize: number } {
  return { maxOutputLength: rawBytes, chunkSize: Math.max(64, rawBytes) }
}

/** Splits the concatenated parts into pieces of `BLOCK_BYTES`, or of the given lengths, which must have the same sum. */
export function* split(parts: readonly Uint8Array[], lengths?: readonly number[]): Generator<Piece> {
  let views: Uint8Array[] = []
  let bytes = 0
  let index = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const length = lengths?.[index] ?? BLOCK_BYTES
      const end = Math.min(part.length, at + length - bytes)
      views.push(part.subarray(at, end))
      bytes += end - at
      at = end
      if (bytes < length) continue
      yield new Piece(index, views, bytes)
      index += 1
      views = []
      bytes = 0
    }
  }
  if (bytes > 0) yield new Piece(index, views, bytes)
}

/** Bytes that become a block. */
export class Piece {
  constructor(
    /** Index of the block. */
    readonly index: number,
    /** Concatenated, the piece's bytes. */
    readonly views: readonly Uint8Array[],
    readonly length: number,
  ) {}

  /** Whether it lies within one part, so that joining makes no copy. */
  get isView(): boolean {
    return this.views.length === 1
  }

  join(): Uint8Array {
    const [only] = this.views
    return only && this.isView ? only : Buffer.concat(this.views)
  }
}
