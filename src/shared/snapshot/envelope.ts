// The outermost layer of a snapshot: one MessagePack array of six members, read and written by hand. Owns those members and that the
// head is what its checksum says. Nothing that a general decoder would do for a stranger's bytes happens here.
import { createHash, timingSafeEqual } from 'node:crypto'
import { SnapshotError } from '../errors.js'
import { MsgpackError } from './msgpack.js'
import { binHead } from './pack.js'

export const SNAPSHOT_FORMAT_VERSION = 2
const MAGIC = Buffer.from('brumate snapshot')
const HASH_BYTES = 32
/** Description and values have a mebibyte each; the rest of a head is much less. */
const MAX_HEAD_BYTES = 3 * 1024 * 1024

const MEMBERS = 6
const FIRST_ARRAY = 0x90
const NIL = 0xc0
const FIRST_STR = 0xa0

export interface Envelope {
  /** A copy: the checksum is of these bytes. */
  readonly head: Uint8Array
  /** A view. */
  readonly body: Uint8Array
  readonly checksum: Uint8Array
  /** HMAC over tenant and checksum; `null` where no key was given. A copy. */
  readonly signature: Uint8Array | null
}

/** sha-256 of the head, which has that of the body: the checksum over all. */
export function checksum(head: Uint8Array): Buffer {
  return createHash('sha256').update(head).digest()
}

/**
 * Looks at a few dozen bytes, and at the head once for its checksum.
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
  if (version !== SNAPSHOT_FORMAT_VERSION) {
    const message = `the snapshot has format version ${version}, this version of brumate reads ${SNAPSHOT_FORMAT_VERSION}`
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
  return { head, body, checksum: actual, signature }
}

export function closeEnvelope(parts: Omit<Envelope, 'checksum'>): Uint8Array<ArrayBuffer> {
  const [document, body] = openDocument(parts)
  body.set(parts.body)
  return document
}

/** A document that still has zeros for its body, and the place where the body goes. */
export function openDocument({
  head,
  body,
  signature,
}: Omit<Envelope, 'checksum'>): [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] {
  const document = new Uint8Array(envelopeBytes({ head, body, signature }))
  let at = 0
  const put = (part: Uint8Array) => {
    document.set(part, at)
    at += part.length
  }
  const putBin = (part: Uint8Array) => {
    put(binHead(part.length))
    put(part)
  }
  put(Uint8Array.of(FIRST_ARRAY | MEMBERS, FIRST_STR | MAGIC.length))
  put(MAGIC)
  put(Uint8Array.of(SNAPSHOT_FORMAT_VERSION))
  putBin(head)
  put(binHead(body.length))
  const room = document.subarray(at, at + body.length)
  at += body.length
  putBin(checksum(head))
  if (signature === null) put(Uint8Array.of(NIL))
  else putBin(signature)
  return [document, room]
}

/** Length of a document, without making it. */
export function envelopeBytes({ head, body, signature }: Omit<Envelope, 'checksum'>): number {
  const bin = (length: number) => binHead(length).length + length
  const before = 1 + 1 + MAGIC.length + 1
  return before + bin(head.length) + bin(body.length) + bin(HASH_BYTES) + (signature ? bin(HASH_BYTES) : 1)
}

/** Takes each member in its order, in any of MessagePack's encodings of it. */
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
    if (this.#at !== this.#bytes.length) throw new MsgpackError('something follows its last part')
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
