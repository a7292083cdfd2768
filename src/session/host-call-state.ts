// What placement.ts needs from a session's host calls when the session's state moves. Owns the type only; host-side.ts implements it.

import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { CallHandler, Slot } from '../slots/slot.js'

/** The host calls that belong to a session's state. They move and end together with the state that made them. */
export interface HostCallState extends CallHandler {
  readonly executionCount: number
  /** Whether the state contains an execution that waits for `pending`. */
  readonly awaiting: boolean
  readonly pending: readonly PendingCall[]
  /** The session's callbacks as plain data for the kernel. */
  describeCallbacks(): unknown[]
  /** The reasons given for suspending host calls, by call id. */
  reasons(): Readonly<Record<string, string>>
  /** Drops all calls: the state that made them was lost with its slot, or replaced by the caller. */
  reset(reason: Error, why: 'lost' | 'replaced'): void
  /** Restores the suspended calls of a snapshot's state. */
  restore(snapshot: Snapshot): void
  /** Opens the argument window for a slot that is about to get the state. Returns the credit counts to send to it. */
  openWindow(slot: Slot): { readonly releasedBytes: number; readonly heldBytes: number }
  /** Holds answers back, because the state is about to leave its slot or to be replaced there. */
  pause(): void
  /** Call when the state has left its slot. Drops all references to the slot, so that thousands of dormant sessions do not keep theirs. */
  leave(): void
  /** Call when the state is in this slot. Sends answers again, including those that were held back. */
  resume(slot: Slot): void
}
