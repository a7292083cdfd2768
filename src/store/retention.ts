// Chooses which stored sessions to remove: too old, idle for too long, or beyond their tenant's quota. Owns the choice; the manager removes
// them.
import type { StoredSession } from './store.js'

export interface RetentionRules {
  readonly ttlMs: number
  readonly idleMs: number
  readonly maxBytesPerTenant: number
}

export type RetentionReason = 'ttl' | 'idle' | 'tenant-bytes'

export interface Expired {
  readonly session: StoredSession
  readonly reason: RetentionReason
}

/** A tenant's sessions that remain after the rules for single sessions. */
interface Tenant {
  sizeBytes: number
  readonly sessions: StoredSession[]
}

/**
 * @param isInUse sessions in use are never removed, but count towards their tenant's quota
 * @param nowMs by the store's clock, as accurately as it is known
 */
export async function findExpired(
  sessions: AsyncIterable<StoredSession>,
  { ttlMs, idleMs, maxBytesPerTenant }: RetentionRules,
  isInUse: (session: StoredSession) => boolean,
  nowMs: number,
): Promise<Expired[]> {
  const expired: Expired[] = []
  const tenants = new Map<string, Tenant>()
  for await (const session of sessions) {
    const inUse = isInUse(session)
    if (!inUse && nowMs - session.createdAt.getTime() > ttlMs) expired.push({ session, reason: 'ttl' })
    else if (!inUse && nowMs - session.updatedAt.getTime() > idleMs) expired.push({ session, reason: 'idle' })
    else if (maxBytesPerTenant !== Number.POSITIVE_INFINITY) {
      const tenant = tenants.get(session.tenant) ?? { sizeBytes: 0, sessions: [] }
      tenants.set(session.tenant, tenant)
      tenant.sizeBytes += session.sizeBytes
      if (!inUse) tenant.sessions.push(session)
    }
  }
  for (const tenant of tenants.values()) {
    const oldest = tenant.sessions.sort((a, b) => a.updatedAt.getTime() - b.updatedAt.getTime())
    for (const session of oldest) {
      if (tenant.sizeBytes <= maxBytesPerTenant) break
      tenant.sizeBytes -= session.sizeBytes
      expired.push({ session, reason: 'tenant-bytes' })
    }
  }
  return expired
}
