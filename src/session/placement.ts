// Tracks where a session's state is: in a slot, or dormant as a snapshot, in one place at a time (S1). Owns the lifecycle, every move
// between the two, and the checkpoint from which a session recovers. runner.ts runs calls in the slot.
import { InterpreterCrashedError, type Outcome, SessionClosedError, SnapshotError } from '../shared/errors.js'
import type { Effort } from '../shared/messages/slot.js'
import { trustOf } from '../shared/snapshot/signature.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Slot } from '../slots/slot.js'
import { CheckpointBudget } from './budget.js'
import { capture } from './capture.js'
import type { SessionContext } from './context.js'
import type { HostCallState } from './host-call-state.js'
import { OpenWaits } from './open-waits.js'
import type { ResolvedSessionOptions } from './options.js'
import { takeOver } from './take-over.js'

type Lifecycle =
  | { readonly kind: 'attached'; readonly slot: Slot }
  /** No slot. The next call gets one and restores the checkpoint. `upToDate`: nothing has happened since that checkpoint. */
  | { readonly kind: 'dormant'; readonly upToDate: boolean }
  | { readonly kind: 'closed' }

/** Longest that finalizers may run before a capture. */
const FINALIZERS_MS = 2_000
/** Delay after a restore before the session's previous slot is released. */
const GIVE_BACK_MS = 10
/** After this many failed attaches in a row, the session is closed. */
const ATTACH_ATTEMPTS = 3

export class Placement {
  readonly #context: SessionContext
  readonly #options: ResolvedSessionOptions
  readonly #hostCalls: HostCallState
  readonly #budget = new CheckpointBudget()
  #checkpointing: Promise<void> | undefined
  /** Captures that were asked for while an execution ran. They may last longer than the execution. */
  readonly #midway = new Set<Promise<Snapshot>>()
  /** Waits for a slot, or for memory to wake in. */
  readonly #waits = new OpenWaits()
  #lifecycle: Lifecycle = { kind: 'dormant', upToDate: false }
  /** What the session is restored from when its slot is lost. Undefined: a fresh interpreter. */
  #checkpoint: Snapshot | undefined
  /** The checkpoint does not describe the session's globals, so it is not given out. */
  #isPartial = false
  /** The slot's state is newer than the checkpoint. */
  #changed = false
  /** Counts changes: answers of host calls can arrive while the state is captured. */
  #changes = 0
  /** The current state was refused as a checkpoint, and would be again. */
  #refused = false
  #attachedSinceMs = 0
  /** A loss that happened with no caller to report it to. */
  #deferredError: Error | undefined
  readonly #onGivenUp: () => void
  /** Failed attaches in a row. */
  #failedAttaches = 0
  /** Why the session closed by itself. */
  #closedBecause: string | undefined

  /** @param onGivenUp called when every interpreter fails to attach the session, which must then be closed */
  constructor(
    context: SessionContext,
    options: ResolvedSessionOptions,
    hostCalls: HostCallState,
    onGivenUp: () => void,
    from: Snapshot | undefined,
  ) {
    this.#context = context
    this.#hostCalls = hostCalls
    this.#onGivenUp = onGivenUp
    this.#options = options
    this.#setCheckpoint(from)
  }

  get state(): Lifecycle['kind'] {
    return this.#lifecycle.kind
  }

  get attachedSinceMs(): number {
    return this.#attachedSinceMs
  }

  /** A checkpoint would save something new. */
  get wantsCheckpoint(): boolean {
    const wanted = this.#changed && !this.#refused && this.#lifecycle.kind === 'attached'
    return wanted && this.#checkpointing === undefined
  }

  /** Call when a call has ended in the slot or an answer was sent to it: either may have changed the state. */
  markChanged(slot: Slot): void {
    if (this.#lifecycle.kind !== 'attached' || this.#lifecycle.slot !== slot) return
    this.#changed = true
    this.#changes += 1
    this.#refused = false
  }

  /**
   * Returns the session's slot; acquires and prepares one if there is none.
   *
   * @throws InterpreterCrashedError when the slot was lost since the last call, along with unsaved state
   * @throws LimitError when `maxMemoryBytes` has no room for it within `acquireTimeoutMs`; it stays dormant
   * @throws SessionClosedError when the session is closed, or closes now because it crashes every interpreter
   */
  async attach(signal?: AbortSignal): Promise<Slot> {
    this.requireOpen()
    this.#throwDeferred()
    if (this.#lifecycle.kind === 'attached') {
      const { slot } = this.#lifecycle
      if (slot.alive) return slot
      if (this.#checkpointing) {
        await this.#checkpointing
        return this.attach(signal)
      }
      const lost = this.#changed
      const outcome = this.lose(slot, 'its worker ended')
      if (lost) throw new InterpreterCrashedError('its worker ended between two calls', outcome)
    }
    const untilMs = performance.now() + this.#context.acquireTimeoutMs
    for (let refusals = 0; ; ) {
      const slot = await this.#acquire(signal)
      try {
        this.requireOpen()
        return await this.#attachTo(slot)
      } catch (error) {
        if (error instanceof NoRoom && this.#checkpoint) {
          slot.terminate('there was no memory for the session that it was to take')
          const snapshot = this.#checkpoint
          const scale = 1 + refusals++ / 4
          await this.#whileOpen(signal, (ends) => this.#context.waitToWake(snapshot, scale, untilMs, ends))
          continue
        }
        // A refused snapshot leaves the slot unchanged. After any other error the slot's state is unknown.
        if (error instanceof SnapshotError) this.#release(slot)
        else slot.terminate('the session could not be attached')
        // The checkpoint is intact, so try another slot, but not for ever: the state may crash every interpreter.
        if (!(error instanceof InterpreterCrashedError)) throw error
        if (++this.#failedAttaches >= ATTACH_ATTEMPTS) throw this.#giveUp(error)
        if (error instanceof AttachTimedOut) throw error
      }
    }
  }

  #acquire(signal?: AbortSignal): Promise<Slot> {
    return this.#whileOpen(signal, (ends) => this.#context.acquire(this.#options.tenant, ends))
  }

  /** Waits until the session is closed at most: others wait behind it. @throws SessionClosedError then */
  async #whileOpen<T>(signal: AbortSignal | undefined, wait: (ends: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.#waits.run(signal, wait)
    } catch (error) {
      this.requireOpen()
      throw error
    }
  }

  /** Loads the checkpoint into the slot. */
  async #attachTo(slot: Slot): Promise<Slot> {
    const upToDate = this.#lifecycle.kind === 'dormant' && this.#lifecycle.upToDate
    await this.#load(slot, this.#checkpoint, upToDate)
    if (this.#checkpoint && !upToDate) this.#hostCalls.restore(this.#checkpoint)
    this.#hostCalls.resume(slot)
    this.#failedAttaches = 0
    return slot
  }

  #giveUp(cause: InterpreterCrashedError): SessionClosedError {
    this.#closedBecause = `${ATTACH_ATTEMPTS} interpreters in a row ended while they loaded it, the last one because: ${cause.reason}`
    const error = this.closedError({ cause })
    this.#onGivenUp()
    return error
  }

  /** Terminates a broken slot. Returns what is left of the session. */
  lose(slot: Slot, reason: string): Outcome {
    slot.terminate(reason)
    // The session is still in another slot; this one was meant to replace it.
    if (this.#lifecycle.kind === 'attached' && this.#lifecycle.slot !== slot) return 'not-started'
    if (this.#lifecycle.kind === 'attached') {
      this.#lifecycle = { kind: 'dormant', upToDate: false }
      this.#hostCalls.reset(new Error(reason), 'lost')
      if (this.#checkpoint) this.#hostCalls.restore(this.#checkpoint)
    }
    const outcome = this.#checkpoint !== undefined || !this.#changed ? 'restored' : 'reset'
    this.#changed = false
    return outcome
  }

  /** Reports an error to the next call, because no caller is waiting now. */
  deferError(error: unknown): void {
    if (error instanceof InterpreterCrashedError) this.#deferredError = error
  }

  /** The deferred error, once: the caller has to report it. */
  takeDeferredError(): Error | undefined {
    const deferred = this.#deferredError
    this.#deferredError = undefined
    return deferred
  }

  /** @throws InterpreterCrashedError that was deferred */
  #throwDeferred(): void {
    const deferred = this.takeDeferredError()
    if (deferred) throw deferred
  }

  /**
   * Starts a checkpoint if there is something new and the budget allows. If the state cannot be captured, the last checkpoint stays in
   * force. If the slot is lost, the next call reports it, or the one that waits for this checkpoint.
   *
   * @param effort `least` if a call waits for it: only a crash needs such a checkpoint
   */
  startCheckpoint(effort: 'quick' | 'least'): void {
    if (!this.wantsCheckpoint || !this.#budget.allows) return
    this.#checkpointing = this.#takeCheckpoint(effort).finally(() => {
      this.#checkpointing = undefined
    })
  }

  /** The checkpoint in progress. Never rejects. The slot handles later calls after it, in order. */
  get checkpointing(): Promise<void> | undefined {
    return this.#checkpointing
  }

  /** All captures in progress: the slot must keep the state until they have ended. Never rejects. */
  get capturing(): Promise<unknown> | undefined {
    if (this.#midway.size === 0) return this.#checkpointing
    return Promise.allSettled([...this.#midway, this.#checkpointing])
  }

  async #takeCheckpoint(effort: Effort): Promise<void> {
    const startedMs = performance.now()
    try {
      await this.capture(effort)
      this.#context.count('checkpoints')
    } catch (error) {
      if (error instanceof SnapshotError) {
        this.#refused = true
        this.#context.count('refusedCheckpoints')
        // This includes bugs of ours: the next call reports them, and no unhandled rejection ends the process.
      } else if (error instanceof Error && !(error instanceof SessionClosedError)) this.#deferredError = error
    }
    this.#budget.spend(performance.now() - startedMs)
  }

  /**
   * Captures the session, and keeps the snapshot as its checkpoint. Use `quick` or `least` when no caller asked for a snapshot: time
   * then matters more than size.
   *
   * @throws SnapshotError when it cannot be captured; the session is as it was
   */
  async capture(effort: Effort = 'small'): Promise<Snapshot> {
    this.requireOpen()
    this.#throwDeferred()
    // A snapshot from elsewhere, or from before a lost execution, has another count.
    const isCurrent = this.#checkpoint?.parts.head.executionCount === this.#hostCalls.executionCount
    const isComplete = isCurrent && !this.#isPartial
    if (this.#lifecycle.kind === 'dormant' && this.#checkpoint && isComplete) return this.#checkpoint
    const slot = await this.attach()
    const changes = this.#changes
    const snapshot = await this.#capture(slot, effort)
    this.#setCheckpoint(snapshot, effort === 'least')
    this.#changed = this.#changes !== changes
    return snapshot
  }

  /**
   * Captures a running execution as soon as it awaits or ends, within the execution's own deadline. The snapshot does not become the
   * checkpoint: after a lost worker, the session continues from what completed (B2).
   *
   * @param execution its end; never rejects
   */
  async captureMidway(execution: Promise<void> | undefined): Promise<Snapshot> {
    if (this.#lifecycle.kind !== 'attached') return this.capture()
    const captured = this.#capture(this.#lifecycle.slot, 'small', execution)
    this.#midway.add(captured)
    return captured.finally(() => this.#midway.delete(captured))
  }

  async #capture(slot: Slot, effort: Effort, waitsFor?: Promise<void>): Promise<Snapshot> {
    // Collecting garbage may run the user's finalizers, so it has a deadline even if executions have none.
    const { executionTimeoutMs } = this.#options.limits
    const timeoutMs = Math.min(executionTimeoutMs ?? FINALIZERS_MS, FINALIZERS_MS)
    const { executionCount } = this.#hostCalls
    // Meanwhile a resume can remove reasons, and callbacks that suspend can add some. The captured state may have either.
    const before = this.#hostCalls.reasons()
    const reasons = () => ({ ...before, ...this.#hostCalls.reasons() })
    const captured = await capture(slot, this.#options, this.#context, {
      timeoutMs,
      waitsFor,
      effort,
      executionCount,
      reasons,
    })
    this.requireOpen()
    if (captured.kind === 'lost') throw this.#crashed(slot, captured.reason)
    if (captured.kind === 'refused') {
      const { reason, message } = captured
      throw new SnapshotError(reason === 'no-room' ? 'not-captured' : reason, message)
    }
    return captured.snapshot
  }

  /**
   * Replaces the state with the snapshot's, in another slot if one is free, else in place.
   *
   * @throws SnapshotError and the session is as it was
   */
  async replace(snapshot: Snapshot): Promise<void> {
    const { tenant } = this.#options
    snapshot.require(this.#context.image.id, trustOf(this.#context.snapshotKey, tenant))
    this.requireOpen()
    const before = this.#lifecycle.kind === 'attached' ? this.#lifecycle.slot : undefined
    const spare = before ? this.#context.tryAcquire(tenant) : await this.#acquire()
    const slot = spare ?? before
    if (slot === undefined) throw new Error('unreachable: neither a slot nor another')
    this.#hostCalls.pause()
    try {
      this.requireOpen()
      await this.#load(slot, snapshot)
    } catch (error) {
      if (spare && error instanceof SnapshotError) this.#release(spare)
      else if (spare) spare.terminate('the snapshot could not be restored')
      else if (!(error instanceof SnapshotError)) this.lose(slot, 'the snapshot could not be restored')
      if (before && this.#lifecycle.kind === 'attached') this.#hostCalls.resume(before)
      throw error
    }
    this.#setCheckpoint(snapshot)
    this.#failedAttaches = 0
    this.#changed = false
    this.#deferredError = undefined
    this.#hostCalls.reset(new Error('the session was restored'), 'replaced')
    this.#hostCalls.restore(snapshot)
    this.#hostCalls.resume(slot)
    // Renewing it takes a core for longer than what the caller does next, which therefore comes first.
    if (spare && before) setTimeout(() => this.#release(before), GIVE_BACK_MS)
  }

  /** Starts again with a fresh interpreter; in the same slot if that can be reverted to the image. */
  async startFresh(): Promise<void> {
    this.requireOpen()
    this.#deferredError = undefined
    this.#setCheckpoint(undefined)
    this.#changed = false
    this.#hostCalls.reset(new Error('the session was reset'), 'replaced')
    if (this.#lifecycle.kind === 'attached') {
      const { slot } = this.#lifecycle
      const reply = await slot.call('revert', []).catch(() => undefined)
      this.requireOpen()
      if (reply?.kind === 'reverted' && reply.done) {
        await this.#load(slot, undefined)
        return this.#hostCalls.resume(slot)
      }
      this.#lifecycle = { kind: 'dormant', upToDate: false }
      this.#release(slot, reply?.kind === 'reverted')
    }
    await this.attach()
  }

  /**
   * Saves what is new and releases the slot. `freed` resolves when the account has what the slot held.
   *
   * @throws SnapshotError and the session stays attached
   */
  async hibernate(): Promise<{ readonly freed: Promise<void> | undefined }> {
    this.requireOpen()
    this.#throwDeferred()
    if (this.#lifecycle.kind !== 'attached') return { freed: undefined }
    const { slot } = this.#lifecycle
    // Hold answers back for the next slot: this one would lose those that arrive after the capture.
    this.#hostCalls.pause()
    try {
      if (this.#changed) await this.capture()
    } catch (error) {
      if (this.#lifecycle.kind === 'attached') this.#hostCalls.resume(slot)
      throw error
    }
    this.#lifecycle = { kind: 'dormant', upToDate: true }
    this.#context.count('hibernations')
    this.#release(slot)
    return { freed: slot.memory.freed }
  }

  /** Idempotent. If `clean`, nothing runs in the slot, so another session may use it. */
  async close(clean: boolean): Promise<void> {
    const lifecycle = this.#lifecycle
    this.#lifecycle = { kind: 'closed' }
    this.#waits.endAll()
    this.#hostCalls.reset(this.closedError(), 'replaced')
    this.#setCheckpoint(undefined)
    if (lifecycle.kind !== 'attached') return
    // A packer may still read the slot's memory.
    const { capturing } = this
    if (clean && capturing) void capturing.then(() => this.#release(lifecycle.slot))
    else this.#release(lifecycle.slot, clean)
  }

  /** @throws SessionClosedError */
  requireOpen(): void {
    if (this.#lifecycle.kind === 'closed') throw this.closedError()
  }

  closedError(options?: ErrorOptions): SessionClosedError {
    const because = this.#closedBecause === undefined ? '' : `: ${this.#closedBecause}`
    return new SessionClosedError(`the session ${this.#options.id} is closed${because}`, options)
  }

  /** A closed session keeps no checkpoint. */
  #setCheckpoint(given: Snapshot | undefined, isPartial = false): void {
    const snapshot = this.#lifecycle.kind === 'closed' ? undefined : given
    const { snapshots } = this.#context
    if (snapshot) snapshots.hold(snapshot)
    if (this.#checkpoint) snapshots.drop(this.#checkpoint)
    this.#checkpoint = snapshot
    this.#isPartial = isPartial
  }

  #release(slot: Slot, isClean = true): void {
    // Only a tenant named by the caller can have another session.
    this.#context.release(slot, { isClean, isTenantShared: this.#options.tenant !== this.#options.id })
  }

  /**
   * Loads a state into a slot and attaches the session to it. The caller then lets answers go there.
   *
   * @param continues the snapshot's host calls are still in flight in this process
   */
  async #load(slot: Slot, snapshot: Snapshot | undefined, continues = false): Promise<void> {
    const callbacks = this.#hostCalls.describeCallbacks()
    const credit = this.#hostCalls.openWindow(slot)
    const taken = await takeOver(slot, this.#options, { snapshot, callbacks, continues, credit })
    this.requireOpen()
    if (taken.kind === 'refused') {
      const { reason, message } = taken
      throw reason === 'no-room' ? new NoRoom(message) : new SnapshotError(reason, message)
    }
    if (taken.kind === 'late') throw this.#crashed(slot, taken.reason, AttachTimedOut)
    if (taken.kind === 'lost') throw this.#crashed(slot, taken.reason)
    if (snapshot) this.#context.count('thaws')
    slot.connect(this.#hostCalls)
    this.#lifecycle = { kind: 'attached', slot }
    this.#attachedSinceMs = performance.now()
  }

  #crashed(slot: Slot, reason: string, Crash = InterpreterCrashedError): InterpreterCrashedError {
    this.#context.count('crashes')
    return new Crash(reason, this.lose(slot, reason))
  }
}

/** `maxMemoryBytes` has no room for the snapshot now. */
class NoRoom extends SnapshotError {
  override readonly name = 'SnapshotError'

  constructor(what: string) {
    const remedy = 'close or hibernate sessions, or raise maxMemoryBytes'
    super('too-large', `maxMemoryBytes has no room to restore it now: ${what}; ${remedy}`)
  }
}

/** Not retried at once, because that would take as long again. */
class AttachTimedOut extends InterpreterCrashedError {
  override readonly name = 'InterpreterCrashedError'
}
