// A session as a thing to keep: its parts, what it says of itself, its bytes. Owns no interpreter and no session; taking and
// restoring one is session.ts's. Its memory is this thread's alone: each slot that thaws it gets a copy, so that no slot changes
// what the next one thaws.

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

/** What is longer than a gibibyte is not a session's. */
export const MAX_SNAPSHOT_BYTES = 2 ** 30

/**
 * All of a session at one moment: its interpreter's memory as the difference to an image, its private files, open
 * descriptors, clock and waiting host calls. Plain data, restorable any number of times, in any process on any supported Node
 * with the same image.
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
   * A snapshot from the bytes that `toBytes` gave, up to 1 GiB. They are copied, which is all that takes longer for a larger one.
   *
   * The description of the session is read and checked here; the memory is checked when a session is made of it. The signature is not
   * checked, as there is no `snapshotKey` here: `manifest` and `globals()` may be anybody's. `createSession` and `restoreState` check it.
   *
   * @throws SnapshotError of reason `corrupt`, `incompatible` or `too-large`
   * @throws InvalidOptionError when it is no Uint8Array
   */
  static fromBytes(bytes: Uint8Array): Snapshot {
    return Snapshot.read(bytes, undefined)
  }

  /**
   * @internal As `fromBytes`; with a key, of bytes that were not signed with it only the signature is looked at.
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
   * @internal As `read`, without a copy: for bytes that nobody changes any more.
   * @throws SnapshotError
   */
  static adopt(bytes: Uint8Array, trust: Trust | undefined): Snapshot {
    if (!isUint8Array(bytes) || bytes.length > MAX_SNAPSHOT_BYTES)
      throw new SnapshotError('corrupt', 'not a snapshot, or a damaged one: the store has no such bytes')
    return new Snapshot(decodeDocument(bytes, (envelope) => requireSignature(envelope, trust)))
  }

  /**
   * @internal Made of what a slot captured. With a key it is signed for the tenant.
   * @throws SnapshotError of reason `not-captured` or `too-large` when what the slot says of the session is not what a snapshot has
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

  /** How many bytes `toBytes` gives. */
  get size(): number {
    const { headBytes, body, signature } = this.#parts
    return envelopeBytes(headBytes.length, body.length, signature !== null)
  }

  /** One self-contained document, docs/snapshot-format.md. A copy. */
  toBytes(): Bytes {
    const { before, after } = this.frame
    const { body } = this.#parts
    const document = new Uint8Array(before.length + body.length + after.length)
    document.set(before)
    body.copyInto(document.subarray(before.length))
    document.set(after, before.length + body.length)
    return document
  }

  /** @internal As `toBytes`, in parts that must not be changed. */
  *chunks(): Generator<Uint8Array, void> {
    const { before, after } = this.frame
    yield before
    yield* this.#parts.body.views
    yield after
  }

  /** @internal What a document has around the body. */
  get frame(): Frame {
    const { version, headBytes, body, signature } = this.#parts
    return frameOf({ version, head: headBytes, signature }, body.length)
  }

  /**
   * @internal As `toBytes`, bit by bit (H1).
   * @throws SnapshotError if there is no memory for it
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

  /** What is in it, without an interpreter. */
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

  /** @internal The kernel's part of the manifest, with the reasons that are the host's. */
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

  /** The globals that convert to plain values, up to a mebibyte of them, without an interpreter. */
  globals(): Record<string, Value> {
    return readGlobals(this.#parts.head.values)
  }

  /** @internal False: the manifest and `globals()` know nothing of the globals, which only the body has. */
  get isDescribed(): boolean {
    return this.#parts.head.described !== false
  }

  /**
   * @internal A copy of the body, for one slot. Made bit by bit: a body has hundreds of megabytes (H1).
   * @throws RangeError if there is no memory for it
   */
  async copyBody(): Promise<Uint8Array<ArrayBuffer>> {
    return joined(this.#parts.body.views)
  }

  /** @internal The body's blocks are told apart from now on, if they can be. */
  splitBody(): void {
    if (this.#parts.version === 3) this.#parts = { ...this.#parts, body: this.#parts.body.split() }
  }

  /** @internal */
  get parts(): Parts {
    return this.#parts
  }

  /**
   * @internal Whether a session of this image may restore it.
   * @throws SnapshotError of reason `untrusted` or `incompatible`
   */
  require(imageId: string, trust: Trust | undefined): void {
    this.requireTrust(trust)
    const { head } = this.#parts
    if (head.imageId !== imageId) throw this.incompatible(`the session has ${imageId}`)
  }

  /** @internal @param has which image there is instead, as part of a sentence */
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
