// Who may restore a snapshot: with a key, only the tenant it was taken for, and nothing that was not signed with that key.
// Owns the HMAC; that keys are given or not is the manager's.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { SnapshotError } from '../errors.js'

/** A manager's key and the tenant that a snapshot is for. */
export interface Trust {
  readonly key: Uint8Array
  /** Well-formed: others have no UTF-8 of their own. */
  readonly tenant: string
}

/** Undefined without a key: then every snapshot is trusted. */
export function trustOf(key: Uint8Array | undefined, tenant: string): Trust | undefined {
  return key && { key, tenant }
}

/** HMAC-SHA256 over a fixed text, the tenant and the checksum of the snapshot, which covers all of it. */
export function sign({ key, tenant }: Trust, checksum: Uint8Array): Uint8Array {
  const hmac = createHmac('sha256', key)
  hmac.update('brumate snapshot signature\n')
  // Its length first, so that no other tenant and checksum make the same bytes.
  const name = Buffer.from(tenant, 'utf8')
  hmac.update(`${name.length}\n`).update(name).update(checksum)
  return new Uint8Array(hmac.digest())
}

/** @throws SnapshotError of reason `untrusted` */
export function requireSignature(
  { signature, checksum }: { readonly signature: Uint8Array | null; readonly checksum: Uint8Array },
  trust: Trust | undefined,
): void {
  if (trust === undefined) return
  if (signature === null) throw new SnapshotError('untrusted', 'the snapshot is not signed')
  if (timingSafeEqual(signature, sign(trust, checksum))) return
  throw new SnapshotError('untrusted', 'the snapshot was signed for another tenant or with another key')
}
