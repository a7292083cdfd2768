// Ids of sessions: what a tenant's clients call them, and what the manager and its store do. Owns the mapping, which keeps tenants apart: no
// two tenants have an id in common, so none can find out whether another has a session.
import { createHash } from 'node:crypto'

/** 128 bits and more: nobody finds another tenant of the same hash. */
const HASH_LENGTH = 22

/**
 * The id in the manager and its store of a session that a tenant's clients call `id`. Other programs on the store open it by that, with the
 * option `tenant`.
 */
export function sessionIdOf(tenant: string, id: string): string {
  return idPrefixOf(tenant) + id
}

/** What clients call the session. */
export function nameOf(tenant: string, sessionId: string): string {
  return sessionId.slice(idPrefixOf(tenant).length)
}

export function idPrefixOf(tenant: string): string {
  const hash = createHash('sha256').update(tenant).digest('base64url').slice(0, HASH_LENGTH)
  return `h-${hash}-`
}
