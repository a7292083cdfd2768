// A snapshot as an argument of a call. Apart from the other options, because reading one takes code that brumate/client does without.
import { InvalidOptionError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'
import type { Trust } from '../shared/snapshot/signature.js'
import { Snapshot } from '../shared/snapshot/snapshot.js'

/**
 * With a key, the signature of bytes is checked before anything else of them is read.
 *
 * @throws SnapshotError when the bytes are no valid snapshot, or not one that the session may restore
 */
export function requireSnapshot(
  name: string,
  value: Snapshot | Uint8Array,
  trust: Trust | undefined,
): Snapshot {
  if (value instanceof Snapshot) return value
  if (isUint8Array(value)) return Snapshot.read(value, trust)
  throw new InvalidOptionError(name, 'a Snapshot or the bytes of one', value)
}
