// Answers to the host calls of a suspended execution. Owns running the calls that were approved, and the error of those that were
// denied.
import { deferred } from '../deferred.js'
import { isRecord, known } from '../options/check.js'
import type { Session } from '../session.js'
import { InvalidOptionError } from '../shared/errors.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'

/** All keys are ids of calls, as in `session.pending`. */
export interface PythonAnswers {
  /** Approved calls (`true`) run now; the others raise PermissionError in Python. */
  readonly approvals?: Readonly<Record<string, boolean>>
  /** Results of calls that the program answers itself. */
  readonly results?: Readonly<Record<string, unknown>>
  /** Errors that calls raise in Python. */
  readonly errors?: Readonly<Record<string, unknown>>
}

type Answered = { readonly results: Record<string, unknown>; readonly errors: Record<string, unknown> }
type Answerable = Pick<Session, 'pending' | 'limits'>

/** Ids of calls whose tools are running, so that an approval that is sent twice does not run them twice. */
const answering = new WeakMap<Answerable, Set<string>>()

/**
 * Runs the approved calls, and passes the answers to `resume`. If a tool takes longer than the session's `callbackTimeoutMs`, its call
 * raises TimeoutError in Python. If the signal aborts first, the calls stay pending.
 *
 * @throws InvalidOptionError before any tool runs: for ids that are not pending, and answers of a wrong type
 */
export async function answerCalls<T>(
  session: Answerable,
  answers: PythonAnswers,
  {
    run,
    resume,
    signal,
  }: {
    run(call: PendingCall, signal: AbortSignal): unknown
    resume(answered: Answered): Promise<T>
    readonly signal?: AbortSignal | undefined
  },
): Promise<T> {
  const calls = approvedCalls(session, answers)
  const claimed = answering.get(session) ?? new Set()
  answering.set(session, claimed)
  for (const { id } of calls.keys())
    if (claimed.has(id))
      throw new InvalidOptionError(
        'approvals',
        'ids of calls',
        id,
        `approvals: the call ${id} is being answered already`,
      )
  for (const { id } of calls.keys()) claimed.add(id)
  try {
    const results: Record<string, unknown> = { ...answers.results }
    const errors: Record<string, unknown> = { ...answers.errors }
    await Promise.all(
      [...calls].map(async ([call, isApproved]) => {
        try {
          if (!isApproved) throw denied(call.name)
          results[call.id] = await within(call.name, session.limits.callbackTimeoutMs, signal, (both) =>
            run(call, both),
          )
        } catch (error) {
          signal?.throwIfAborted()
          errors[call.id] = error
        }
      }),
    )
    return await resume({ results, errors })
  } finally {
    for (const { id } of calls.keys()) claimed.delete(id)
  }
}

/** Validates all answers before the first tool runs, because its effects could not be undone. */
function approvedCalls({ pending }: Answerable, answers: PythonAnswers): ReadonlyMap<PendingCall, boolean> {
  isRecord('answers', answers)
  known('answers', answers, ['approvals', 'results', 'errors'])
  const calls = new Map<PendingCall, boolean>()
  const approvals = Object.entries(isRecord('approvals', answers.approvals ?? {}))
  // Without approvals no tool runs, and the session validates the ids.
  if (approvals.length === 0) return calls
  const others = [answers.results, answers.errors].flatMap((one) => Object.keys(one ?? {}))
  const ids = [...approvals.map(([id]) => id), ...others]
  for (const [i, id] of ids.entries()) {
    if (pending.length === 0)
      throw new InvalidOptionError(
        'approvals',
        'ids',
        id,
        'approvals: no host call is pending, so there is nothing to answer',
      )
    const call = pending.find((one) => one.id === id)
    if (call === undefined || ids.indexOf(id) !== i)
      throw new InvalidOptionError(
        'approvals',
        'ids of pending calls, each at most once in approvals, results and errors together',
        id,
      )
    const isApproved = approvals[i]?.[1]
    if (i >= approvals.length) continue
    if (typeof isApproved !== 'boolean')
      throw new InvalidOptionError(`approvals.${id}`, 'true or false', isApproved)
    calls.set(call, isApproved)
  }
  return calls
}

async function within(
  name: string,
  timeoutMs: number | null,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => unknown,
): Promise<unknown> {
  signal?.throwIfAborted()
  const own = new AbortController()
  const timeOut = () => own.abort(namedError('TimeoutError', `${name}() took longer than ${timeoutMs} ms`))
  const timer = timeoutMs === null ? undefined : setTimeout(timeOut, timeoutMs)
  const both = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal])
  const aborted = deferred<never>()
  const abort = () => aborted.reject(both.reason)
  both.addEventListener('abort', abort)
  try {
    return await Promise.race([run(both), aborted.promise])
  } finally {
    clearTimeout(timer)
    both.removeEventListener('abort', abort)
  }
}

/** The error of a call that was not approved. It becomes Python's class of that name. */
export function denied(name: string, reason = 'it was denied'): Error {
  return namedError('PermissionError', `${name}: ${reason}`)
}

/** Becomes Python's class of this name. */
export function namedError(name: string, message: string): Error {
  const error = new Error(message)
  error.name = name
  return error
}
