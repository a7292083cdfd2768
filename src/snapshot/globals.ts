// The values of a snapshot's globals, readable without an interpreter. Owns how they are written: MessagePack, where a map with
// integer keys, {0: kind, 1: payload}, stands for what it lacks (docs/snapshot-format.md). Written by the kernel, and so
// as hostile as anything of the guest's.
import type { Value } from '../values/value.js'
import { fields } from './fields.js'
import { decode, MsgpackError } from './msgpack.js'

const KIND = 0
const PAYLOAD = 1

/** @throws MsgpackError */
export function readGlobals(bytes: Uint8Array): Record<string, Value> {
  return plainObject(fields(decode(bytes)))
}

/** @throws MsgpackError */
export function plainObject(map: ReadonlyMap<unknown, unknown>): Record<string, Value> {
  const object: Record<string, Value> = {}
  for (const [key, value] of map) {
    if (typeof key !== 'string') throw new MsgpackError('a kind among names')
    object[key] = plain(value)
  }
  return object
}

function plain(value: unknown): Value {
  switch (typeof value) {
    case 'boolean':
    case 'number':
    case 'bigint':
    case 'string':
      return value
    default:
  }
  if (value === null) return null
  // Of its own: what msgpackr gives lies in the document's bytes.
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return value.has(KIND) ? special(value) : plainObject(value)
  throw new MsgpackError('a value of an unknown kind')
}

function special(map: ReadonlyMap<unknown, unknown>): Value {
  const payload = map.get(PAYLOAD)
  if (map.size === 2) {
    switch (map.get(KIND)) {
      case 'int':
        // Within what CPython itself prints: BigInt() of much longer text takes seconds (ATTACKS.md E9).
        if (typeof payload === 'string' && payload.length <= 5000 && /^-?[0-9]+$/.test(payload))
          return BigInt(payload)
        break
      case 'text':
        // UTF-16-LE: text with a lone surrogate, which is no UTF-8.
        if (payload instanceof Uint8Array && payload.length % 2 === 0)
          return Buffer.from(payload).toString('utf16le')
        break
      case 'datetime':
        if (typeof payload === 'number') return new Date(payload)
        break
      case 'set':
        if (Array.isArray(payload)) return new Set(payload.map(plain))
        break
      default:
    }
  }
  throw new MsgpackError('a value of an unknown kind')
}
