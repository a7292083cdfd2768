// Makes `process.exit()` wait until no slot's thread is at the one moment at which ending it aborts the process
// (src/shared/threads/shield.ts). Owns which threads there are and the listener for the process's end.
import { MOST_SHIELDED_MS } from '../shared/threads/shield.js'

/** A thread that may be in the middle of something. */
export interface Exiting {
  /** Blocks until the thread may be ended, at most until then on `performance.now()`'s clock. */
  blockUntilEndable(untilMs: number): void
}

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

/** Waits for all threads together no longer than for one. */
function waitForAll(): void {
  const untilMs = performance.now() + MOST_SHIELDED_MS
  for (const thread of threads) thread.blockUntilEndable(untilMs)
}
