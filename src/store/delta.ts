// Deltas: the changes between two snapshots of a session. A store keeps a chain of them behind a whole snapshot. Owns the encoding of
// deltas, how a chain is resolved, and how long it may be. Bytes from a store are not trusted.
import { createHash } from 'node:crypto'
import { joined } from '../shared/copy.js'
import { isUint8Array } from '../shared/realms.js'
import type { DeltaRange, SnapshotDelta } from './store.js'

/** Longest chain. Reading a session reads the whole chain. */
export const MOST_DELTAS = 32
/** Longest snapshot. */
const MOST_BYTES = 2 ** 30
/** Most parts of a delta, and most pieces of a snapshot that is resolved from a chain. */
const MOST_PARTS = 2 ** 20

const MAGIC = 0x31_44_52_42
const HASH_BYTES = 32
/** Hash, magic, length of the snapshot before, length of the snapshot after, number of parts. */
const HEAD_BYTES = HASH_BYTES + 4 + 8 + 8 + 4
/** Two doubles: start and end of a range, or -1 and the length of new bytes. */
const PART_BYTES = 16
const NEW_BYTES = -1
/** Hashing this much takes a few milliseconds. */
const HASHED_AT_ONCE_BYTES = 2 ** 20

export class DeltaError extends Error {
  override readonly name = 'DeltaError'
}

/** The figures of a stored chain. */
export interface ChainFacts {
  /** Length of the whole snapshot that it begins with. */
  readonly wholeBytes: number
  readonly deltas: number
  /** Length of all deltas, as stored. */
  readonly deltaBytes: number
}

/** Whether a delta may be added. If not, store a whole snapshot: then reading a chain never costs more than twice a whole snapshot. */
export function hasRoom({ wholeBytes, deltas, deltaBytes }: ChainFacts, bytes: number): boolean {
  return deltas < MOST_DELTAS && deltaBytes + bytes <= wholeBytes
}

/** Number of new bytes in a delta. */
export function newBytes({ parts }: SnapshotDelta): number {
  return parts.reduce((sum, part) => (isUint8Array(part) ? sum + part.length : sum), 0)
}

/** Copies a delta with its new bytes. */
export async function copyDelta(delta: SnapshotDelta): Promise<SnapshotDelta> {
  const copy = await joined(delta.parts.filter(isUint8Array))
  let at = 0
  const parts = delta.parts.map((part) => {
    if (!isUint8Array(part)) return part
    at += part.length
    return copy.subarray(at - part.length, at)
  })
  return { ...delta, parts }
}

/** Encodes a delta into new bytes. */
export async function encodeDelta({ baseBytes, sizeBytes, parts }: SnapshotDelta): Promise<Uint8Array> {
  const head = Buffer.alloc(HEAD_BYTES + parts.length * PART_BYTES)
  let at = HASH_BYTES
  at = head.writeUInt32LE(MAGIC, at)
  at = head.writeDoubleLE(baseBytes, at)
  at = head.writeDoubleLE(sizeBytes, at)
  at = head.writeUInt32LE(parts.length, at)
  const fresh: Uint8Array[] = []
  for (const part of parts) {
    const [a, b] = isUint8Array(part) ? [NEW_BYTES, part.length] : [part.start, part.end]
    at = head.writeDoubleLE(a, at)
    at = head.writeDoubleLE(b, at)
    if (isUint8Array(part)) fresh.push(part)
  }
  const bytes = await joined([head, ...fresh])
  bytes.set(await hashOf(bytes.subarray(HASH_BYTES)))
  return bytes
}

/**
 * Decodes a delta. Its new bytes are views of `bytes`.
 *
 * @throws DeltaError
 */
export async function decodeDelta(bytes: Uint8Array): Promise<SnapshotDelta> {
  if (bytes.length < HEAD_BYTES) throw new DeltaError('it ends early')
  const hash = await hashOf(bytes.subarray(HASH_BYTES))
  if (!hash.equals(bytes.subarray(0, HASH_BYTES))) throw new DeltaError('its checksum is wrong')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = view.getUint32(HASH_BYTES + 20, true)
  let from = HEAD_BYTES + count * PART_BYTES
  if (view.getUint32(HASH_BYTES, true) !== MAGIC) throw new DeltaError('another version wrote it')
  if (count > MOST_PARTS || from > bytes.length) throw new DeltaError('it ends early')
  const parts: (Uint8Array | DeltaRange)[] = []
  for (let at = HEAD_BYTES, i = 0; i < count; i += 1, at += PART_BYTES) {
    const start = view.getFloat64(at, true)
    const end = view.getFloat64(at + 8, true)
    if (start !== NEW_BYTES) parts.push({ start, end })
    else if (end >= 0 && end <= bytes.length - from) {
      parts.push(bytes.subarray(from, from + end))
      from += end
    } else throw new DeltaError('it ends early')
  }
  if (from !== bytes.length) throw new DeltaError('there are bytes after its parts')
  return {
    baseBytes: view.getFloat64(HASH_BYTES + 4, true),
    sizeBytes: view.getFloat64(HASH_BYTES + 12, true),
    parts,
  }
}

/**
 * The snapshot at the end of a chain, as a copy.
 *
 * @param deltas oldest first
 * @throws DeltaError, or RangeError if there is not enough memory
 */
export async function resolveChain(
  whole: Uint8Array,
  deltas: readonly SnapshotDelta[],
): Promise<Uint8Array<ArrayBuffer>> {
  let pieces = new Pieces([whole])
  for (const delta of deltas) {
    if (delta.baseBytes !== pieces.length) throw new DeltaError('a delta of another snapshot')
    const next: Uint8Array[] = []
    for (const part of delta.parts) {
      if (isUint8Array(part)) next.push(part)
      else pieces.slice(part, next)
      if (next.length > MOST_PARTS) throw new DeltaError('it has too many parts')
    }
    pieces = new Pieces(next)
    if (delta.sizeBytes !== pieces.length || pieces.length > MOST_BYTES)
      throw new DeltaError(`it makes ${pieces.length} bytes instead of ${delta.sizeBytes}`)
  }
  return await joined(pieces.all)
}

/** A sequence of bytes that consists of several views. */
class Pieces {
  readonly #starts: number[] = []
  readonly length: number

  constructor(readonly all: readonly Uint8Array[]) {
    let at = 0
    for (const { length } of all) {
      this.#starts.push(at)
      at += length
    }
    this.length = at
  }

  /** Appends views of a range to `to`. */
  slice({ start, end }: DeltaRange, to: Uint8Array[]): void {
    const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end)
    if (!isRange || start < 0 || end < start || end > this.length) throw new DeltaError('a range of no bytes')
    let [low, high] = [0, this.all.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#starts[middle] ?? 0) <= start) low = middle
      else high = middle - 1
    }
    for (let at = start, index = low; at < end; index += 1) {
      const piece = this.all[index] as Uint8Array
      const first = at - (this.#starts[index] ?? 0)
      const view = piece.subarray(first, first + end - at)
      if (view.length > 0) to.push(view)
      at += view.length
    }
  }
}

async function hashOf(bytes: Uint8Array): Promise<Buffer> {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += HASHED_AT_ONCE_BYTES) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve))
    hash.update(bytes.subarray(at, at + HASHED_AT_ONCE_BYTES))
  }
  return hash.digest()
}
