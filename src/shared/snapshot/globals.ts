// The values of a snapshot's globals, readable without an interpreter. Owns their place in the document; msgpack.ts owns how
// values are encoded.
import type { Value } from '../values/value.js'
import { MAX_COST } from './cost.js'
import { fields } from './fields.js'
import { decode, type Mode } from './msgpack.js'

/** @throws MsgpackError */
export function readGlobals(bytes: Uint8Array, mode: Mode = 'read'): Record<string, Value> {
  return fields(decode(bytes, MAX_COST, mode))
}
