// What a session needs of the manager it belongs to. Owns the type only; the manager implements it.
import type { MemoryAccount } from '../memory/account.js'
import type { SnapshotLedger } from '../memory/snapshot-ledger.js'
import type { Slices } from '../shared/values/slices.js'
import type { Slot } from '../slots/slot.js'
import type { Resident } from './idle-evictor.js'
import type { ExecutionUsage } from './usage.js'

export type Countable =
  | 'executions'
  | 'timeouts'
  | 'cancellations'
  | 'crashes'
  | 'checkpoints'
  | 'refusedCheckpoints'
  | 'hibernations'
  | 'thaws'
  | 'lateAnswers'

export interface SessionHome {
  /** What names the image of every slot. */
  readonly image: { readonly id: string; readonly pyodideVersion: string; readonly pythonVersion: string }
  readonly snapshotKey: Uint8Array | undefined
  /** What decodes the messages of all sessions. */
  readonly slices: Slices
  /** Parent of the sessions' accounts for what is on its way: values, arguments, answers. */
  readonly memory: MemoryAccount
  /** Of the manager. */
  readonly maxMemoryBytes: number | null
  /** Has to be told of every snapshot that a session holds. */
  readonly snapshots: SnapshotLedger

  /** A slot, waited for if there is none. */
  acquire(tenant: string, signal?: AbortSignal): Promise<Slot>
  /** A slot that is free right now. */
  tryAcquire(tenant: string): Slot | undefined
  /** With `keep` the slot may serve another session of the same tenant. */
  release(slot: Slot, keep: boolean): Promise<void>
  count(what: Countable): void
  /** An execution has ended. */
  record(used: ExecutionUsage): void
  /** The session has nothing to do any more: it could give its slot to someone who waits. */
  idle(session: Resident): void
  /** The session is closed. */
  forget(session: Resident & { readonly id: string }): void
}
