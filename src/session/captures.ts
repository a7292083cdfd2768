// Takes a session's snapshots: those that users request, and checkpoints. Owns the captures in progress and the time that checkpoints
// may take. capture.ts does one capture, checkpoint.ts keeps the snapshot, placement.ts owns the slot.
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

/** Delay before a checkpoint, so that a call that follows at once does not have to wait for it. */
const CHECKPOINT_DELAY_MS = 1
/** Longest time that finalizers may run before a capture. */
const FINALIZERS_MS = 2_000
/** Shared by all sessions, because there may be thousands. */
const NONE: readonly Promise<Snapshot>[] = []

/** What captures need from the session's placement. */
export interface CapturedSession {
  /** The slot that has the session's state. */
  readonly slot: Slot | undefined
  /** Returns the slot; acquires one if there is none. */
  attach(): Promise<Slot>
  /** Reads the snapshot back if only the store has it. */
  load(): Promise<void>
  /** @throws SessionClosedError, or an error that was not yet reported to a caller */
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
  /** Captures in progress. Those requested during an execution may take longer than the execution. */
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

  /** Whether a checkpoint would save changes and can start now. */
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

  /** Takes a checkpoint soon if there are changes, unless the session is busy by then. */
  scheduleCheckpoint(isIdle: () => boolean): void {
    if (!this.#wantsCheckpoint) return
    this.#checkpointTimer ??= setTimeout(() => {
      this.#checkpointTimer = undefined
      if (isIdle()) this.#context.observer.detached(() => this.startCheckpoint('quick'))
    }, CHECKPOINT_DELAY_MS)
  }

  /** Call when the session is closed. */
  close(): void {
    clearTimeout(this.#checkpointTimer)
  }

  /**
   * Starts a checkpoint if there are changes and the budget allows it. If the state cannot be captured, the last checkpoint remains valid.
   * If the slot is lost, the next call reports it, or the call that waits for this checkpoint.
   *
   * @param effort `least` if a call waits for the checkpoint, which is then used only after a crash
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
        // Also our own bugs: the next call reports them, instead of an unhandled rejection that ends the process.
      } else if (
        error instanceof Error &&
        !(error instanceof SessionClosedError || error instanceof SessionMovedError)
      )
        this.#session.deferError(error)
    }
    this.#budget.spend(performance.now() - startedMs)
  }

  /**
   * Captures the session, and keeps the snapshot as its checkpoint. Use `quick` or `least` when no caller requested a snapshot: time
   * then matters more than size.
   *
   * @param isLast the slot is released afterwards
   * @throws SnapshotError when the session cannot be captured; it is then unchanged
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
   * checkpoint: if the worker is lost, the session continues from the last completed call (B2).
   *
   * @param execution resolves when the execution ends; never rejects
   */
  async captureMidway(execution: Promise<void> | undefined): Promise<Snapshot> {
    const { slot } = this.#session
    if (slot === undefined) return this.capture()
    return this.#capture(slot, { effort: 'small', number: null, waitsFor: execution })
  }

  /** Returns a number for a restored snapshot; null unless a capture is certain to follow, because hashing it costs the slot some time. */
  numberToRestore(): number | null {
    if (this.#context.stored.durability === 'memory') return null
    this.#captureCount += 1
    return this.#captureCount
  }

  /** Returns a number for a capture; null if no later capture may build on it, because hashing for that costs the slot some time. */
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
    // Garbage collection may run the user's finalizers, so it has a deadline even if executions have none.
    const { executionTimeoutMs } = this.#options.limits
    const timeoutMs = Math.min(executionTimeoutMs ?? FINALIZERS_MS, FINALIZERS_MS)
    const { executionCount } = this.#hostCalls
    // During the capture, `resume` can remove reasons and suspending callbacks can add some. The captured state may need either.
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
