// The head of a snapshot: its description of itself, before the body (docs/snapshot-format.md). Owns the head's fields and every check of
// them. envelope.ts owns the layer around it. The slot reads the body (workers/snapshot), and checks it before it applies a byte (N2).
import { timingSafeEqual } from 'node:crypto'
import { SnapshotError } from '../errors.js'
import { messageOf } from '../thrown.js'
import { hashOfBody, SnapshotBody } from './body.js'
import { MAX_HEAD_COST } from './cost.js'
import { type Envelope, type FormatVersion, openEnvelope } from './envelope.js'
import { bytes, count, field, fields, list, number, text } from './fields.js'
import { readGlobals } from './globals.js'
import { type Description, type FileEntry, type PendingCall, readDescription } from './manifest.js'
import { decode, MAX_TIME_MS, MsgpackError } from './msgpack.js'
import { pack } from './pack.js'

const HASH_BYTES = 32
/** Limit for the description, and for the values. */
const MAX_PART_BYTES = 1024 * 1024
const MAX_FILES = 1000
/** Limit for the paths of all files together. The slot stops at 256 KiB. */
const MAX_PATHS_LENGTH = 300_000
/** Limit for the reasons of all suspended host calls together. They come from the host. */
const MAX_REASONS_LENGTH = 65_536

/** A body up to this length is checked right away, which takes a millisecond. A longer one is checked by the slot that restores it (H1). */
const MAX_CHECKED_BYTES = 1024 * 1024

/** The part of a snapshot before its body. */
export interface Head {
  readonly imageId: string
  readonly pyodideVersion: string
  readonly pythonVersion: string
  readonly createdAtMs: number
  readonly executionCount: number
  /** Size of the interpreter's memory. */
  readonly memoryBytes: number
  /** Length of the unpacked body. */
  readonly rawBytes: number
  /** The result of `hashOfBody`. */
  readonly bodyHash: Uint8Array
  /** MessagePack, written by the kernel. */
  readonly description: Uint8Array
  /** MessagePack, written by the kernel. */
  readonly values: Uint8Array
  readonly files: readonly FileEntry[]
  /** Why host calls are suspended, by call id. */
  readonly reasons: Readonly<Record<string, string>>
  /** False if `description` and `values` do not include the globals, so that only the body has them. */
  readonly described?: false
}

export interface Parts {
  readonly version: FormatVersion
  readonly head: Head
  /** The head exactly as in the document: the checksum covers these bytes. */
  readonly headBytes: Uint8Array
  readonly body: SnapshotBody
  /** HMAC over tenant and checksum; `null` if no key was given. */
  readonly signature: Uint8Array | null
}

/**
 * Makes a head from a slot's report. It has to pass the same checks as a head from elsewhere, because Python code can change the
 * kernel of its session, which can then report anything.
 *
 * @param source its `reasons` may include host calls that are not described; those are left out
 * @throws SnapshotError of reason `not-captured` or `too-large`
 */
export function captureHead(source: Head): { readonly head: Head; readonly headBytes: Uint8Array } {
  try {
    const { pending } = checkParts(source)
    const head = { ...source, reasons: reasonsOf(pending, source.reasons) }
    checkOwnFields(head)
    return { head, headBytes: encodeHead(head) }
  } catch (cause) {
    if (!(cause instanceof MsgpackError)) throw cause
    const what = "the session's code has damaged the part of the kernel that describes the session"
    throw new SnapshotError('not-captured', `${what} (${cause.message}); reset() the session`, { cause })
  }
}

function encodeHead({ described, ...head }: Head): Uint8Array<ArrayBuffer> {
  const all = { ...head, files: head.files.map(({ path, sizeBytes }) => [path, sizeBytes]) }
  return pack(described === false ? { ...all, described } : all)
}

function reasonsOf(pending: readonly PendingCall[], reasons: Head['reasons']): Record<string, string> {
  const found: Record<string, string> = {}
  let length = 0
  for (const { id } of pending) {
    const reason = reasons[id]
    if (reason === undefined) continue
    found[id] = reason
    length += reason.length
  }
  if (length <= MAX_REASONS_LENGTH) return found
  const remedy = 'give suspend() shorter ones'
  throw new SnapshotError(
    'too-large',
    `the reasons of suspended host calls have ${length} characters, more than ${MAX_REASONS_LENGTH}; ${remedy}`,
  )
}

/**
 * Splits a document into its parts. The body is a view of the document, and only its checksum is checked.
 *
 * @param trust called after the head's checksum and before anything else is checked; throws to reject the document
 * @throws SnapshotError of reason `corrupt` or, for another version of the format, `incompatible`; what `trust` throws
 */
export function decodeDocument(document: Uint8Array, trust: (envelope: Envelope) => void): Parts {
  return corruptUnless(() => {
    const envelope = openEnvelope(document)
    trust(envelope)
    const { version, head: headBytes, body, signature } = envelope
    const head = readHead(headBytes)
    const hash = body.length <= MAX_CHECKED_BYTES ? hashOfBody(body, version) : undefined
    if (hash && !timingSafeEqual(hash, head.bodyHash))
      throw new MsgpackError('the checksum of its body is wrong')
    return { version, head, headBytes, body: SnapshotBody.of(body), signature }
  })
}

/**
 * Checks every part, so that reading it later cannot fail. Takes bounded time, whatever the bytes are (cost.ts).
 *
 * @throws MsgpackError
 */
function readHead(headBytes: Uint8Array): Head {
  const head = readOwnFields(headBytes)
  checkParts(head)
  return head
}

function checkParts({ description, values }: Pick<Head, 'description' | 'values'>): Description {
  if (Math.max(description.length, values.length) > MAX_PART_BYTES)
    throw new MsgpackError('its description or its values are too long')
  readGlobals(values, 'check')
  return readDescription(description, 'check')
}

function readOwnFields(headBytes: Uint8Array): Head {
  const head = fields(decode(headBytes, MAX_HEAD_COST))
  const reasons = Object.entries(fields(field(head, 'reasons') ?? {}))
  return checkOwnFields({
    imageId: text(field(head, 'imageId')),
    createdAtMs: number(field(head, 'createdAtMs')),
    description: bytes(field(head, 'description')),
    values: bytes(field(head, 'values')),
    pyodideVersion: text(field(head, 'pyodideVersion')),
    pythonVersion: text(field(head, 'pythonVersion')),
    executionCount: count(field(head, 'executionCount')),
    memoryBytes: count(field(head, 'memoryBytes')),
    rawBytes: count(field(head, 'rawBytes')),
    bodyHash: bytes(field(head, 'bodyHash')),
    reasons: Object.fromEntries(reasons.map(([id, reason]) => [id, text(reason)])),
    ...(field(head, 'described') === false ? { described: false } : {}),
    files: list(field(head, 'files')).map((entry) => {
      const [path, sizeBytes] = list(entry)
      return { path: text(path), sizeBytes: count(sizeBytes) }
    }),
  })
}

/** Checks what the fields' types do not express. Also applies to heads from slots. */
function checkOwnFields(head: Head): Head {
  if (!/^[0-9a-f]{64}$/.test(head.imageId)) throw new MsgpackError('it names no image')
  if (!(Math.abs(head.createdAtMs) <= MAX_TIME_MS)) throw new MsgpackError('it has no date')
  for (const figure of [head.executionCount, head.memoryBytes, head.rawBytes]) count(figure)
  bytes(head.bodyHash, HASH_BYTES)
  if (head.files.length > MAX_FILES) throw new MsgpackError('it lists too many files')
  let pathsLength = 0
  for (const { path, sizeBytes } of head.files) {
    count(sizeBytes)
    pathsLength += path.length
  }
  const reasonsLength = Object.values(head.reasons).reduce((sum, { length }) => sum + length, 0)
  if (reasonsLength > MAX_REASONS_LENGTH) throw new MsgpackError('its reasons are too long')
  if (pathsLength > MAX_PATHS_LENGTH) throw new MsgpackError('the paths of its files are too long')
  return head
}

/** Any error of reading untrusted bytes, other than a SnapshotError, means that they are not a snapshot. */
function corruptUnless<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof SnapshotError) throw error
    const reason = messageOf(error, 'it cannot be read')
    throw new SnapshotError('corrupt', `not a snapshot, or a damaged one: ${reason}`, { cause: error })
  }
}
