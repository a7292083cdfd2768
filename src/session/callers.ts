// Refuses what a callback asks of its own session that would wait for the callback. The rest of the program may ask it: such calls queue.
import { type Caller, currentCaller } from '../callbacks/caller.js'
import { DeadlockError } from '../shared/errors.js'

const WAITS =
  'this call starts when the running execution has ended, and that waits for the callback that made the call. ' +
  'While Python awaits a callback, session.files, snapshotState(), interrupt(), close() and other sessions work; make other calls after the execution'

const BLOCKS =
  'this call needs the interpreter, which is blocked until the callback that made the call returns. ' +
  'Await the callback in Python, at the top level or in an async function: session.files and snapshotState() work then'

/**
 * A signal that takes a queued call out again if `caller` is a callback that the session's execution still waits for at the end of this turn
 * of the event loop. A callback that has returned by then did not wait for the call.
 */
export function refusable(
  session: unknown,
  caller: Caller,
  signal: AbortSignal | undefined,
): AbortSignal | undefined {
  const own = caller.of(session)
  if (own === undefined) return signal
  // Made now, for its stack to name the callback.
  const error = new DeadlockError(WAITS)
  const refusal = new AbortController()
  void endOfTurn().then(() => {
    if (own.isAwaited) refusal.abort(error)
  })
  return signal ? AbortSignal.any([signal, refusal.signal]) : refusal.signal
}

/**
 * For calls that are served between the steps of an execution, except while it blocks the interpreter's thread.
 *
 * @returns what to wait for, if anything
 * @throws DeadlockError by that promise, if it blocks for the callback that makes the call
 */
export function requireFreeThread(session: unknown): Promise<void> | undefined {
  const own = currentCaller()?.of(session)
  if (!own?.blocks) return undefined
  const error = new DeadlockError(BLOCKS)
  return endOfTurn().then(() => {
    if (own.isAwaited && own.blocks) throw error
  })
}

/** When all that is due without input, output and timers has run. */
function endOfTurn(): Promise<void> {
  // The first may come before promises that are due.
  return new Promise((resolve) => process.nextTick(() => queueMicrotask(() => process.nextTick(resolve))))
}
