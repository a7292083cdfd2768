// Forges snapshots: takes a real one apart, and reassembles it with matching checksums. Contains no attacks.
import { createHash } from 'node:crypto'
import { Packr, Unpackr } from 'msgpackr'

const packr = new Packr({ useRecords: false, variableMapSize: true })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })
const sha256 = (bytes) => createHash('sha256').update(bytes).digest()

export const pack = (value) => Buffer.from(packr.pack(value))

/** Splits a snapshot into head and body. `join` reassembles them. */
export function open(bytes) {
  const [magic, version, head, body] = unpackr.unpack(bytes)
  return { magic, version, head: unpackr.unpack(head), body }
}

/** Builds a snapshot from a body and a head, which is an object or bytes. */
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
