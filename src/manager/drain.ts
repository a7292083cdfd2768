// Ends all sessions of a manager that shuts down, and collects the results. Owns the report.
import { known, numberOption } from '../options/check.js'
import { MAX_DELAY_MS } from '../options/limits.js'
import type { Session } from '../session.js'
import { StoreError } from '../shared/errors.js'

/** Options of `manager.drain`. */
export interface DrainOptions {
  /**
   * How long running calls may continue, in ms from the call of `drain`; then they are interrupted. Storing sessions takes additional time.
   * 0 to 2,147,483,647. Default 10,000.
   */
  readonly timeoutMs?: number
}

/** Result of `manager.drain`. */
export interface DrainResult {
  /** Number of sessions whose last state is in the store. */
  readonly stored: number
  /** Sessions with an id whose last state could not be stored. */
  readonly notStored: readonly { readonly id: string; readonly error: Error }[]
}

const DEFAULT_DRAIN_MS = 10_000

export function resolveDrain(options: DrainOptions | undefined): number {
  const given = options === undefined ? {} : options
  known('options', given, ['timeoutMs'])
  const timeoutMs = numberOption({ min: 0, max: MAX_DELAY_MS, unit: 'milliseconds' })
  return timeoutMs('timeoutMs', given.timeoutMs, DEFAULT_DRAIN_MS)
}

/** @param untilMs running calls may continue until then, on the clock of `performance.now()` */
export async function drainSessions(sessions: Iterable<Session>, untilMs: number): Promise<DrainResult> {
  const ended = await Promise.all(
    [...sessions].map(async (session) => {
      const { id, isKept } = session
      try {
        await session.closing.close(untilMs)
        return { id, isKept }
      } catch (error) {
        return { id, isKept, error: asError(error, id) }
      }
    }),
  )
  return {
    stored: ended.filter(({ isKept, error }) => isKept && error === undefined).length,
    notStored: ended.flatMap(({ id, error }) => (error ? [{ id, error }] : [])),
  }
}

/** @throws the NotStoredError or SessionMovedError if one session failed; a StoreError if several did */
export function throwUnstored(closed: readonly PromiseSettledResult<void>[]): void {
  const errors = closed.flatMap((one) => (one.status === 'rejected' ? [asError(one.reason, undefined)] : []))
  const [first] = errors
  if (first === undefined) return
  if (errors.length === 1) throw first
  const message = `${errors.length} sessions could not be stored, the first because: ${first.message}`
  const { reason } = first instanceof StoreError ? first : {}
  throw new StoreError(message, { reason, cause: new AggregateError(errors) })
}

function asError(thrown: unknown, sessionId: string | undefined): Error {
  if (thrown instanceof Error) return thrown
  return new StoreError('a session could not be stored', { sessionId, cause: thrown })
}
