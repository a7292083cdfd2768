// Takes a session's snapshots: those that users ask for, and checkpoints. Owns the captures in progress and the time that checkpoints
// may take. capture.ts does one capture; checkpoint.ts keeps the snapshot; placement.ts owns the slot.
import { SessionClosedError, SessionMovedError, SnapshotError } from '../shared/errors.js'
import type { Effort } from '../shared/messages/slot.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Slot } from '../slots/slot.js'
import { CheckpointBudget } from './budget.js'
import { type Capturing, capture } from './capture.js'
import type { Checkpoint } from './checkpoint.js'
import type { SessionContext } from './context.js'
import type { HostCallState } from './host-call-state.js'
import { observeCapture } from './observed.js'
import type { ResolvedSessionOptions } from './options.js'

/** A call that follows at once should not wait for a checkpoint. */
const CHECKPOINT_DELAY_MS = 1
/** Longest that finalizers may run before a capture. */
const FINALIZERS_MS = 2_000
/** One for all sessions: there may be thousands. */
const NONE: readonly Promise<Snapshot>[] = []

/** What captures need of the session's placement. */
export interface CapturedSession {
  /** The slot that has the session's state. */
  readonly slot: Slot | undefined
  /** As `slot`; acquires one if there is none. */
  attach(): Promise<Slot>
  /** Brings back a snapshot that only the store has. */
  load(): Promise<void>
  /** @throws SessionClosedError, or an error that no caller has been told of */
  requireUsable(): void
  /** @throws SessionClosedError */
  requireOpen(): void
  /** Counts the slot as lost. Returns the error for the caller. */
  crashed(slot: Slot, reason: string): Error
  /** Reports an error to the next call. */
  deferError(error: Error): void
}

export class Captures {
  readonly #session: CapturedSession
  readonly #checkpoint: Checkpoint
  readonly #context: SessionContext
  readonly #options: ResolvedSessionOptions
  readonly #hostCalls: HostCallState
  readonly #budget = new CheckpointBudget()
  #captureCount = 0
  #checkpointTimer: NodeJS.Timeout | undefined
  #checkpointing: Promise<void> | undefined
  /** Captures in progress. Those that were asked for while an execution ran may last longer than the execution. */
  #capturing: readonly Promise<Snapshot>[] = NONE

  constructor(
    session: CapturedSession,
    checkpoint: Checkpoint,
    context: SessionContext,
    options: ResolvedSessionOptions,
    hostCalls: HostCallState,
  ) {
    this.#session = session
    this.#checkpoint = checkpoint
    this.#context = context
    this.#options = options
    this.#hostCalls = hostCalls
  }

  /** A checkpoint would save something new. */
  get #wantsCheckpoint(): boolean {
    return this.#checkpoint.isDue && this.#session.slot !== undefined && this.#checkpointing === undefined
  }

  /** The checkpoint in progress. Never rejects. The slot handles later calls after it, in order. */
  get checkpointing(): Promise<void> | undefined {
    return this.#checkpointing
  }

  /** All captures in progress: the slot must keep the state until they have ended. Never rejects. */
  get inProgress(): Promise<unknown> | undefined {
    if (this.#capturing.length === 0) return this.#checkpointing
    return Promise.allSettled([...this.#capturing, this.#checkpointing])
  }

  /** Takes a checkpoint soon if there is something new, unless the session is not idle then. */
  scheduleCheckpoint(isIdle: () => boolean): void {
    if (!this.#wantsCheckpoint) return
    this.#checkpointTimer ??= setTimeout(() => {
      this.#checkpointTimer = undefined
      if (isIdle()) this.#context.observer.detached(() => this.startCheckpoint('quick'))
    }, CHECKPOINT_DELAY_MS)
  }

  /** The session is closed. */
  close(): void {
    clearTimeout(this.#checkpointTimer)
  }

  /**
   * Starts a checkpoint if there is something new and the budget allows. If the state cannot be captured, the last checkpoint stays in
   * force. If the slot is lost, the next call reports it, or the one that waits for this checkpoint.
   *
   * @param effort `least` if a call waits for it: only a crash needs such a checkpoint
   */
  startCheckpoint(effort: 'quick' | 'least'): void {
    if (!this.#wantsCheckpoint || !this.#budget.allows) return
    this.#checkpointing = this.#takeCheckpoint(effort).finally(() => {
      this.#checkpointing = undefined
    })
  }

  async #takeCheckpoint(effort: Effort): Promise<void> {
    const startedMs = performance.now()
    try {
      await this.capture(effort)
      this.#context.count('checkpoints')
    } catch (error) {
      if (error instanceof SnapshotError) {
        this.#checkpoint.markRefused()
        this.#context.count('refusedCheckpoints')
        // This includes bugs of ours: the next call reports them, and no unhandled rejection ends the process.
      } else if (
        error instanceof Error &&
        !(error instanceof SessionClosedError || error instanceof SessionMovedError)
      )
        this.#session.deferError(error)
    }
    this.#budget.spend(performance.now() - startedMs)
  }

  /**
   * Captures the session, and keeps the snapshot as its checkpoint. Use `quick` or `least` when no caller asked for a snapshot: time
   * then matters more than size.
   *
   * @param isLast the slot is given back afterwards
   * @throws SnapshotError when it cannot be captured; the session is as it was
   */
  async capture(effort: Effort = 'small', isLast = false): Promise<Snapshot> {
    this.#session.requireUsable()
    if (this.#session.slot === undefined) await this.#session.load()
    const complete = this.#checkpoint.complete(this.#hostCalls.executionCount)
    if (this.#session.slot === undefined && complete) return complete
    const slot = await this.#session.attach()
    const keep = this.#checkpoint.begin()
    const number = isLast ? null : this.#newNumber()
    const snapshot = await observeCapture(this.#context, this.#options, () =>
      this.#capture(slot, { effort, number }),
    )
    keep(snapshot, number === null ? undefined : { slot: new WeakRef(slot), number })
    return snapshot
  }

  /**
   * Captures a running execution as soon as it awaits or ends, within the execution's own deadline. The snapshot does not become the
   * checkpoint: after a lost worker, the session continues from what completed (B2).
   *
   * @param execution its end; never rejects
   */
  async captureMidway(execution: Promise<void> | undefined): Promise<Snapshot> {
    const { slot } = this.#session
    if (slot === undefined) return this.capture()
    return this.#capture(slot, { effort: 'small', number: null, waitsFor: execution })
  }

  /** A number for what a slot restores; null if no capture is certain to follow, as hashing what is restored costs the slot a little. */
  numberToRestore(): number | null {
    if (this.#context.stored.durability === 'memory') return null
    this.#captureCount += 1
    return this.#captureCount
  }

  /** Null if there may be no later capture to build on this one: hashing what may be needed then costs the slot a little. */
  #newNumber(): number | null {
    this.#captureCount += 1
    const { checkpoint } = this.#options
    const isOneOfMany =
      checkpoint === 'auto' || this.#context.stored.durability === 'checkpoint' || this.#captureCount > 1
    return isOneOfMany ? this.#captureCount : null
  }

  #capture(slot: Slot, how: Pick<Capturing, 'effort' | 'number' | 'waitsFor'>): Promise<Snapshot> {
    const captured = this.#captureNow(slot, how)
    this.#capturing = [...this.#capturing, captured]
    return captured.finally(() => {
      const others = this.#capturing.filter((one) => one !== captured)
      this.#capturing = others.length === 0 ? NONE : others
    })
  }

  async #captureNow(slot: Slot, how: Pick<Capturing, 'effort' | 'number' | 'waitsFor'>): Promise<Snapshot> {
    // Collecting garbage may run the user's finalizers, so it has a deadline even if executions have none.
    const { executionTimeoutMs } = this.#options.limits
    const timeoutMs = Math.min(executionTimeoutMs ?? FINALIZERS_MS, FINALIZERS_MS)
    const { executionCount } = this.#hostCalls
    // Meanwhile a resume can remove reasons, and callbacks that suspend can add some. The captured state may have either.
    const before = this.#hostCalls.reasons()
    const reasons = () => ({ ...before, ...this.#hostCalls.reasons() })
    const base = this.#checkpoint.baseIn(slot)
    const capturing = { ...how, timeoutMs, executionCount, base, reasons }
    const captured = await capture(slot, this.#options, this.#context, capturing)
    this.#session.requireOpen()
    if (captured.kind === 'lost') throw this.#session.crashed(slot, captured.reason)
    if (captured.kind === 'refused') {
      const { reason, message } = captured
      throw new SnapshotError(reason === 'no-room' ? 'not-captured' : reason, message)
    }
    return captured.snapshot
  }
}
