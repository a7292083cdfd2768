// Salvages the sessions of a store after an upgrade: moves those whose image the manager does not have to its first image, with their plain
// values. Owns the options, the choice of sessions, and the report. The manager opens and stores each session.
import { isBoolean, isFunction, isSignal, isText, known, numberOption } from '../options/check.js'
import { expectedLoss, NOTHING_LOST, type SalvageLoss } from '../session/salvage.js'
import { InvalidOptionError, SessionOwnedError } from '../shared/errors.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { SessionFilter } from '../store/listing.js'
import type { StoredSession } from '../store/store.js'
import { resolveFilter } from './sweep.js'

/** Options of `manager.salvageStore`. */
export interface SalvageOptions extends SessionFilter {
  /** Salvage only sessions of the images with these ids, 1 to 100. Default: of every image that the manager does not have. */
  readonly fromImages?: readonly string[]
  /** Change nothing, only report what salvage would do. Default false. */
  readonly dryRun?: boolean
  /** Also take over sessions that another manager has now; see `takeOver` of `openSession`. Default false. */
  readonly takeOver?: boolean
  /** Number of sessions to salvage at the same time, each in a slot; 1 to 1,024. Default: the manager's `slots`. */
  readonly concurrency?: number
  /** Called after each session. If it throws, salvage stops. */
  readonly onProgress?: (progress: SalvageProgress) => void
  /** Aborting it stops salvage once the sessions in progress are done. */
  readonly signal?: AbortSignal
}

/** Numbers of sessions so far. */
export interface SalvageProgress {
  /** All sessions that were examined, whatever the outcome. */
  readonly seen: number
  readonly salvaged: number
  readonly skipped: number
  readonly failed: number
}

/** A session that was salvaged. */
export interface SalvagedSession {
  readonly id: string
  readonly tenant: string
  /** Id of the image that the session had. */
  readonly fromImage: string
  readonly lost: SalvageLoss
}

/** A session that is in use and was not changed. */
export interface SkippedSession {
  readonly id: string
  readonly tenant: string
  /** Id of the manager that has the session; undefined if it is open in this manager. */
  readonly ownerId: string | undefined
  /** When that manager's lease expires if it is not renewed, by the store's clock. */
  readonly expiresAt: Date | undefined
}

/** A session that could not be salvaged. The store has it unchanged. */
export interface SalvageFailure {
  readonly id: string
  readonly tenant: string
  readonly error: unknown
}

/** Result of `manager.salvageStore`. */
export interface SalvageResult {
  /** With `dryRun`, the sessions that would be salvaged. */
  readonly salvaged: readonly SalvagedSession[]
  readonly skipped: readonly SkippedSession[]
  readonly failed: readonly SalvageFailure[]
  /** Number of sessions that need no salvage, because the manager has their image. */
  readonly current: number
  /**
   * Why salvage stopped before it had examined every session: the signal's reason, what `onProgress` threw, or the StoreError of a store
   * that could not be listed. The rest of the result says what was done until then. Undefined: it examined every session.
   */
  readonly stopped: { readonly error: unknown } | undefined
}

export interface ResolvedSalvage {
  readonly filter: SessionFilter
  readonly fromImages: ReadonlySet<string> | undefined
  readonly dryRun: boolean
  readonly takeOver: boolean
  readonly concurrency: number
  readonly onProgress: ((progress: SalvageProgress) => void) | undefined
  readonly signal: AbortSignal | undefined
}

/** What salvage needs from the manager. */
export interface SalvagedStore {
  /** The stored sessions that match the filter. */
  readonly sessions: AsyncIterable<StoredSession>
  /** Ids of the manager's images. */
  readonly imageIds: ReadonlySet<string>
  readonly isOpen: (id: string) => boolean
  readonly isOwn: (ownerId: string) => boolean
  /** Reads a session's snapshot; undefined if it has none, or no longer exists. */
  readonly read: (id: string, tenant: string) => Promise<Snapshot | undefined>
  /** Opens the session with its plain values, and stores it. Returns undefined if the session needed no salvage. */
  readonly salvage: (id: string, takeOver: boolean) => Promise<SalvageLoss | undefined>
}

const MAX_IMAGES = 100

/** @throws InvalidOptionError */
export function resolveSalvage(options: SalvageOptions | undefined, slots: number): ResolvedSalvage {
  const given = options === undefined ? {} : options
  known('options', given, [
    ...['tenant', 'prefix', 'labels', 'fromImages', 'dryRun'],
    ...['takeOver', 'concurrency', 'onProgress', 'signal'],
  ])
  const { fromImages, dryRun, takeOver, concurrency, onProgress, signal, ...filter } = given
  const atOnce = numberOption({ min: 1, max: 1024, integer: true })
  return {
    filter: resolveFilter(filter),
    fromImages: fromImages === undefined ? undefined : resolveImageIds(fromImages),
    dryRun: isBoolean('dryRun', dryRun) ?? false,
    takeOver: isBoolean('takeOver', takeOver) ?? false,
    concurrency: atOnce('concurrency', concurrency, slots),
    onProgress: isFunction('onProgress', onProgress),
    signal: isSignal('signal', signal),
  }
}

function resolveImageIds(ids: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > MAX_IMAGES)
    throw new InvalidOptionError('fromImages', `an array of 1 to ${MAX_IMAGES} ids of images`, ids)
  for (const [i, id] of ids.entries())
    if (isText(`fromImages[${i}]`, id, { maxLength: 256 }) === undefined)
      throw new InvalidOptionError(`fromImages[${i}]`, 'the id of an image', id)
  return new Set(ids)
}

/** Never rejects: whatever stops it, the result says what has been done. */
export async function salvageStored(options: ResolvedSalvage, store: SalvagedStore): Promise<SalvageResult> {
  const { fromImages, concurrency, onProgress, signal } = options
  const salvaged: SalvagedSession[] = []
  const skipped: SkippedSession[] = []
  const failed: SalvageFailure[] = []
  let current = 0
  let seen = 0
  let stopped: SalvageResult['stopped']
  const salvageOne = async (session: StoredSession) => {
    const { id, tenant, imageId } = session
    try {
      const outcome = await salvage(session, options, store)
      if (outcome.kind === 'salvaged') salvaged.push({ id, tenant, fromImage: imageId, lost: outcome.lost })
      else if (outcome.kind === 'current') current += 1
      else if (outcome.kind === 'in-use')
        skipped.push({ id, tenant, ownerId: outcome.ownerId, expiresAt: outcome.expiresAt })
    } catch (error) {
      failed.push({ id, tenant, error })
    }
  }
  const sessions = store.sessions[Symbol.asyncIterator]()
  const work = async () => {
    while (stopped === undefined) {
      signal?.throwIfAborted()
      const { done, value } = await sessions.next()
      if (done) return
      if (fromImages && !fromImages.has(value.imageId)) continue
      await salvageOne(value)
      seen += 1
      onProgress?.({ seen, salvaged: salvaged.length, skipped: skipped.length, failed: failed.length })
    }
  }
  const stop = (error: unknown) => {
    stopped ??= { error }
  }
  await Promise.all(Array.from({ length: concurrency }, () => work().catch(stop)))
  const byId = <T extends { readonly id: string }>(list: T[]) =>
    list.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  return { salvaged: byId(salvaged), skipped: byId(skipped), failed: byId(failed), current, stopped }
}

type Outcome =
  | { readonly kind: 'salvaged'; readonly lost: SalvageLoss }
  | { readonly kind: 'current' }
  | {
      readonly kind: 'in-use'
      readonly ownerId: string | undefined
      readonly expiresAt: Date | undefined
    }
  /** The session was deleted meanwhile. */
  | { readonly kind: 'gone' }

const OPEN_HERE: Outcome = { kind: 'in-use', ownerId: undefined, expiresAt: undefined }

async function salvage(
  { id, tenant, imageId, sizeBytes, owner }: StoredSession,
  { dryRun, takeOver }: ResolvedSalvage,
  { imageIds, isOpen, isOwn, read, salvage: salvageInto }: SalvagedStore,
): Promise<Outcome> {
  if (imageIds.has(imageId)) return { kind: 'current' }
  if (isOpen(id)) return OPEN_HERE
  if (owner && owner.remainingMs > 0 && !isOwn(owner.id) && !takeOver)
    return { kind: 'in-use', ownerId: owner.id, expiresAt: owner.expiresAt }
  if (dryRun) {
    const snapshot = sizeBytes === 0 ? undefined : await read(id, tenant)
    return { kind: 'salvaged', lost: snapshot ? expectedLoss(snapshot) : NOTHING_LOST }
  }
  let lost: SalvageLoss | undefined
  try {
    lost = await salvageInto(id, takeOver)
  } catch (error) {
    if (error instanceof SessionOwnedError)
      return { kind: 'in-use', ownerId: error.ownerId, expiresAt: error.expiresAt }
    if (error instanceof InvalidOptionError && error.option === 'id')
      return isOpen(id) ? OPEN_HERE : { kind: 'gone' }
    throw error
  }
  if (lost) return { kind: 'salvaged', lost }
  // A session that never ran has no snapshot, and now has the new image. Any other session was salvaged by somebody else meanwhile.
  return sizeBytes === 0 ? { kind: 'salvaged', lost: NOTHING_LOST } : { kind: 'current' }
}
