// Answers to the host calls that a suspended execution waits for. Owns running the calls that were approved, and the error of those that
// were not.
import type { Session } from '../session.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'

/** By the calls' ids, as in `session.pending`. */
export interface PythonAnswers {
  /** Approved calls run now; others raise PermissionError in Python. */
  readonly approvals?: Readonly<Record<string, boolean>>
  /** What calls return that the program answers itself. */
  readonly results?: Readonly<Record<string, unknown>>
  /** What calls raise. */
  readonly errors?: Readonly<Record<string, unknown>>
}

/** @returns what `session.resume` takes, which refuses ids that are not pending */
export async function runApproved(
  session: Pick<Session, 'pending'>,
  answers: PythonAnswers,
  run: (call: PendingCall) => unknown,
): Promise<{ results: Record<string, unknown>; errors: Record<string, unknown> }> {
  const results: Record<string, unknown> = { ...answers.results }
  const errors: Record<string, unknown> = { ...answers.errors }
  const { pending } = session
  await Promise.all(
    Object.entries(answers.approvals ?? {}).map(async ([id, isApproved]) => {
      const call = pending.find((one) => one.id === id)
      try {
        if (!isApproved || call === undefined) throw denied(call?.name ?? id)
        results[id] = await run(call)
      } catch (error) {
        errors[id] = error
      }
    }),
  )
  return { results, errors }
}

/** The error of a call that nobody allowed. Python has the class. */
export function denied(name: string, reason = 'it was denied'): Error {
  return namedError('PermissionError', `${name}: ${reason}`)
}

/** Python raises its class of this name. */
export function namedError(name: string, message: string): Error {
  const error = new Error(message)
  error.name = name
  return error
}
