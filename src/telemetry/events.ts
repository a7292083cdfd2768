// The events of a manager's sessions, slots and checkpoints, for `manager.on`. Owns the types only; `type` says which event it is.

/** Events of a session, delivered in the order in which they happened. `closed` is the last, unless the closed session is deleted. */
export type SessionEvent = { readonly sessionId: string; readonly tenant: string } & (
  | {
      /** `created`: a new session got its first slot. `opened`: a stored session got one. */
      readonly type: 'created' | 'opened'
      /** Milliseconds that the session waited for its slot and was loaded. */
      readonly durationMs: number
    }
  | {
      /** The session has no slot any more. */
      readonly type: 'dormant'
      /**
       * `hibernated`: by `hibernate()`. `evicted`: the manager needed the slot, or expected to, or the session was idle for
       * `idleTimeoutMs`. `lost`: its worker ended. `reset`: by `reset()`.
       */
      readonly reason: 'hibernated' | 'evicted' | 'lost' | 'reset'
    }
  | {
      /** The session has a slot again. */
      readonly type: 'woke'
      /** Milliseconds that loading the session took, without the wait for a slot. */
      readonly durationMs: number
    }
  | {
      /** Another manager has taken the session. `closed` follows. */
      readonly type: 'moved'
    }
  | {
      /** The session was removed from the store, whether or not it was open. */
      readonly type: 'deleted'
    }
  | {
      /** The session is closed in this manager. */
      readonly type: 'closed'
      /** Unset if the user or the manager closed the session. Set if every interpreter failed to load it, or another manager has it. */
      readonly error?: Error
    }
)

/** Events of a slot: it boots, is leased and released any number of times, is renewed between leases, and ends. */
export type SlotEvent = {
  /** Numbered from 1 in each manager. */
  readonly slotId: number
  readonly imageId: string
} & (
  | {
      /** `booted`: the interpreter is ready. `renewed`: the interpreter was set back to the image, for the next session. */
      readonly type: 'booted' | 'renewed'
      readonly durationMs: number
    }
  | {
      /** `leased`: a session got the slot. `released`: the session gave it back. */
      readonly type: 'leased' | 'released'
      readonly tenant: string
    }
  | {
      /** The slot's thread is being ended. */
      readonly type: 'ended'
      readonly reason: string
      /** The slot's state when it was ended. */
      readonly state: 'booting' | 'ready' | 'leased' | 'renewing'
    }
)

export type CheckpointEvent = { readonly sessionId: string; readonly tenant: string } & (
  | {
      /** `made`: a snapshot of the session was taken. `stored`: the snapshot was written to the store. */
      readonly type: 'made' | 'stored'
      /** `made`: size of the snapshot. `stored`: bytes written, fewer than its size if only a difference was written. */
      readonly bytes: number
      readonly durationMs: number
    }
  | {
      readonly type: 'failed'
      /** The step that failed: taking the snapshot, or storing it. */
      readonly step: 'capture' | 'store'
      readonly error: unknown
    }
)

/** Types of events, by the name that `manager.on` accepts. */
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
