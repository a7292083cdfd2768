// The outcome of an execution without a value, which is the most common one. Owns its bytes: a slot sends null instead, because cloning
// bytes costs more than all other fields of a reply.
import { TypeCode } from './value.js'

/** Marshal of `(True, None, ..., {})`. */
const NOTHING = Uint8Array.of(
  TypeCode.tuple,
  4,
  0,
  0,
  0,
  TypeCode.true,
  TypeCode.none,
  TypeCode.ellipsis,
  TypeCode.dict,
  TypeCode.null,
)

export function isNothing(payload: Uint8Array): boolean {
  if (payload.length !== NOTHING.length) return false
  for (let at = 0; at < NOTHING.length; at++) if (payload[at] !== NOTHING[at]) return false
  return true
}
