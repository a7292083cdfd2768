// A snapshot as bytes: one MessagePack document, docs/snapshot-format.md. Owns its layout and all checks of it that need no
// interpreter; the body's insides are the slot's (workers/snapshot), which checks them before it applies a byte (N2).
import { createHash, timingSafeEqual } from 'node:crypto'
import { SnapshotError } from '../errors.js'
import { messageOf } from '../thrown.js'
import { bytes, count, fields, list, text } from './fields.js'
import { readGlobals } from './globals.js'
import { type FileEntry, readDescription } from './manifest.js'
import { decode, encode, MsgpackError } from './msgpack.js'

export const SNAPSHOT_FORMAT_VERSION = 1
const MAGIC = 'brumate snapshot'
const HASH_BYTES = 32
/** Manifest and values are bounded by the kernel; more than this is not ours. */
const MAX_HEAD_BYTES = 8 * 1024 * 1024

/** A body of this length is checked at once, which takes a millisecond; a longer one by the slot that thaws it (H1). */
const MAX_CHECKED_BYTES = 1024 * 1024

/** What stands before the body. */
export interface Head {
  readonly imageId: string
  readonly pyodideVersion: string
  readonly pythonVersion: string
  readonly createdAtMs: number
  readonly executionCount: number
  /** Size of the interpreter's memory. */
  readonly memoryBytes: number
  /** Of the body, unpacked. */
  readonly rawBytes: number
  /** sha-256 of the body. */
  readonly bodyHash: Uint8Array
  /** MessagePack, by the kernel. */
  readonly description: Uint8Array
  /** MessagePack, by the kernel. */
  readonly values: Uint8Array
  readonly files: readonly FileEntry[]
  /** Why host calls are suspended, by id. */
  readonly reasons: Readonly<Record<string, string>>
}

export interface Parts {
  readonly head: Head
  /** As it is in the document: the checksum is of these bytes. */
  readonly headBytes: Uint8Array
  readonly body: Uint8Array
  /** HMAC over tenant and checksum; `null` where no key was given. */
  readonly signature: Uint8Array | null
}

export function encodeHead(head: Head): Uint8Array<ArrayBuffer> {
  return encode({ ...head, files: head.files.map(({ path, sizeBytes }) => [path, sizeBytes]) })
}

/** sha-256 of the head, which has that of the body: the checksum over all. */
export function checksum(headBytes: Uint8Array): Buffer {
  return sha256(headBytes)
}

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}

export function encodeDocument({ headBytes, body, signature }: Omit<Parts, 'head'>): Uint8Array<ArrayBuffer> {
  return encode([MAGIC, SNAPSHOT_FORMAT_VERSION, headBytes, body, checksum(headBytes), signature])
}

/** Length of a document, without making it. */
export function documentBytes({ headBytes, body, signature }: Omit<Parts, 'head'>): number {
  const array = 1
  const version = 1
  const hashes = bin(HASH_BYTES) + (signature === null ? 1 : bin(HASH_BYTES))
  return array + 1 + MAGIC.length + version + bin(headBytes.length) + bin(body.length) + hashes
}

/** Bytes of MessagePack's `bin` of a length. */
function bin(length: number): number {
  return length + (length < 2 ** 8 ? 2 : length < 2 ** 16 ? 3 : 5)
}

/**
 * The parts of a document. The body is a view of it, and only its checksum is looked at.
 *
 * @throws SnapshotError of reason `corrupt` or, for another version of the format, `incompatible`
 */
export function decodeDocument(document: Uint8Array): Parts {
  return corruptUnless(() => {
    const [magic, version, headView, body, stated, signature, ...rest] = list(decode(document))
    if (magic !== MAGIC) throw new MsgpackError('it does not begin as one does')
    if (count(version) !== SNAPSHOT_FORMAT_VERSION) {
      const message = `the snapshot has format version ${version}, this version of brumate reads ${SNAPSHOT_FORMAT_VERSION}`
      throw new SnapshotError('incompatible', `${message}; use the version that wrote it`)
    }
    if (rest.length > 0) throw new MsgpackError('it has too many parts')
    if (bytes(headView).length > MAX_HEAD_BYTES) throw new MsgpackError('its head is too long')
    const headBytes = new Uint8Array(bytes(headView))
    if (!timingSafeEqual(checksum(headBytes), bytes(stated, HASH_BYTES)))
      throw new MsgpackError('its checksum is wrong')
    const head = readHead(headBytes)
    if (bytes(body).length <= MAX_CHECKED_BYTES && !timingSafeEqual(sha256(bytes(body)), head.bodyHash))
      throw new MsgpackError('the checksum of its body is wrong')
    return {
      head,
      headBytes,
      body: bytes(body),
      signature: signature === null ? null : new Uint8Array(bytes(signature, HASH_BYTES)),
    }
  })
}

/** Every part of it is read once here, so that reading one later cannot fail. */
function readHead(headBytes: Uint8Array): Head {
  const head = fields(decode(headBytes))
  const imageId = text(head.get('imageId'))
  if (!/^[0-9a-f]{64}$/.test(imageId)) throw new MsgpackError('it names no image')
  const createdAtMs = head.get('createdAtMs')
  if (typeof createdAtMs !== 'number' || !(Math.abs(createdAtMs) <= 8.64e15))
    throw new MsgpackError('it has no date')
  const description = bytes(head.get('description'))
  const values = bytes(head.get('values'))
  readDescription(description)
  readGlobals(values)
  return {
    imageId,
    createdAtMs,
    description,
    values,
    pyodideVersion: text(head.get('pyodideVersion')),
    pythonVersion: text(head.get('pythonVersion')),
    executionCount: count(head.get('executionCount')),
    memoryBytes: count(head.get('memoryBytes')),
    rawBytes: count(head.get('rawBytes')),
    bodyHash: bytes(head.get('bodyHash'), HASH_BYTES),
    reasons: Object.fromEntries(
      [...fields(head.get('reasons') ?? new Map())].map(([id, reason]) => [text(id), text(reason)]),
    ),
    files: list(head.get('files')).map((entry) => {
      const [path, sizeBytes] = list(entry)
      return { path: text(path), sizeBytes: count(sizeBytes) }
    }),
  }
}

/** Anything but a SnapshotError that reading hostile bytes throws says the same: they are no snapshot. */
function corruptUnless<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof SnapshotError) throw error
    const reason = messageOf(error, 'it cannot be read')
    throw new SnapshotError('corrupt', `not a snapshot, or a damaged one: ${reason}`, { cause: error })
  }
}
