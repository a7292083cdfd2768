// Forged snapshots: a real one taken apart, and put together again with checksums that fit. Owns no attack.
import { createHash } from 'node:crypto'
import { Packr, Unpackr } from 'msgpackr'

const packr = new Packr({ useRecords: false, variableMapSize: true })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })
const sha256 = (bytes) => createHash('sha256').update(bytes).digest()

export const pack = (value) => Buffer.from(packr.pack(value))

/** Head and body of a snapshot; `join` makes one of them again. */
export function open(bytes) {
  const [magic, version, head, body] = unpackr.unpack(bytes)
  return { magic, version, head: unpackr.unpack(head), body }
}

/** The document of a head, given as an object or as bytes, and a body. */
export function join({ magic, version, head, body }) {
  const bytes = head instanceof Uint8Array ? head : pack({ ...head, bodyHash: sha256(body) })
  return pack([magic, version, bytes, body, sha256(bytes), null])
}

/** A MessagePack array or map that claims `count` members, each `unit`. */
export function many(code, count, unit) {
  const head = Buffer.from([code, 0, 0, 0, 0])
  head.writeUInt32BE(count, 1)
  return Buffer.concat([head, Buffer.alloc(count * unit.length, unit)])
}

export const ARRAY = 0xdd
export const MAP = 0xdf
export const EMPTY_ARRAY = Buffer.from([0x90])
export const EMPTY_MAP = Buffer.from([0x80])
export const NIL = Buffer.from([0xc0])
