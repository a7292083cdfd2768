// What happens to a manager's sessions, slots and checkpoints, for `manager.on`. Owns the types only; `type` tells which event it is.

/** Events of one session come in the order in which they happened. `closed` is the last, unless a closed session is deleted. */
export type SessionEvent = { readonly sessionId: string; readonly tenant: string } & (
  | {
      /** `created`: a new session has its slot. `opened`: one from the store has. */
      readonly type: 'created' | 'opened'
      /** Milliseconds in which it waited for its slot and was loaded. */
      readonly durationMs: number
    }
  | {
      /** It has given its slot up: by `hibernate`; because the manager needed the slot, or `idleTimeoutMs` was over; with its worker; by `reset`. */
      readonly type: 'dormant'
      readonly reason: 'hibernated' | 'evicted' | 'lost' | 'reset'
    }
  | {
      /** It has a slot again. */
      readonly type: 'woke'
      /** Milliseconds in which it was loaded, without the wait for a slot. */
      readonly durationMs: number
    }
  | {
      /** Another manager has taken it. `closed` follows. */
      readonly type: 'moved'
    }
  | {
      /** It is gone from the store. It need not have been open. */
      readonly type: 'deleted'
    }
  | {
      /** It has ended here. */
      readonly type: 'closed'
      /** Set unless its user or the manager closed it: every interpreter failed to load it, or another manager has it. */
      readonly error?: Error
    }
)

/** A slot boots, and is leased and released any number of times, renewed in between, until it ends. */
export type SlotEvent = {
  /** Counted from 1 in each manager. */
  readonly slotId: number
  readonly imageId: string
} & (
  | {
      /** `booted`: its interpreter is ready. `renewed`: it is again the image, for the next session. */
      readonly type: 'booted' | 'renewed'
      readonly durationMs: number
    }
  | {
      /** A session has it, or has given it back. */
      readonly type: 'leased' | 'released'
      readonly tenant: string
    }
  | {
      /** Its thread is being ended. */
      readonly type: 'ended'
      readonly reason: string
      /** What it was doing. */
      readonly state: 'booting' | 'ready' | 'leased' | 'renewing'
    }
)

export type CheckpointEvent = { readonly sessionId: string; readonly tenant: string } & (
  | {
      /** `made`: a snapshot of the session was taken. `stored`: the store has it. */
      readonly type: 'made' | 'stored'
      /** Size of the snapshot. */
      readonly bytes: number
      readonly durationMs: number
    }
  | {
      readonly type: 'failed'
      /** What failed: taking the snapshot, or storing it. */
      readonly step: 'capture' | 'store'
      readonly error: unknown
    }
)

/** Events by the name that `manager.on` takes. */
export interface ManagerEvents {
  readonly session: SessionEvent
  readonly slot: SlotEvent
  readonly checkpoint: CheckpointEvent
}

export const EVENT_NAMES = [
  'session',
  'slot',
  'checkpoint',
] as const satisfies readonly (keyof ManagerEvents)[]
