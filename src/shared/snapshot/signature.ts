// Decides which snapshots may be restored: with a key, only those that were signed with it, and only by the tenant they were taken for.
// Owns the HMAC; the manager decides whether there is a key.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { SnapshotError } from '../errors.js'

/** A manager's key and the tenant that a snapshot is for. */
export interface Trust {
  readonly key: Uint8Array
  /** Well-formed text: a lone surrogate has no UTF-8 encoding of its own, so two tenants could have the same bytes. */
  readonly tenant: string
}

/** Returns undefined without a key: then every snapshot is trusted. */
export function trustOf(key: Uint8Array | undefined, tenant: string): Trust | undefined {
  return key && { key, tenant }
}

/** HMAC-SHA256 over a fixed text, the tenant, and the snapshot's checksum, which covers the whole snapshot. */
export function sign({ key, tenant }: Trust, checksum: Uint8Array): Uint8Array {
  const hmac = createHmac('sha256', key)
  hmac.update('brumate snapshot signature\n')
  // The tenant's length comes first, so that no other pair of tenant and checksum gives the same bytes.
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
  if (signature === null)
    throw new SnapshotError(
      'untrusted',
      'the snapshot is not signed; this manager accepts only snapshots signed with its snapshotKey',
    )
  if (timingSafeEqual(signature, sign(trust, checksum))) return
  throw new SnapshotError(
    'untrusted',
    'the snapshot was signed for another tenant or with another key; give the tenant and the snapshotKey that it was made with',
  )
}
