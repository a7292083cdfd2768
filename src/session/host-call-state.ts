// What placement.ts needs of a session's host calls when the session's state moves. Owns the type only; host-side.ts implements it.

import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { CallHandler, Slot } from '../slots/slot.js'

/** The host calls that belong to a session's state: they move, and end, with the state that made them. */
export interface HostCallState extends CallHandler {
  readonly executionCount: number
  /** The state holds an execution that waits for `pending`. */
  readonly awaiting: boolean
  readonly pending: readonly PendingCall[]
  /** The session's callbacks as plain data for the kernel. */
  describeCallbacks(): unknown[]
  /** Why each suspended host call is suspended, by id. */
  reasons(): Readonly<Record<string, string>>
  /** Drops all calls: the state that made them was lost with its slot, or replaced by the caller. */
  reset(reason: Error, why: 'lost' | 'replaced'): void
  /** Takes over the suspended calls of a snapshot's state. */
  restore(snapshot: Snapshot): void
  /** Opens the argument window for a slot that is about to get the state. Returns the credit figures to send to it. */
  openWindow(slot: Slot): { readonly releasedBytes: number; readonly heldBytes: number }
  /** Holds answers back: the state is about to leave its slot, or to be replaced there. */
  pause(): void
  /** The state has left its slot, and nothing of the slot is needed any more. Thousands of dormant sessions must not keep theirs. */
  leave(): void
  /** Sends answers again, including those held back: the state is in this slot. */
  resume(slot: Slot): void
}
