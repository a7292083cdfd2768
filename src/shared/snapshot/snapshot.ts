// A saved session: its parts, its description, its bytes. Owns no interpreter and no session; session.ts takes and restores
// snapshots. A snapshot's memory belongs to this thread alone: each slot that restores it gets a copy, so that no slot can change
// what the next one restores.

import type { Bytes } from '../bytes.js'
import { joined } from '../copy.js'
import { InvalidOptionError, notConstructible, SnapshotError } from '../errors.js'
import { isUint8Array } from '../realms.js'
import type { Value } from '../values/value.js'
import type { SnapshotBody } from './body.js'
import { captureHead, decodeDocument, type Head, type Parts } from './document.js'
import { checksum, envelopeBytes, type FormatVersion, type Frame, frameOf } from './envelope.js'
import { readGlobals } from './globals.js'
import { type Description, readDescription, type SnapshotManifest } from './manifest.js'
import { requireSignature, sign, type Trust } from './signature.js'

/** No session's snapshot is longer than 1 GiB. */
export const MAX_SNAPSHOT_BYTES = 2 ** 30

/**
 * A session's complete state at one moment: its interpreter's memory as the difference to an image, its private files, open
 * descriptors, clock and pending host calls. It is plain data, and can be restored any number of times, in any process on any
 * supported Node with the same image.
 */
export class Snapshot {
  #parts: Parts

  /** @internal */
  constructor(parts: Parts) {
    if (parts?.head === undefined)
      throw notConstructible('Snapshot', 'session.snapshotState() or Snapshot.fromBytes(bytes)')
    this.#parts = parts
  }

  /**
   * Makes a snapshot from the bytes of `toBytes`, at most 1 GiB. The bytes are copied; only that takes longer for larger snapshots.
   *
   * This method parses and checks the description of the session. The memory is checked when a session is created from it. The signature
   * is not checked, because there is no `snapshotKey` here, so do not trust `manifest` and `globals()`; `createSession` and `restoreState`
   * check it.
   *
   * @throws SnapshotError of reason `corrupt`, `incompatible` or `too-large`
   * @throws InvalidOptionError if `bytes` is not a Uint8Array
   */
  static fromBytes(bytes: Uint8Array): Snapshot {
    return Snapshot.read(bytes, undefined)
  }

  /**
   * @internal Like `fromBytes`. With a key, bytes that are not signed with it are rejected before they are parsed further.
   * @throws SnapshotError, also of reason `untrusted`
   */
  static read(bytes: Uint8Array, trust: Trust | undefined): Snapshot {
    if (!isUint8Array(bytes))
      throw new InvalidOptionError('bytes', 'a Uint8Array, the bytes of a snapshot', bytes)
    if (bytes.length > MAX_SNAPSHOT_BYTES)
      throw new SnapshotError('too-large', `a snapshot of more than ${MAX_SNAPSHOT_BYTES} bytes`)
    const parts = decodeDocument(bytes, (envelope) => requireSignature(envelope, trust))
    return new Snapshot({ ...parts, body: parts.body.copy() })
  }

  /**
   * @internal Like `read`, but without a copy: for bytes that no longer change.
   * @throws SnapshotError
   */
  static adopt(bytes: Uint8Array, trust: Trust | undefined): Snapshot {
    if (!isUint8Array(bytes) || bytes.length > MAX_SNAPSHOT_BYTES)
      throw new SnapshotError('corrupt', 'not a snapshot, or a damaged one: it has no bytes, or too many')
    return new Snapshot(decodeDocument(bytes, (envelope) => requireSignature(envelope, trust)))
  }

  /**
   * @internal Makes a snapshot of what a slot captured. With a key, it is signed for the tenant.
   * @throws SnapshotError of reason `not-captured` or `too-large` if the slot's description of the session is not valid in a snapshot
   */
  static capture(
    source: Head,
    body: SnapshotBody,
    version: FormatVersion,
    trust: Trust | undefined,
  ): Snapshot {
    const { head, headBytes } = captureHead(source)
    const signature = trust === undefined ? null : sign(trust, checksum(headBytes))
    return new Snapshot({ version, head, headBytes, body, signature })
  }

  /** Number of bytes that `toBytes` returns. */
  get size(): number {
    const { headBytes, body, signature } = this.#parts
    return envelopeBytes(headBytes.length, body.length, signature !== null)
  }

  /** Returns a copy of the snapshot as one self-contained document. docs/snapshot-format.md describes the format. */
  toBytes(): Bytes {
    const { before, after } = this.frame
    const { body } = this.#parts
    const document = new Uint8Array(before.length + body.length + after.length)
    document.set(before)
    body.copyInto(document.subarray(before.length))
    document.set(after, before.length + body.length)
    return document
  }

  /** @internal The bytes of `toBytes`, in chunks that must not be changed. */
  *chunks(): Generator<Uint8Array, void> {
    const { before, after } = this.frame
    yield before
    yield* this.#parts.body.views
    yield after
  }

  /** @internal The parts of the document before and after the body. */
  get frame(): Frame {
    const { version, headBytes, body, signature } = this.#parts
    return frameOf({ version, head: headBytes, signature }, body.length)
  }

  /**
   * @internal Like `toBytes`, but copies piece by piece, to keep the main thread free (H1).
   * @throws SnapshotError if there is not enough memory
   */
  async copyBytes(): Promise<Bytes> {
    const { before, after } = this.frame
    try {
      return await joined([before, ...this.#parts.body.views, after])
    } catch (cause) {
      const message = `there is no memory for a snapshot of ${this.size} bytes`
      throw new SnapshotError('too-large', message, { cause })
    }
  }

  /** The snapshot's contents. Reading them needs no interpreter. */
  get manifest(): SnapshotManifest {
    const { version, head } = this.#parts
    const { globals, pending } = this.describe()
    return {
      formatVersion: version,
      imageId: head.imageId,
      pyodideVersion: head.pyodideVersion,
      pythonVersion: head.pythonVersion,
      createdAt: new Date(head.createdAtMs),
      executionCount: head.executionCount,
      globals,
      files: head.files.map((file) => ({ ...file })),
      pending,
    }
  }

  /** @internal The kernel's part of the manifest, with the suspension reasons that the host added. */
  describe(): Description {
    const { description, reasons } = this.#parts.head
    const { pending, ...rest } = readDescription(description)
    return {
      ...rest,
      pending: pending.map((call) => {
        const reason = reasons[call.id]
        return reason === undefined ? call : { ...call, reason }
      }),
    }
  }

  /** The globals that convert to plain values, up to 1 MiB of them. Reading them needs no interpreter. */
  globals(): Record<string, Value> {
    return readGlobals(this.#parts.head.values)
  }

  /** @internal False if the manifest and `globals()` do not include the globals, because only the body has them. */
  get isDescribed(): boolean {
    return this.#parts.head.described !== false
  }

  /**
   * @internal A copy of the body, for one slot. Copied piece by piece, because a body can have hundreds of megabytes (H1).
   * @throws RangeError if there is not enough memory
   */
  async copyBody(): Promise<Uint8Array<ArrayBuffer>> {
    return joined(this.#parts.body.views)
  }

  /** @internal Splits the body into one piece per block, if its format allows it. */
  splitBody(): void {
    if (this.#parts.version === 3) this.#parts = { ...this.#parts, body: this.#parts.body.split() }
  }

  /** @internal */
  get parts(): Parts {
    return this.#parts
  }

  /**
   * @internal Checks that a session with this image may restore the snapshot.
   * @throws SnapshotError of reason `untrusted` or `incompatible`
   */
  require(imageId: string, trust: Trust | undefined): void {
    this.requireTrust(trust)
    const { head } = this.#parts
    if (head.imageId !== imageId) throw this.incompatible(`the session has ${imageId}`)
  }

  /** @internal @param has the image that is there instead, as a clause of the message */
  incompatible(has: string): SnapshotError {
    const { imageId, pyodideVersion } = this.#parts.head
    const made = `the snapshot was made with image ${imageId} (Pyodide ${pyodideVersion})`
    const remedy =
      'give the manager that image (`images`), or restore the plain values of the snapshot with { salvage: true }'
    return new SnapshotError('incompatible', `${made}, ${has}; ${remedy}`)
  }

  /** @internal */
  requireTrust(trust: Trust | undefined): void {
    const { signature, headBytes } = this.#parts
    requireSignature({ signature, checksum: checksum(headBytes) }, trust)
  }
}
