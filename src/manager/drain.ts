// Ends all sessions of a manager that is about to go, and collects what became of them. Owns the report.
import { known, numberOption } from '../options/check.js'
import { MAX_DELAY_MS } from '../options/limits.js'
import type { Session } from '../session.js'
import { StoreError } from '../shared/errors.js'

export interface DrainOptions {
  /**
   * How long running calls may go on, in ms from the call of `drain`; then they are interrupted. Storing comes on top. 0 to 2,147,483,647.
   * Default 10,000.
   */
  readonly timeoutMs?: number
}

export interface DrainResult {
  /** Sessions that the store has as they ended. */
  readonly stored: number
  /** Sessions with an id whose last state the store does not have. */
  readonly notStored: readonly { readonly id: string; readonly error: Error }[]
}

const DEFAULT_DRAIN_MS = 10_000

export function resolveDrain(options: DrainOptions | undefined): number {
  const given = options === undefined ? {} : options
  known('options', given, ['timeoutMs'])
  const timeoutMs = numberOption({ min: 0, max: MAX_DELAY_MS, unit: 'milliseconds' })
  return timeoutMs('timeoutMs', given.timeoutMs, DEFAULT_DRAIN_MS)
}

/** @param untilMs running calls may go on until then, of `performance.now()` */
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

/** @throws NotStoredError, SessionMovedError of one of them, or a StoreError for several */
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
