// Who may restore a snapshot: with a key, only the tenant it was taken for, and nothing that was not signed with that key.
// Owns the HMAC; that keys are given or not is the manager's.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** HMAC-SHA256 over a fixed text, the tenant and the checksum of the snapshot, which covers all of it. */
export function sign(key: Uint8Array, tenant: string, checksum: Uint8Array): Uint8Array {
  const hmac = createHmac('sha256', key)
  hmac.update('brumate snapshot signature\n')
  // Its length first, so that no other tenant and checksum make the same bytes.
  const name = Buffer.from(tenant, 'utf8')
  hmac.update(`${name.length}\n`).update(name).update(checksum)
  return new Uint8Array(hmac.digest())
}

export function isSignature(
  signature: Uint8Array,
  key: Uint8Array,
  tenant: string,
  checksum: Uint8Array,
): boolean {
  return timingSafeEqual(signature, sign(key, tenant, checksum))
}
