// Retention: removes the sessions that store/retention.ts selects. Owns the options and the report.
import { isBoolean, isText, known, numberOption } from '../options/check.js'
import { resolveLabels } from '../options/labels.js'
import { InvalidOptionError } from '../shared/errors.js'
import type { ListFilter, SessionFilter } from '../store/listing.js'
import { findExpired, type RetentionReason, type RetentionRules } from '../store/retention.js'
import type { StoredSession } from '../store/store.js'

/** Options of `manager.sweep`. At least one of `ttlMs`, `idleMs` and `maxBytesPerTenant` is required. */
export interface SweepOptions extends SessionFilter {
  /** Remove sessions that were created longer ago than this, in ms. 0 to 2 ** 53; default Infinity. */
  readonly ttlMs?: number
  /** Remove sessions that were last written longer ago than this, in ms. 0 to 2 ** 53; default Infinity. */
  readonly idleMs?: number
  /**
   * Quota for the stored bytes of each tenant. While a tenant is over it, remove the tenant's session that was last written longest ago.
   * 0 to 2 ** 53; default Infinity.
   */
  readonly maxBytesPerTenant?: number
  /** Remove nothing, only report. Default false. */
  readonly dryRun?: boolean
}

/** Result of `manager.sweep`. */
export interface SweepResult {
  /** Sessions that were removed; with `dryRun`, that would be. */
  readonly removed: readonly {
    readonly id: string
    readonly tenant: string
    readonly sizeBytes: number
    /** The first rule that applied. */
    readonly reason: RetentionReason
  }[]
  readonly freedBytes: number
  /** Sessions that could not be removed, because another manager took them or the store failed. */
  readonly failed: readonly { readonly id: string; readonly error: unknown }[]
}

interface ResolvedSweep extends RetentionRules {
  readonly filter: SessionFilter
  readonly dryRun: boolean
}

const atLeastOne = numberOption({ min: 1, max: Number.MAX_SAFE_INTEGER, integer: true })

/** @throws InvalidOptionError */
export function resolveFilter(filter: SessionFilter | undefined): SessionFilter {
  if (filter === undefined) return {}
  known('options', filter, ['tenant', 'prefix', 'labels'])
  for (const name of ['tenant', 'prefix'] as const) isText(name, filter[name], { maxLength: 256 })
  return { ...filter, labels: resolveLabels('labels', filter.labels) }
}

/** @throws InvalidOptionError */
export function resolveListFilter(filter: ListFilter | undefined): ListFilter {
  if (filter === undefined) return {}
  const { after, limit, ...rest } = filter
  isText('after', after, { maxLength: 256 })
  atLeastOne('limit', limit, 1)
  return {
    ...resolveFilter(rest),
    ...(after === undefined ? {} : { after }),
    ...(limit === undefined ? {} : { limit }),
  }
}

/** @throws InvalidOptionError */
export function resolveSweep(options: SweepOptions): ResolvedSweep {
  known('options', options, [
    ...['ttlMs', 'idleMs', 'maxBytesPerTenant', 'dryRun'],
    ...['tenant', 'prefix', 'labels'],
  ])
  const { ttlMs, idleMs, maxBytesPerTenant, dryRun, ...filter } = options
  if (ttlMs === undefined && idleMs === undefined && maxBytesPerTenant === undefined)
    throw new InvalidOptionError('options', 'ttlMs, idleMs or maxBytesPerTenant', options)
  const range = { min: 0, max: Number.MAX_SAFE_INTEGER, infinite: true }
  const durationMs = numberOption({ ...range, unit: 'milliseconds' })
  return {
    ttlMs: durationMs('ttlMs', ttlMs, Number.POSITIVE_INFINITY),
    idleMs: durationMs('idleMs', idleMs, Number.POSITIVE_INFINITY),
    maxBytesPerTenant: numberOption(range)('maxBytesPerTenant', maxBytesPerTenant, Number.POSITIVE_INFINITY),
    dryRun: isBoolean('dryRun', dryRun) ?? false,
    filter: resolveFilter(filter),
  }
}

export async function sweepStore(
  { filter: _, dryRun, ...rules }: ResolvedSweep,
  store: {
    readonly sessions: AsyncIterable<StoredSession>
    readonly isInUse: (session: StoredSession) => boolean
    readonly remove: (id: string) => Promise<unknown>
  },
): Promise<SweepResult> {
  const expired = await findExpired(store.sessions, rules, store.isInUse, Date.now())
  const removed: SweepResult['removed'][number][] = []
  const failed: SweepResult['failed'][number][] = []
  for (const { session, reason } of expired) {
    const { id, tenant, sizeBytes } = session
    try {
      if (!dryRun) await store.remove(id)
      removed.push({ id, tenant, sizeBytes, reason })
    } catch (error) {
      failed.push({ id, error })
    }
  }
  return { removed, freedBytes: removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), failed }
}
