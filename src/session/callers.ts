// Detects deadlocks: rejects a call that a callback makes on its own session if the call would have to wait for that callback. Calls from
// elsewhere in the program are queued as usual.
import { type Caller, currentCaller } from '../callbacks/caller.js'
import { DeadlockError } from '../shared/errors.js'

const WAITS =
  'this call starts when the running execution has ended, and that waits for the callback that made the call. ' +
  'While Python awaits a callback, session.files, snapshotState(), interrupt(), close() and other sessions work; make other calls after the execution'

const BLOCKS =
  'this call needs the interpreter, which is blocked until the callback that made the call returns. ' +
  'Await the callback in Python, at the top level or in an async function: session.files and snapshotState() work then'

/**
 * Returns a signal that removes a queued call if `caller` is a callback that the session's execution still waits for at the end of this
 * turn of the event loop. A callback that has returned by then did not wait for the call.
 */
export function refusable(
  session: unknown,
  caller: Caller,
  signal: AbortSignal | undefined,
): AbortSignal | undefined {
  const own = caller.of(session)
  if (own === undefined) return signal
  // Create the error now, so that its stack names the callback.
  const error = new DeadlockError(WAITS)
  const refusal = new AbortController()
  void endOfTurn().then(() => {
    if (own.isAwaited) refusal.abort(error)
  })
  return signal ? AbortSignal.any([signal, refusal.signal]) : refusal.signal
}

/**
 * For calls that are served between the steps of an execution, which needs the interpreter's thread to be free.
 *
 * @returns a promise to await first, if any; it rejects with DeadlockError if the thread is blocked until the calling callback returns
 */
export function requireFreeThread(session: unknown): Promise<void> | undefined {
  const own = currentCaller()?.of(session)
  if (!own?.blocks) return undefined
  const error = new DeadlockError(BLOCKS)
  return endOfTurn().then(() => {
    if (own.isAwaited && own.blocks) throw error
  })
}

/** Resolves when all pending microtasks and `nextTick` callbacks have run. */
function endOfTurn(): Promise<void> {
  // One `nextTick` is not enough: it may run before pending promise callbacks.
  return new Promise((resolve) => process.nextTick(() => queueMicrotask(() => process.nextTick(resolve))))
}
