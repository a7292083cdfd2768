// The error of a call whose effect could not be stored. Owns its message, and what it keeps for the caller.
import { SnapshotError, StoreError, type StoreErrorOptions } from '../shared/errors.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import { messageOf } from '../shared/thrown.js'

/** What the caller can still use. */
export interface NotStored {
  readonly result?: unknown
  readonly error?: unknown
  readonly snapshot?: Snapshot | undefined
}

/**
 * A call has run, but the session's new state could not be stored; `cause` says why. An open session continues with that state, and the
 * next checkpoint stores all of it. Do not repeat the call: its code has run.
 */
export class NotStoredError extends StoreError {
  /** What the call would have resolved to; for `execute` and `resume`, an `ExecuteResult`. */
  readonly result: unknown
  /** What the call would have rejected with, such as a `PythonError`. */
  readonly error: unknown
  /** For `close`, `delete` and `drain`: the session's last snapshot, if it has one that is not stored. */
  readonly snapshot: Snapshot | undefined

  constructor(message: string, { result, error, snapshot }: NotStored, options: StoreErrorOptions) {
    super(message, options)
    this.result = result
    this.error = error
    this.snapshot = snapshot
  }
}

/** The error for a call of a session that stays open. */
export function notStored(id: string, given: NotStored, cause: unknown): NotStoredError {
  const remedy =
    cause instanceof SnapshotError
      ? 'the session continues, and is stored as soon as it can be captured'
      : 'the session continues, and its next checkpoint stores all of its state'
  const message = `the code has run, but the session ${id} could not be stored: ${messageOf(cause, 'the store failed')}; ${remedy}`
  return new NotStoredError(message, given, { ...detailsOf(cause), sessionId: id, cause })
}

/** The error for a session that is closed. */
export function closedUnstored(id: string, snapshot: Snapshot | undefined, cause: unknown): NotStoredError {
  const kept = snapshot ? "; this error's `snapshot` has it" : ''
  const message = `the session ${id} is closed, but its last state could not be stored: ${messageOf(cause, 'the store failed')}${kept}`
  return new NotStoredError(message, { snapshot }, { ...detailsOf(cause), sessionId: id, cause })
}

/** The store's reason, if the store failed. */
function detailsOf(cause: unknown): Pick<StoreErrorOptions, 'reason'> {
  return cause instanceof StoreError ? { reason: cause.reason } : {}
}
