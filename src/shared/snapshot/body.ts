// A snapshot's body on the main thread: packed blocks, in pieces that can come from several captures. If a session has changed little, a
// capture brings only the changed blocks, and the others are reused from the snapshot before it. Owns how pieces are put together; it never
// unpacks them.
import { createHash } from 'node:crypto'
import { SnapshotError } from '../errors.js'
import { BLOCK_HEAD_BYTES, hashOfBlock, NEW_BLOCK } from './block.js'

/** A whole capture pays off once the buffers behind a body are more than this many times as long as the body. */
const MOST_HELD = 2
/** Most blocks into which a body is split (H1). A body of 1 GiB has a quarter as many. */
const MOST_SPLIT = 16_384
/** Most blocks that the main thread hashes in one go (H1). */
const MOST_HASHED = 1024
/** Most buffers behind one body. */
const MOST_BUFFERS = 64

export interface BodyPiece {
  /** Pieces with the same id have the same bytes. The id does not keep the bytes alive. */
  readonly id: object
  readonly bytes: Uint8Array
}

export class BodyError extends Error {
  override readonly name = 'BodyError'
}

export class SnapshotBody {
  readonly pieces: readonly BodyPiece[]
  /** In bytes. */
  readonly length: number

  private constructor(pieces: readonly BodyPiece[]) {
    this.pieces = pieces
    this.length = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** Makes a body of one piece. The bytes must not change any more. */
  static of(bytes: Uint8Array): SnapshotBody {
    return new SnapshotBody([{ id: {}, bytes }])
  }

  /**
   * Makes a body from a plan: each entry is the index of a block of `base`, or `NEW_BLOCK` for the next block of `bytes`. The plan and the
   * bytes come from a worker and are untrusted (R3).
   *
   * @throws BodyError
   */
  static planned(
    plan: Uint32Array,
    bytes: Uint8Array,
    base: SnapshotBody | undefined,
    maxBytes: number,
  ): SnapshotBody {
    let newCount = 0
    for (const index of plan) if (index === NEW_BLOCK) newCount += 1
    const fresh = blocksOf(bytes, newCount)
    const pieces: BodyPiece[] = []
    let length = 0
    let used = 0
    for (const index of plan) {
      const piece = index === NEW_BLOCK ? fresh[used++] : base?.pieces[index]
      if (piece === undefined) throw new BodyError(`there is no block ${index}`)
      length += piece.bytes.length
      if (length > maxBytes) throw new BodyError(`it has more than ${maxBytes} bytes`)
      pieces.push(piece)
    }
    return new SnapshotBody(pieces)
  }

  /**
   * The same bytes with one piece per block, so that block indexes agree with those of a slot or a store. Returns this body if it has
   * too many blocks, or if its bytes are not blocks.
   */
  split(): SnapshotBody {
    const [only] = this.pieces
    if (only === undefined || this.pieces.length > 1) return this
    try {
      return new SnapshotBody(blocksOf(only.bytes))
    } catch (error) {
      if (error instanceof BodyError) return this
      throw error
    }
  }

  /** The buffers that this body keeps alive. */
  get buffers(): ReadonlySet<ArrayBufferLike> {
    return new Set(this.pieces.map(({ bytes }) => bytes.buffer))
  }

  /** Whether another capture should refer to this body's blocks. If not, a whole capture frees buffers of which few blocks are in use. */
  get isCompact(): boolean {
    const { buffers } = this
    let held = 0
    for (const { byteLength } of buffers) held += byteLength
    return buffers.size <= MOST_BUFFERS && held <= MOST_HELD * this.length
  }

  copyInto(to: Uint8Array): void {
    let at = 0
    for (const { bytes } of this.pieces) {
      to.set(bytes, at)
      at += bytes.length
    }
  }

  get views(): readonly Uint8Array[] {
    return this.pieces.map(({ bytes }) => bytes)
  }

  /** @throws SnapshotError if there is not enough memory */
  copy(): SnapshotBody {
    try {
      const bytes = new Uint8Array(this.length)
      this.copyInto(bytes)
      return SnapshotBody.of(bytes)
    } catch (cause) {
      const message = `there is no memory for a snapshot of ${this.length} bytes`
      throw new SnapshotError('too-large', message, { cause })
    }
  }
}

/** Splits bytes into blocks. Reads only the blocks' lengths. */
function blocksOf(bytes: Uint8Array, count?: number): BodyPiece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const blocks: BodyPiece[] = []
  let at = 0
  while (at < bytes.length) {
    if (blocks.length === (count ?? MOST_SPLIT) || at + BLOCK_HEAD_BYTES > bytes.length)
      throw new BodyError('its blocks do not end where its head says')
    const end = at + BLOCK_HEAD_BYTES + view.getUint32(at + 5, true)
    if (end > bytes.length) throw new BodyError('a block ends early')
    blocks.push({ id: {}, bytes: bytes.subarray(at, end) })
    at = end
  }
  if (count !== undefined && blocks.length !== count)
    throw new BodyError(`${blocks.length} blocks instead of ${count}`)
  return blocks
}

/**
 * The value of a head's `bodyHash`; undefined if the body has more blocks than the main thread hashes.
 *
 * @param version of the format
 * @throws BodyError if the version is 3 and the bytes are not blocks
 */
export function hashOfBody(bytes: Uint8Array, version: number): Buffer | undefined {
  if (version === 2) return sha256(bytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const all = createHash('sha256')
  for (let at = 0, count = 0; at < bytes.length; count += 1) {
    if (count === MOST_HASHED) return undefined
    if (at + BLOCK_HEAD_BYTES > bytes.length) throw new BodyError('a block ends early')
    const dataAt = at + BLOCK_HEAD_BYTES
    const end = dataAt + view.getUint32(at + 5, true)
    if (end > bytes.length) throw new BodyError('a block ends early')
    all.update(hashOfBlock(bytes.subarray(at, dataAt), sha256(bytes.subarray(dataAt, end))))
    at = end
  }
  return all.digest()
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
