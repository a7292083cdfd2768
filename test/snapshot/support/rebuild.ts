// Snapshots as an attacker makes them: taken apart and put together again with valid checksums, so that only the contents are wrong. Reads
// and writes with msgpackr alone, as an independent reader of docs/snapshot-format.md would.
import { createHash } from 'node:crypto'
import * as zlib from 'node:zlib'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: false, mapsAsObjects: true })

export interface Opened {
  readonly magic: string
  readonly version: number
  readonly head: Record<string, unknown>
  readonly body: Uint8Array
  readonly checksum: Uint8Array
  readonly signature: Uint8Array | null
}

export function open(document: Uint8Array): Opened {
  const [magic, version, head, body, checksum, signature] = packr.unpack(document.subarray())
  return { magic, version, head: packr.unpack(head), body, checksum, signature }
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** Writes a document with valid checksums, whatever its contents. */
export function close(opened: Pick<Opened, 'head' | 'body'>, changes: Partial<Opened> = {}): Uint8Array {
  const head = packr.pack({ ...opened.head, bodyHash: sha256(opened.body) })
  const { magic = 'brumate snapshot', version = 2, signature = null } = changes
  return packr.pack([magic, version, Buffer.from(head), opened.body, sha256(head), signature])
}

/** Unpacks the blocks of a body into one stream. */
export function unpackBody(body: Uint8Array): Buffer {
  const view = Buffer.from(body)
  const parts: Buffer[] = []
  for (let at = 0; at < view.length; ) {
    const codec = view[at]
    const length = view.readUInt32LE(at + 5)
    const packed = view.subarray(at + 9, at + 9 + length)
    if (codec === 0) parts.push(packed)
    else if (codec === 1) parts.push(inflateRawSync(packed))
    else parts.push((zlib as unknown as { zstdDecompressSync(b: Buffer): Buffer }).zstdDecompressSync(packed))
    at += 9 + length
  }
  return Buffer.concat(parts)
}

/** Writes one deflated block per mebibyte, which every Node can read. */
export function packBody(raw: Uint8Array): Uint8Array {
  const parts: Buffer[] = []
  for (let at = 0; at < raw.length; at += 2 ** 20) {
    const block = raw.subarray(at, at + 2 ** 20)
    const packed = deflateRawSync(block, { level: 1 })
    const head = Buffer.alloc(9)
    head[0] = 1
    head.writeUInt32LE(block.length, 1)
    head.writeUInt32LE(packed.length, 5)
    parts.push(head, packed)
  }
  return Buffer.concat(parts)
}

/** Parts of the stream in docs/snapshot-format.md, with whole pages. */
export interface Stream {
  pages: Uint32Array
  host: unknown
  memory: Buffer
  contents: Buffer
}

const HAS_MAPS = 2 ** 31

export function openStream(raw: Buffer): Stream {
  const first = raw.readUInt32LE(0)
  const count = first % HAS_MAPS
  const hostBytes = raw.readUInt32LE(4)
  let at = 16
  const pages = new Uint32Array(count)
  for (let i = 0, page = 0; i < count; i++) {
    page += raw.readUInt32LE(at + 4 * i)
    pages[i] = page
  }
  at += 4 * count
  const maps = first < HAS_MAPS ? undefined : raw.subarray(at, at + 32 * count)
  at += maps?.length ?? 0
  const host = JSON.parse(raw.toString('utf8', at, at + hostBytes))
  at += hostBytes
  const memory = Buffer.alloc(4096 * count)
  for (let vector = 0; vector < 256 * count; vector++) {
    if (maps && (((maps[vector >> 3] as number) >> (vector & 7)) & 1) === 0) continue
    raw.copy(memory, 16 * vector, at, at + 16)
    at += 16
  }
  return { pages, host, memory, contents: raw.subarray(at) }
}

/** @param hasMaps - false: write whole pages */
export function closeStream({ pages, host, memory, contents }: Stream, hasMaps = true): Buffer {
  const json = Buffer.from(JSON.stringify(host))
  const head = Buffer.alloc(16 + 4 * pages.length)
  head.writeUInt32LE(pages.length + (hasMaps ? HAS_MAPS : 0), 0)
  head.writeUInt32LE(json.length, 4)
  head.writeDoubleLE(contents.length, 8)
  let previous = 0
  for (const [i, page] of pages.entries()) {
    head.writeUInt32LE((page - previous) >>> 0, 16 + 4 * i)
    previous = page
  }
  const maps = Buffer.alloc(hasMaps ? 32 * pages.length : 0, 0xff)
  return Buffer.concat([head, maps, json, memory, contents])
}

/** The document with another stream as its body. */
export function withStream(opened: Opened, stream: Buffer, head: Record<string, unknown> = {}): Uint8Array {
  const body = packBody(stream)
  return close({ head: { ...opened.head, rawBytes: stream.length, ...head }, body })
}
