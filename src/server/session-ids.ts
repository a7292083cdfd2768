// Session ids: as a tenant's clients write them, and as the manager and its store do. Owns the mapping, which keeps tenants apart: no two
// tenants share an id, so none can find out which sessions another has.
import { createHash } from 'node:crypto'

/** Begins the ids of LibreChat's sessions. They are random, so their tenant is not part of them. */
export const LIBRECHAT_PREFIX = 'librechat-'
/** More than 128 bits, so nobody can find another tenant with the same hash. */
const HASH_LENGTH = 22

/**
 * The id that the manager and its store use for a session that a tenant's clients call `id`. Other programs on the store open the session
 * by that id, with the option `tenant`.
 */
export function sessionIdOf(tenant: string, id: string): string {
  return idPrefixOf(tenant) + id
}

/** The id that clients use for the session. */
export function nameOf(tenant: string, sessionId: string): string {
  return sessionId.slice(idPrefixOf(tenant).length)
}

export function idPrefixOf(tenant: string): string {
  const hash = createHash('sha256').update(tenant).digest('base64url').slice(0, HASH_LENGTH)
  return `h-${hash}-`
}
