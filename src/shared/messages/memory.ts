// How a slot asks the manager's account for memory. Owns no behaviour; the slot's side is workers/memory/budget.ts, the main
// thread's src/memory/slot-lease.ts.
import type { MessagePort } from 'node:worker_threads'

/** Unit of requests and grants. */
export const GRANT_BYTES = 65_536

/**
 * What the slot sends. `grow` and `pack` each get one answer; memory to pack a snapshot may come from the account's reserve.
 * `giveBack` gets none.
 */
export type MemoryMessage = readonly [what: 'grow' | 'pack' | 'giveBack', bytes: number]

/**
 * The slot sends over the port; the main thread answers in `words`, two Int32 that wrap around. The main thread never reads them, so a
 * slot that changes them harms only itself.
 */
export interface MemoryWire {
  readonly port: MessagePort
  readonly words: SharedArrayBuffer
  /** Initial allowance. */
  readonly bytes: number
}

/** Total of granted units of `GRANT_BYTES`. */
export const GRANTED = 0
/** Number of requests that were answered. */
export const ANSWERED = 1
