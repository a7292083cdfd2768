// What residence.ts needs of a session's host calls when the session's state moves. Owns the type only; host-side.ts implements it.

import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { CallHandler, Slot } from '../slots/slot.js'

/** What of a session is on this side: its host calls go with the state that made them. */
export interface Companion extends CallHandler {
  readonly executionCount: number
  /** Plain data of its callbacks, for the kernel. */
  describeCallbacks(): unknown[]
  /** Why host calls are suspended, by id. */
  reasons(): Readonly<Record<string, string>>
  /** The state that was there is gone: with its slot, or by the caller's wish. */
  forget(reason: Error, why: 'lost' | 'replaced'): void
  /** The state of a snapshot is there instead. */
  adopt(snapshot: Snapshot): void
  /** The state is about to be put into the slot: what that is told of host calls' arguments. */
  openWindow(slot: Slot): { readonly releasedBytes: number; readonly heldBytes: number }
  /** The state is about to leave its slot, or to be replaced there: what comes for it has to wait. */
  leave(): void
  /** The state is in a slot again: what waited for that can go. */
  arrive(slot: Slot): void
}
