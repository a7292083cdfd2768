// The outermost layer of a snapshot: one MessagePack array of six members, read and written by hand. Owns those members and the check of
// the head's checksum. There is no general decoder here, so untrusted bytes cannot make it do anything else.
import { createHash, timingSafeEqual } from 'node:crypto'
import { SnapshotError } from '../errors.js'
import { MsgpackError } from './msgpack.js'
import { binHead } from './pack.js'

/** In version 3, each block of the body states its length and is hashed separately; in version 2, not. */
export type FormatVersion = 2 | 3
const MAGIC = Buffer.from('brumate snapshot')
const HASH_BYTES = 32
/** Description and values take up to 1 MiB each; the rest of a head is much smaller. */
const MAX_HEAD_BYTES = 3 * 1024 * 1024

const MEMBERS = 6
const FIRST_ARRAY = 0x90
const NIL = 0xc0
const FIRST_STR = 0xa0

export interface Envelope {
  readonly version: FormatVersion
  /** A copy: the checksum covers these bytes. */
  readonly head: Uint8Array
  /** A view of the document. */
  readonly body: Uint8Array
  readonly checksum: Uint8Array
  /** HMAC over tenant and checksum; `null` if no key was given. A copy. */
  readonly signature: Uint8Array | null
}

/** SHA-256 of the head. It covers the whole snapshot, because the head includes the hash of the body. */
export function checksum(head: Uint8Array): Buffer {
  return createHash('sha256').update(head).digest()
}

/**
 * Splits a document. Reads a few dozen bytes, and the head once for its checksum.
 *
 * @throws MsgpackError
 * @throws SnapshotError of reason `incompatible` for another version of the format
 */
export function openEnvelope(document: Uint8Array): Envelope {
  const { buffer, byteOffset, length } = document
  const reader = new EnvelopeReader(Buffer.from(buffer, byteOffset, length))
  const members = reader.array()
  if (reader.byte() !== (FIRST_STR | MAGIC.length) || !reader.has(MAGIC))
    throw new MsgpackError('the first bytes are not those of a snapshot')
  const version = reader.count()
  if (version !== 2 && version !== 3) {
    const message = `the snapshot has format version ${version}, this version of brumate reads 2 and 3`
    throw new SnapshotError('incompatible', `${message}; use the version that wrote it`)
  }
  if (members !== MEMBERS) throw new MsgpackError('it has too many parts, or too few')
  const headView = reader.bin()
  if (headView.length > MAX_HEAD_BYTES) throw new MsgpackError('its head is too long')
  const body = reader.bin()
  const stated = reader.hash()
  const signature = reader.peek() === NIL ? reader.nil() : new Uint8Array(reader.hash())
  reader.end()
  const head = new Uint8Array(headView)
  const actual = checksum(head)
  if (!timingSafeEqual(actual, stated)) throw new MsgpackError('its checksum is wrong')
  return { version, head, body, checksum: actual, signature }
}

/** The parts of a document before and after its body. */
export interface Frame {
  readonly before: Uint8Array<ArrayBuffer>
  readonly after: Uint8Array<ArrayBuffer>
}

export function frameOf(
  { version, head, signature }: Omit<Envelope, 'checksum' | 'body'>,
  bodyBytes: number,
): Frame {
  const start = Uint8Array.of(FIRST_ARRAY | MEMBERS, FIRST_STR | MAGIC.length, ...MAGIC, version)
  const hash = checksum(head)
  return {
    before: concat([start, binHead(head.length), head, binHead(bodyBytes)]),
    after: concat([
      binHead(hash.length),
      hash,
      ...(signature ? [binHead(signature.length), signature] : [Uint8Array.of(NIL)]),
    ]),
  }
}

/** Length of a document, computed without building it. */
export function envelopeBytes(headBytes: number, bodyBytes: number, isSigned: boolean): number {
  const bin = (length: number) => binHead(length).length + length
  const start = 1 + 1 + MAGIC.length + 1
  return start + bin(headBytes) + bin(bodyBytes) + bin(HASH_BYTES) + (isSigned ? bin(HASH_BYTES) : 1)
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Reads the members in order, each in any of its MessagePack encodings. */
class EnvelopeReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  byte(): number {
    return this.#take(1)[0] as number
  }

  peek(): number | undefined {
    return this.#bytes[this.#at]
  }

  nil(): null {
    this.#take(1)
    return null
  }

  array(): number {
    const code = this.byte()
    if (code >= FIRST_ARRAY && code <= 0x9f) return code & 0x0f
    if (code !== 0xdc && code !== 0xdd) throw new MsgpackError('the first bytes are not those of a snapshot')
    return this.#number(code === 0xdc ? 2 : 4)
  }

  has(expected: Buffer): boolean {
    return this.#take(expected.length).equals(expected)
  }

  count(): number {
    const code = this.byte()
    if (code <= 0x7f) return code
    if (code < 0xcc || code > 0xce) throw new MsgpackError('its version is not a count')
    return this.#number(2 ** (code - 0xcc))
  }

  bin(): Buffer {
    const code = this.byte()
    if (code < 0xc4 || code > 0xc6) throw new MsgpackError('a part that is not bytes')
    return this.#take(this.#number(2 ** (code - 0xc4)))
  }

  hash(): Buffer {
    const hash = this.bin()
    if (hash.length !== HASH_BYTES) throw new MsgpackError('a checksum or a signature of a wrong length')
    return hash
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new MsgpackError('there are bytes after its last part')
  }

  #number(bytes: number): number {
    return this.#take(bytes).readUIntBE(0, bytes)
  }

  #take(count: number): Buffer {
    const start = this.#at
    if (count > this.#bytes.length - start) throw new MsgpackError('it ends early')
    this.#at = start + count
    return this.#bytes.subarray(start, this.#at)
  }
}
