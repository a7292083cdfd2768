// A session as a thing to keep: its parts, what it says of itself, its bytes. Owns no interpreter and no session; taking and
// restoring one is session.ts's. Its memory is this thread's alone: each slot that thaws it gets a copy, so that no slot changes
// what the next one thaws.
import { SnapshotError } from '../errors.js'
import type { Value } from '../values/value.js'
import {
  checksum,
  decodeDocument,
  documentBytes,
  encodeDocument,
  encodeHead,
  type Head,
  type Parts,
  SNAPSHOT_FORMAT_VERSION,
} from './document.js'
import { readGlobals } from './globals.js'
import { type Description, readDescription, type SnapshotManifest } from './manifest.js'
import { isSignature, sign } from './signature.js'

/** The smallest document is longer; what is longer than a gibibyte is no session's. */
const MAX_BYTES = 2 ** 30
/** Takes a millisecond or two. */
const COPIED_AT_ONCE_BYTES = 4 * 1024 * 1024

/**
 * All of a session at one moment: its interpreter's memory as the difference to an image, its private files, open
 * descriptors, clock and waiting host calls. Plain data, restorable any number of times, in any process on any supported Node
 * with the same image.
 */
export class Snapshot {
  readonly #parts: Parts

  /** @internal */
  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * A snapshot from the bytes that `toBytes` gave. They are copied.
   *
   * @throws SnapshotError of reason `corrupt` or `incompatible`; damage inside the memory itself shows when it is restored
   */
  static fromBytes(bytes: Uint8Array): Snapshot {
    if (!(bytes instanceof Uint8Array)) throw new SnapshotError('corrupt', 'expected the bytes of a snapshot')
    if (bytes.length > MAX_BYTES)
      throw new SnapshotError('too-large', `a snapshot of more than ${MAX_BYTES} bytes`)
    const parts = decodeDocument(bytes)
    return new Snapshot({ ...parts, body: new Uint8Array(parts.body) })
  }

  /**
   * @internal Made of what a slot captured. With a key it is signed for the tenant.
   * @throws SnapshotError if the slot gave something else
   */
  static capture(head: Head, body: Uint8Array, key: Uint8Array | undefined, tenant: string): Snapshot {
    const headBytes = encodeHead(head)
    const signature = key === undefined ? null : sign(key, tenant, checksum(headBytes))
    return new Snapshot({ head, headBytes, body, signature })
  }

  /** How many bytes `toBytes` gives. */
  get size(): number {
    return documentBytes(this.#parts)
  }

  /** One self-contained document, docs/snapshot-format.md. A copy. */
  toBytes(): Uint8Array {
    return encodeDocument(this.#parts)
  }

  /** What is in it, without an interpreter. */
  get manifest(): SnapshotManifest {
    const { head } = this.#parts
    const { globals, pending } = this.describe()
    return {
      formatVersion: SNAPSHOT_FORMAT_VERSION,
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

  /**
   * @internal A copy of the body, for one slot. Made bit by bit: a body has hundreds of megabytes (H1).
   * @throws RangeError if there is no memory for it
   */
  async copyBody(): Promise<Uint8Array<ArrayBuffer>> {
    const { body } = this.#parts
    const copy = new Uint8Array(body.length)
    for (let at = 0; at < body.length; at += COPIED_AT_ONCE_BYTES) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve))
      copy.set(body.subarray(at, at + COPIED_AT_ONCE_BYTES), at)
    }
    return copy
  }

  /** @internal */
  get parts(): Parts {
    return this.#parts
  }

  /**
   * @internal Whether a session of this tenant and image may restore it.
   * @throws SnapshotError of reason `untrusted` or `incompatible`
   */
  require(imageId: string, key: Uint8Array | undefined, tenant: string): void {
    this.requireTrust(key, tenant)
    const { head } = this.#parts
    if (head.imageId === imageId) return
    const made = `the snapshot was made with image ${head.imageId} (Pyodide ${head.pyodideVersion})`
    const remedy =
      'restore it with the version of brumate that made it, or its plain values with { salvage: true }'
    throw new SnapshotError('incompatible', `${made}, this manager runs ${imageId}; ${remedy}`)
  }

  /** @internal */
  requireTrust(key: Uint8Array | undefined, tenant: string): void {
    if (key === undefined) return
    const { signature, headBytes } = this.#parts
    if (signature === null) throw new SnapshotError('untrusted', 'the snapshot is not signed')
    if (isSignature(signature, key, tenant, checksum(headBytes))) return
    throw new SnapshotError('untrusted', 'the snapshot was signed for another tenant or with another key')
  }
}
