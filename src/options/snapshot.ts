// Validates a snapshot passed to a call. Separate from the other options, because reading a snapshot takes code that brumate/client does
// not need.
import { InvalidOptionError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'
import type { Trust } from '../shared/snapshot/signature.js'
import { Snapshot } from '../shared/snapshot/snapshot.js'

/**
 * Returns the snapshot, read from bytes if necessary. If there is a key, checks the signature before it reads anything else.
 *
 * @throws SnapshotError when the bytes are not a valid snapshot, or the session may not restore it
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
