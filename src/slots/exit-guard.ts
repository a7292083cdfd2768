// Makes `process.exit()` wait until no slot's thread is at the one moment at which ending it aborts the process
// (src/shared/threads/shield.ts). Owns which threads there are and the listener for the process's end.

/** A thread that may be in the middle of something. */
export interface Exiting {
  /** Blocks until the thread may be ended, at most until then on `performance.now()`'s clock. */
  blockUntilEndable(untilMs: number): void
}

/** For all threads together. What they wait for takes microseconds, and a thread that lies about it is not worth more. */
const MOST_EXIT_MS = 200

/**
 * State of the module, against the rule: the process ends once for all managers, and Node warns of more than ten listeners.
 */
const threads = new Set<Exiting>()

/** Until `unguardExit`. */
export function guardExit(thread: Exiting): void {
  if (threads.size === 0) process.on('exit', waitForAll)
  threads.add(thread)
}

export function unguardExit(thread: Exiting): void {
  if (threads.delete(thread) && threads.size === 0) process.off('exit', waitForAll)
}

function waitForAll(): void {
  const untilMs = performance.now() + MOST_EXIT_MS
  for (const thread of threads) thread.blockUntilEndable(untilMs)
}
