// Makes `process.exit()` wait until no slot's thread is in the state in which ending it aborts the process
// (src/shared/threads/shield.ts). Owns the set of threads and the listener for the process's exit.
import { MOST_SHIELDED_MS } from '../shared/threads/shield.js'

/** A thread that may have to be waited for before the process exits. */
export interface Exiting {
  /** Blocks until the thread may be ended, until `untilMs` (on the clock of `performance.now()`) at the latest. */
  blockUntilEndable(untilMs: number): void
}

/**
 * Module-level state, despite the rule against it: the process exits once for all managers, and Node warns of more than ten listeners.
 */
const threads = new Set<Exiting>()

/** Guards the thread until `unguardExit`. */
export function guardExit(thread: Exiting): void {
  if (threads.size === 0) process.on('exit', waitForAll)
  threads.add(thread)
}

export function unguardExit(thread: Exiting): void {
  if (threads.delete(thread) && threads.size === 0) process.off('exit', waitForAll)
}

/** Waits for all threads together, no longer than it would wait for one. */
function waitForAll(): void {
  const untilMs = performance.now() + MOST_SHIELDED_MS
  for (const thread of threads) thread.blockUntilEndable(untilMs)
}
