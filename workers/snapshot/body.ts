// The body of a snapshot: a session's memory and its host's state as one stream of packed blocks (docs/snapshot-format.md).
// Owns the layout and its checks; what pages and host state mean is interpreter/memory-delta.ts's and host/state's, packing is
// blocks.ts's. Bytes to read are hostile (N1, N2).
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Effort } from '../../src/shared/messages/slot.js'
import { deltaBytes, type MemoryCapture, type MemoryDelta } from '../interpreter/memory-delta.js'
import { PieceReader } from '../interpreter/piece-reader.js'
import { type PackingRoom, UNLIMITED_ROOM } from '../memory/packing-room.js'
import { MAP_BYTES } from '../page-xor.js'
import {
  BEST_CODEC,
  type Block,
  type Codec,
  packBlocks,
  packBlocksAside,
  unpackBlocks,
  unpackedBytes,
} from './blocks.js'
import { BodyError } from './body-error.js'
import { readHostState, writeHostState } from './host-state-json.js'
import type { Shielded } from './streams.js'

export interface Body {
  readonly memory: MemoryDelta
  /** JSON: the one format that a sealed thread reads natively. */
  readonly hostState: unknown
  /** The bytes of files, which the host state names by offset. */
  readonly contents: Uint8Array
}

export interface PackedBody {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** sha-256 of the bytes. */
  readonly hash: Uint8Array
  readonly rawBytes: number
}

/** Before the stream's parts: number of pages and `HAS_MAPS`, bytes of the host state, bytes of the contents. */
const HEAD_BYTES = 16
const PAGE_BYTES = 4096
/** In the number of pages: their maps follow. A stream without maps has whole pages instead. */
const HAS_MAPS = 2 ** 31
/** Before each block: codec, unpacked and packed length. */
const BLOCK_HEAD_BYTES = 9

/** What goes into a body; contents are put one after the other. */
export interface BodyParts {
  readonly memory: MemoryCapture
  readonly hostState: unknown
  readonly contents: readonly Uint8Array[]
}

/** How a body is packed. */
export interface Packing {
  readonly effort: Effort
  /** Most bytes of the packed body; null: no bound. */
  readonly maxBytes: number | null
  readonly shielded?: Shielded | undefined
  readonly room: PackingRoom
}

/** The packed body has more bytes than it may. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'

  constructor(readonly bytes: number) {
    super(`a body of ${bytes} bytes`)
  }
}

/** @throws BodyTooLargeError, NoRoomError */
export function packBody(body: BodyParts, packing: Packing): PackedBody {
  const parts = stream(body, packing.room)
  const { shielded, room } = packing
  const blocks = packBlocks(parts, BEST_CODEC, effortFor(parts, packing), shielded, room)
  return assembled(blocks, byteLength(parts), packing)
}

/** The same, for which other threads may help: what it was captured from must stay as it is meanwhile. */
export async function packBodyAside(body: BodyParts, packing: Packing): Promise<PackedBody> {
  const parts = stream(body, packing.room)
  const { shielded, room } = packing
  const blocks = await packBlocksAside(parts, BEST_CODEC, effortFor(parts, packing), shielded, room)
  return assembled(blocks, byteLength(parts), packing)
}

/** What would be too large without compression is compressed. */
function effortFor(parts: readonly Uint8Array[], { effort, maxBytes }: Packing): Effort {
  const mayNotFit = maxBytes !== null && byteLength(parts) + BLOCK_HEAD_BYTES > maxBytes
  return effort === 'least' && mayNotFit ? 'quick' : effort
}

function stream({ memory, hostState, contents }: BodyParts, room: PackingRoom): Uint8Array[] {
  const host = writeHostState(hostState, room)
  const head = new DataView(new ArrayBuffer(HEAD_BYTES))
  head.setUint32(0, HAS_MAPS + memory.pages.length, true)
  head.setUint32(4, byteLength(host), true)
  head.setFloat64(8, byteLength(contents), true)
  return [
    new Uint8Array(head.buffer),
    steps(memory.pages),
    ...memory.maps,
    ...host,
    ...memory.parts,
    ...contents,
  ]
}

function assembled(blocks: readonly Block[], rawBytes: number, { maxBytes, room }: Packing): PackedBody {
  let length = 0
  for (const block of blocks) length += BLOCK_HEAD_BYTES + block.bytes.length
  if (maxBytes !== null && length > maxBytes) throw new BodyTooLargeError(length)
  room.take(length)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const block of blocks) {
    view.setUint8(at, block.codec)
    view.setUint32(at + 1, block.rawBytes, true)
    view.setUint32(at + 5, block.bytes.length, true)
    bytes.set(block.bytes, at + BLOCK_HEAD_BYTES)
    at += BLOCK_HEAD_BYTES + block.bytes.length
  }
  return { bytes, rawBytes, hash: sha256(bytes) }
}

/**
 * The body's parts may be views of `bytes`, which no other thread has: else it could change them after they were checked. Whoever
 * sent them has counted them.
 *
 * @throws BodyError, NoRoomError, or what unpacking throws
 */
export function unpackBody(
  bytes: Uint8Array,
  hash: Uint8Array,
  rawBytes: number,
  memoryBytes: number,
  shielded?: Shielded,
  room: PackingRoom = UNLIMITED_ROOM,
): Body {
  if (!(bytes.buffer instanceof ArrayBuffer)) throw new BodyError('it is in shared memory')
  if (!timingSafeEqual(sha256(bytes), hash)) throw new BodyError('its checksum is wrong')
  const blocks = readBlocks(bytes)
  room.take(unpackedBytes(blocks))
  const raw = new PieceReader(unpackBlocks(blocks, rawBytes, shielded))
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
  if (left !== 0) throw new BodyError('something follows its parts')
  return { memory: { memoryBytes, pages, maps, xored }, hostState: readHostState(host, room), contents }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length)
  new PieceReader(pieces).read(all, 0, length)
  return all
}

function readBlocks(bytes: Uint8Array): Block[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const blocks: Block[] = []
  for (let at = 0; at < bytes.length; ) {
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

/** Page numbers as the step from one to the next: mostly ones, which pack to nothing. */
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

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
