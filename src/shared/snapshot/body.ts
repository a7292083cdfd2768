// A snapshot's body on the main thread: packed blocks, in as many pieces as captures brought them. A capture of a session that has changed
// little brings the changed blocks, and the others are those of the snapshot before it. Owns how pieces are put together; nothing of what
// is packed is looked at.
import { createHash } from 'node:crypto'
import { SnapshotError } from '../errors.js'
import { BLOCK_HEAD_BYTES, hashOfBlock, NEW_BLOCK } from './block.js'

/** A whole capture is worth it once the buffers behind a body have more bytes than this many bodies. */
const MOST_HELD = 2
/** Blocks that are told apart in a body from elsewhere (H1): a gibibyte has a quarter. */
const MOST_SPLIT = 16_384
/** Blocks that the main thread hashes at once (H1). */
const MOST_HASHED = 1024
/** Buffers of a body that took several captures. */
const MOST_BUFFERS = 64

export interface BodyPiece {
  /** Pieces with the same one are the same bytes. It does not keep the bytes from being freed. */
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

  /** Bytes that nobody changes any more, in one piece. */
  static of(bytes: Uint8Array): SnapshotBody {
    return new SnapshotBody([{ id: {}, bytes }])
  }

  /**
   * The body whose blocks are, in this order, those of the base that the plan numbers, and the given ones. The plan and the bytes come from
   * a worker (R3).
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
   * The same bytes in a piece for each block, for those who have the blocks' places in common with a slot or a store; itself if they are
   * too many, or none.
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

  /** The memory that it keeps from being freed, each buffer once. */
  get buffers(): ReadonlySet<ArrayBufferLike> {
    return new Set(this.pieces.map(({ bytes }) => bytes.buffer))
  }

  /** Another capture may refer to this body's blocks. Otherwise a whole one frees memory that nothing needs but its neighbours. */
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

  /** @throws SnapshotError when there is no memory for it */
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

/** Looks at the blocks' lengths alone. */
function blocksOf(bytes: Uint8Array, count?: number): BodyPiece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const blocks: BodyPiece[] = []
  let at = 0
  while (at < bytes.length) {
    if (blocks.length === (count ?? MOST_SPLIT) || at + BLOCK_HEAD_BYTES > bytes.length)
      throw new BodyError('it is cut elsewhere than it says')
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
 * What a head's `bodyHash` is; undefined if the body has more blocks than this thread hashes.
 *
 * @param version of the format
 * @throws BodyError if version 3 and the bytes are no blocks
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
