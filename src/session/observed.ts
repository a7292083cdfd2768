// Reports the operations and events of a session to its manager's observer. Owns their form, so that each report takes one line elsewhere.
import { SessionMovedError } from '../shared/errors.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import { failureOf, outcomeOf } from '../telemetry/failure.js'
import type { Observer } from '../telemetry/observer.js'
import type { ExecuteResult } from './outcome.js'
import type { Taken } from './take-over.js'

interface Observed {
  readonly observer: Observer
}

interface Subject {
  readonly id: string
  readonly tenant: string
}

interface OfSession {
  readonly sessionId: string
  readonly tenant: string
}

export function factsOf({ id, tenant }: Subject): OfSession {
  return { sessionId: id, tenant }
}

/** Traces a call of `execute` or `resume`, from when it is made until it settles. */
export function observeExecute(
  { observer }: Observed,
  subject: Subject,
  isResumed: boolean,
  run: () => Promise<ExecuteResult>,
): Promise<ExecuteResult> {
  const facts = isResumed ? { ...factsOf(subject), isResumed } : factsOf(subject)
  return observer.trace('execute', facts, run, (result) => {
    const { status, executionCount, callbackInvocations, durationMs } = result
    return { outcome: status, executionCount, callbackInvocations, ranMs: durationMs }
  })
}

/** Measures loading a session into a slot. Without a snapshot there is nothing to thaw. */
export function observeThaw(
  { observer }: Observed,
  subject: Subject,
  snapshot: Snapshot | undefined,
  load: () => Promise<Taken>,
): Promise<Taken> {
  if (snapshot === undefined) return load()
  const facts = { ...factsOf(subject), bytes: snapshot.size }
  return observer.measure('thaw', facts, load, ({ kind }) => (kind === 'done' ? {} : { failure: kind }))
}

/** Measures taking a snapshot that becomes the session's checkpoint. */
export async function observeCapture(
  { observer }: Observed,
  subject: Subject,
  take: () => Promise<Snapshot>,
): Promise<Snapshot> {
  const timing = observer.start('checkpoint', factsOf(subject))
  try {
    const snapshot = await timing.within(take)
    const { size: bytes } = snapshot
    const durationMs = timing.end({ bytes })
    observer.emit('checkpoint', () => ({ type: 'made', ...factsOf(subject), bytes, durationMs }))
    return snapshot
  } catch (error) {
    timing.fail(error)
    observer.emit('checkpoint', () => ({ type: 'failed', ...factsOf(subject), step: 'capture', error }))
    throw error
  }
}

/**
 * Observes a write of a session to the store.
 *
 * @param bytes returns how many bytes were written; undefined if the store already had the snapshot
 */
export async function observeStore(
  { observer }: Observed,
  subject: Subject,
  write: () => Promise<void>,
  bytes: () => number | undefined,
): Promise<void> {
  const startedMs = performance.now()
  try {
    await write()
  } catch (error) {
    observer.emit('checkpoint', () => ({ type: 'failed', ...factsOf(subject), step: 'store', error }))
    throw error
  }
  const stored = bytes()
  if (stored === undefined) return
  const durationMs = performance.now() - startedMs
  observer.emit('checkpoint', () => ({ type: 'stored', ...factsOf(subject), bytes: stored, durationMs }))
}

export function reportOpened(
  { observer }: Observed,
  subject: Subject,
  how: 'created' | 'opened',
  startedMs: number,
): void {
  observer.emit('session', () => ({
    type: how,
    ...factsOf(subject),
    durationMs: performance.now() - startedMs,
  }))
}

/** @param error what calls of the session reject with from now on */
export function reportClosed({ observer }: Observed, subject: Subject, error: Error): void {
  const isMoved = error instanceof SessionMovedError
  if (isMoved) observer.emit('session', () => ({ type: 'moved', ...factsOf(subject) }))
  // A session that its user closed has an error without a cause.
  const why = isMoved || error.cause !== undefined ? { error } : {}
  observer.emit('session', () => ({ type: 'closed', ...factsOf(subject), ...why }))
}

export function reportDeleted({ observer }: Observed, subject: Subject): void {
  observer.emit('session', () => ({ type: 'deleted', ...factsOf(subject) }))
}

export function reportDormant(
  { observer }: Observed,
  subject: Subject,
  reason: 'hibernated' | 'evicted' | 'lost' | 'reset',
): void {
  observer.emit('session', () => ({ type: 'dormant', ...factsOf(subject), reason }))
}

export function reportWoke({ observer }: Observed, subject: Subject, startedMs: number): void {
  observer.emit('session', () => ({
    type: 'woke',
    ...factsOf(subject),
    durationMs: performance.now() - startedMs,
  }))
}

/** Records an execution that has ended in its slot. */
export function recordRun(
  { observer }: Observed,
  durationMs: number,
  ended: { readonly error: unknown } | undefined,
  isSuspended: boolean,
): void {
  const facts = ended
    ? { outcome: outcomeOf(ended.error), failure: failureOf(ended.error) }
    : { outcome: isSuspended ? 'suspended' : 'completed' }
  observer.record('execute', durationMs, facts)
}
