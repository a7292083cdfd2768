// A slot's requests for memory to the manager's account. Owns no behaviour; the slot's side is workers/memory/budget.ts, the main
// thread's side src/memory/slot-lease.ts.
import type { MessagePort } from 'node:worker_threads'

/** Unit of requests and grants. */
export const GRANT_BYTES = 65_536

/**
 * A message from the slot. `grow` and `pack` each get one answer; memory for packing a snapshot may come from the account's reserve.
 * `giveBack` gets no answer.
 */
export type MemoryMessage = readonly [what: 'grow' | 'pack' | 'giveBack', bytes: number]

/**
 * The slot sends over the port, and the main thread answers in `words`, two Int32 that wrap around. The main thread never reads them, so
 * a slot that changes them harms only itself.
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
