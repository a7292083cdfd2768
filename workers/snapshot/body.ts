// The body of a snapshot: a session's memory and its host's state as one stream of packed blocks (docs/snapshot-format.md).
// Owns the layout and its checks; interpreter/memory-delta.ts and host/state own the meaning of pages and host state, blocks.ts owns
// packing. Bytes to read are hostile (N1, N2).
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Effort } from '../../src/shared/messages/slot.js'
import { BLOCK_HEAD_BYTES, hashOfBlock, NEW_BLOCK } from '../../src/shared/snapshot/block.js'
import { deltaBytes, type MemoryCapture, type MemoryDelta } from '../interpreter/memory-delta.js'
import { PieceReader } from '../interpreter/piece-reader.js'
import { type PackingRoom, UNLIMITED_ROOM } from '../memory/packing-room.js'
import { MAP_BYTES } from '../page-xor.js'
import {
  BEST_CODEC,
  BLOCK_BYTES,
  type Block,
  type BlockPacking,
  type Codec,
  mostBlocks,
  type Piece,
  packPieces,
  packPiecesAside,
  split,
  unpackBlocks,
  unpackedBytes,
} from './blocks.js'
import { BodyError } from './body-error.js'
import { cutLengths } from './cuts.js'
import { readHostState, writeHostState } from './host-state-json.js'
import { KnownBlocks } from './known-blocks.js'
import { type Shielded, UNSHIELDED } from './streams.js'

export interface Body {
  readonly memory: MemoryDelta
  /** Parsed from JSON, the only format that a sealed thread can read natively. */
  readonly hostState: unknown
  /** The bytes of files and pipes, in the order of the host state. */
  readonly contents: Uint8Array
  /** Blocks that the next body may leave out, if a number was given. */
  readonly known: KnownBlocks | undefined
}

export interface PackedBody {
  /** All blocks, or only those that are not in the base. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** `hashOfBody` of all blocks. */
  readonly hash: Uint8Array
  readonly rawBytes: number
  /** How the main thread assembles the blocks; null if there is only one. */
  readonly plan: Uint32Array<ArrayBuffer> | null
  /** Blocks that the next body may leave out, if a number was given. */
  readonly known: KnownBlocks | undefined
}

/** The head of the stream: number of pages plus `HAS_MAPS`, bytes of the host state, bytes of the contents. */
const HEAD_BYTES = 16
const PAGE_BYTES = 4096
/** Added to the number of pages if their maps follow. A stream without maps has whole pages instead. */
const HAS_MAPS = 2 ** 31

/** A body as it was received. */
export interface PackedSource {
  readonly bytes: Uint8Array
  readonly formatVersion: number
  readonly hash: Uint8Array
  readonly rawBytes: number
  readonly memoryBytes: number
  /** Identifies this body, if the next body that is packed may leave out its blocks. */
  readonly number?: number | null
}

/** What goes into a body. The contents are concatenated. */
export interface BodyParts {
  readonly memory: MemoryCapture
  readonly hostState: unknown
  readonly contents: readonly Uint8Array[]
}

/** How a body is packed. */
export interface Packing {
  readonly effort: Effort
  /** Most bytes of the packed body; null: no limit. */
  readonly maxBytes: number | null
  readonly shielded?: Shielded | undefined
  readonly room: PackingRoom
  /** Identifies this body, if the next one may leave out its blocks. */
  readonly number?: number | null
  /** Blocks to leave out. */
  readonly base?: KnownBlocks | undefined
}

/** The packed body has more than `maxBytes`. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'

  constructor(readonly bytes: number) {
    super(`a body of ${bytes} bytes`)
  }
}

/** @throws BodyTooLargeError, NoRoomError */
export function packBody(body: BodyParts, packing: Packing): PackedBody {
  const draft = new BodyDraft(body, packing)
  return draft.finish(packPieces(draft.missing, draft.blockPacking))
}

/** Like `packBody`, with the help of other threads. The memory that was captured must not change meanwhile. */
export async function packBodyAside(body: BodyParts, packing: Packing): Promise<PackedBody> {
  const draft = new BodyDraft(body, packing)
  return draft.finish(await packPiecesAside(draft.missing, draft.blockPacking))
}

/**
 * A body that is being packed. If it has several blocks, it is cut so that the next body has many of the same. Equal blocks are found by
 * the hash of their unpacked bytes.
 */
class BodyDraft {
  /** Pieces that have to be packed, because the base does not have them. */
  readonly missing: readonly Piece[]
  readonly blockPacking: BlockPacking
  readonly #packing: Packing
  readonly #pieces: readonly Piece[]
  /** Hashes of the pieces. Undefined if there is only one block, or there is no base and the next body cannot build on this one. */
  readonly #digests: readonly Buffer[] | undefined

  constructor(body: BodyParts, packing: Packing) {
    const { shielded = UNSHIELDED, room, number, base } = packing
    const { before, memory, contents } = stream(body, room)
    const parts = [...before, ...memory, ...contents]
    const totalBytes = byteLength(parts)
    const effort = effortFor(totalBytes, packing)
    this.#packing = packing
    this.blockPacking = { codec: BEST_CODEC, effort, totalBytes, shielded, room }
    const isLarge = totalBytes > BLOCK_BYTES
    const lengths = isLarge ? cutLengths(byteLength(before), body.memory, contents) : undefined
    this.#pieces = [...split(parts, lengths)]
    const isHashed = isLarge && (base !== undefined || typeof number === 'number')
    this.#digests = isHashed ? this.#pieces.map(({ views }) => sha256(...views)) : undefined
    this.missing = base ? this.#pieces.filter((_, index) => !this.#find(index)) : this.#pieces
  }

  #find(index: number) {
    const digest = this.#digests?.[index]
    return digest && this.#packing.base?.find(digest)
  }

  /** @param packed a block for each missing piece. @throws BodyTooLargeError, NoRoomError */
  finish(packed: readonly Block[]): PackedBody {
    const { totalBytes: rawBytes } = this.blockPacking
    const { maxBytes, number, room } = this.#packing
    const isLarge = rawBytes > BLOCK_BYTES
    const plan = new Uint32Array(isLarge ? this.#pieces.length : 0)
    const known = this.#digests && typeof number === 'number' ? new KnownBlocks(number) : undefined
    const all = createHash('sha256')
    const heads: Buffer[] = []
    let length = 0
    for (const index of this.#pieces.keys()) {
      const digest = this.#digests?.[index]
      const found = this.#find(index)
      const block = found ? undefined : packed[heads.length]
      let packedBytes = found?.packedBytes ?? 0
      let hash = found?.hash
      if (block) {
        const head = headOf(block)
        heads.push(head)
        packedBytes = head.length + block.bytes.length
        const isStored = block.bytes.length === block.rawBytes
        if (isLarge) hash = hashOfBlock(head, isStored && digest ? digest : sha256(block.bytes))
      }
      length += packedBytes
      if (isLarge) plan[index] = found ? found.index : NEW_BLOCK
      if (hash) all.update(hash)
      if (hash && digest) known?.add(digest, { hash, packedBytes })
    }
    if (maxBytes !== null && length > maxBytes) throw new BodyTooLargeError(length)
    const bytes = assembled(packed, heads, room)
    return isLarge
      ? { bytes, rawBytes, hash: all.digest(), plan, known }
      : { bytes, rawBytes, hash: sha256(bytes), plan: null, known: undefined }
  }
}

/** Compresses a body that would be too large without compression. */
function effortFor(totalBytes: number, { effort, maxBytes }: Packing): Effort {
  const mayNotFit = maxBytes !== null && totalBytes + BLOCK_HEAD_BYTES > maxBytes
  return effort === 'least' && mayNotFit ? 'quick' : effort
}

function stream({ memory, hostState, contents }: BodyParts, room: PackingRoom) {
  const host = writeHostState(hostState, room)
  const head = new DataView(new ArrayBuffer(HEAD_BYTES))
  head.setUint32(0, HAS_MAPS + memory.pages.length, true)
  head.setUint32(4, byteLength(host), true)
  head.setFloat64(8, byteLength(contents), true)
  const before = [new Uint8Array(head.buffer), steps(memory.pages), ...memory.maps, ...host]
  return { before, memory: memory.parts, contents }
}

function headOf({ codec, rawBytes, bytes }: Block): Buffer {
  const head = Buffer.alloc(BLOCK_HEAD_BYTES)
  head.writeUInt8(codec, 0)
  head.writeUInt32LE(rawBytes, 1)
  head.writeUInt32LE(bytes.length, 5)
  return head
}

function assembled(
  blocks: readonly Block[],
  heads: readonly Buffer[],
  room: PackingRoom,
): Uint8Array<ArrayBuffer> {
  const length = byteLength(heads) + byteLength(blocks.map(({ bytes }) => bytes))
  room.take(length)
  const all = new Uint8Array(length)
  let at = 0
  for (const [index, block] of blocks.entries()) {
    for (const part of [heads[index] as Buffer, block.bytes]) {
      all.set(part, at)
      at += part.length
    }
  }
  return all
}

/**
 * Unpacks and checks a body. Its parts may be views of `bytes`, which no other thread may have, because it could change them after they
 * were checked. `room` need not cover `bytes` themselves: the sender has counted them.
 *
 * @throws BodyError, NoRoomError, or what unpacking throws
 */
export function unpackBody(
  { bytes, formatVersion, hash, rawBytes, memoryBytes, number = null }: PackedSource,
  shielded?: Shielded,
  room: PackingRoom = UNLIMITED_ROOM,
): Body {
  if (!(bytes.buffer instanceof ArrayBuffer)) throw new BodyError('it is in shared memory')
  const isCut = formatVersion !== 2
  const lengths = isCut ? 'any' : 'equal'
  // Limit the number of blocks before hashing anything: there may be a block for every nine bytes.
  const blocks = readBlocks(bytes, mostBlocks(rawBytes, lengths))
  const dataHashes = isCut ? blocks.map((block) => sha256(block.bytes)) : []
  const blockHashes = dataHashes.map((dataHash, i) => hashOfBlock(headOf(blocks[i] as Block), dataHash))
  const actual = isCut ? sha256(...blockHashes) : sha256(bytes)
  if (!timingSafeEqual(actual, hash)) throw new BodyError('its checksum is wrong')
  room.take(unpackedBytes(blocks))
  const pieces = unpackBlocks(blocks, rawBytes, shielded, lengths)
  const known = isCut && number !== null ? new KnownBlocks(number) : undefined
  for (const [i, block] of known ? blocks.entries() : []) {
    const [raw, hash] = [pieces[i], blockHashes[i]]
    const digest = raw === block.bytes ? dataHashes[i] : sha256(raw as Uint8Array)
    if (digest && hash) known?.add(digest, { hash, packedBytes: BLOCK_HEAD_BYTES + block.bytes.length })
  }
  const raw = new PieceReader(pieces)
  let left = rawBytes
  const views = (length: number) => {
    if (!(length >= 0 && length <= left)) throw new BodyError('its parts do not fit')
    left -= length
    return raw.views(length)
  }
  const take = (length: number) => {
    const [only = new Uint8Array(0), ...others] = views(length)
    if (others.length === 0) return only
    room.take(length)
    return joined([only, ...others], length)
  }
  if (rawBytes < HEAD_BYTES) throw new BodyError('it is too short')
  const { buffer, byteOffset } = take(HEAD_BYTES)
  const head = new DataView(buffer, byteOffset, HEAD_BYTES)
  const first = head.getUint32(0, true)
  const pageCount = first % HAS_MAPS
  const hostBytes = head.getUint32(4, true)
  const contentsBytes = head.getFloat64(8, true)
  const pages = pageNumbers(take(4 * pageCount), memoryBytes)
  const maps = first >= HAS_MAPS ? take(MAP_BYTES * pageCount) : undefined
  const host = take(hostBytes)
  const xored = views(deltaBytes(pageCount, maps))
  const contents = take(contentsBytes)
  if (left !== 0) throw new BodyError('there are bytes after its parts')
  return {
    memory: { memoryBytes, pages, maps, xored },
    hostState: readHostState(host, room),
    contents,
    known,
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length)
  new PieceReader(pieces).read(all, 0, length)
  return all
}

function readBlocks(bytes: Uint8Array, most: number): Block[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const blocks: Block[] = []
  for (let at = 0; at < bytes.length; ) {
    if (blocks.length >= most) throw new BodyError(`it has more than ${most} blocks`)
    if (at + BLOCK_HEAD_BYTES > bytes.length) throw new BodyError('a block ends early')
    const codec = view.getUint8(at)
    if (codec > 2) throw new BodyError(`there is no codec ${codec}`)
    const end = at + BLOCK_HEAD_BYTES + view.getUint32(at + 5, true)
    if (end > bytes.length) throw new BodyError('a block ends early')
    blocks.push({
      codec: codec as Codec,
      rawBytes: view.getUint32(at + 1, true),
      bytes: bytes.subarray(at + BLOCK_HEAD_BYTES, end),
    })
    at = end
  }
  return blocks
}

/** Encodes page numbers as differences: those are mostly ones, which compress to almost nothing. */
function steps(pages: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * pages.length)
  const view = new DataView(bytes.buffer)
  let previous = 0
  for (const [i, page] of pages.entries()) {
    view.setUint32(4 * i, page - previous, true)
    previous = page
  }
  return bytes
}

function pageNumbers(bytes: Uint8Array, memoryBytes: number): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const pages = new Uint32Array(bytes.length / 4)
  let page = 0
  for (let i = 0; i < pages.length; i++) {
    page += view.getUint32(4 * i, true)
    if (page >= memoryBytes / PAGE_BYTES) throw new BodyError('a page lies outside the memory')
    pages[i] = page
  }
  return pages
}

function byteLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((total, part) => total + part.length, 0)
}

function sha256(...views: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const view of views) hash.update(view)
  return hash.digest()
}
