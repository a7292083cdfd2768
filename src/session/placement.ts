// Tracks where a session's state is: in a slot, or dormant as a snapshot, in one place at a time (S1). Owns the lifecycle and every move
// between the two. checkpoint.ts has the snapshot, captures.ts takes it, runner.ts runs calls in the slot.
import {
  InterpreterCrashedError,
  type Outcome,
  SessionClosedError,
  SessionMovedError,
  SnapshotError,
  StoreError,
} from '../shared/errors.js'
import { trustOf } from '../shared/snapshot/signature.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Slot } from '../slots/slot.js'
import { type CapturedSession, Captures } from './captures.js'
import { Checkpoint, type Origin } from './checkpoint.js'
import type { SessionContext } from './context.js'
import type { HostCallState } from './host-call-state.js'
import { factsOf, observeThaw, reportDormant, reportWoke } from './observed.js'
import { OpenWaits } from './open-waits.js'
import type { ResolvedSessionOptions } from './options.js'
import { type KeptSession, Persistence } from './persistence.js'
import { takeOver } from './take-over.js'

type Lifecycle =
  | { readonly kind: 'attached'; readonly slot: Slot }
  /** No slot. The next call gets one and restores the checkpoint. `upToDate`: nothing has happened since that checkpoint. */
  | { readonly kind: 'dormant'; readonly upToDate: boolean }
  | { readonly kind: 'closed'; readonly error: Error }

interface Hibernated {
  readonly freed: Promise<void> | undefined
  readonly stored: Promise<void> | undefined
}

/** Longest time that a session keeps its previous slot after a restore. */
const GIVE_BACK_MS = 10
/** After this many failed attaches in a row, the session is closed. */
const ATTACH_ATTEMPTS = 3
/** Errors that leave the slot unchanged. */
const LEAVES_SLOT = [SnapshotError, StoreError, SessionMovedError]

export class Placement implements CapturedSession {
  readonly #context: SessionContext
  readonly #options: ResolvedSessionOptions
  readonly #hostCalls: HostCallState
  readonly #checkpoint: Checkpoint
  readonly captures: Captures
  /** Undefined if no store keeps the session. */
  readonly persistence: Persistence | undefined
  /** Waits for a slot, or for memory to wake the session. */
  readonly #waits = new OpenWaits()
  #lifecycle: Lifecycle = { kind: 'dormant', upToDate: false }
  /** The slot that the session had before `replace`. */
  #replaced: { readonly slot: Slot; readonly timer: NodeJS.Timeout } | undefined
  #attachedSinceMs = 0
  /** An error that occurred when no caller was waiting. The next call reports it. */
  #deferredError: Error | undefined
  readonly #onGivenUp: (error: SessionClosedError) => void
  /** Failed attaches in a row. */
  #failedAttaches = 0
  /** The session is being closed and attaches only for a last capture: one attempt, and a failure does not close it again. */
  #isEnding = false

  /** @param onGivenUp called when no interpreter can attach the session; it must then close the session with the error */
  constructor(
    context: SessionContext,
    options: ResolvedSessionOptions,
    hostCalls: HostCallState,
    onGivenUp: (error: SessionClosedError) => void,
    { from, kept }: { readonly from: Snapshot | undefined; readonly kept: KeptSession | undefined },
  ) {
    this.#context = context
    this.#hostCalls = hostCalls
    this.#onGivenUp = onGivenUp
    this.#options = options
    this.#checkpoint = new Checkpoint(context.snapshots, from)
    this.captures = new Captures(this, this.#checkpoint, context, options, hostCalls)
    const parts = {
      context,
      options,
      checkpoint: this.#checkpoint,
      captures: this.captures,
      hostCalls,
      placement: this,
    }
    this.persistence = kept && new Persistence(kept, parts)
  }

  get state(): Lifecycle['kind'] {
    return this.#lifecycle.kind
  }

  get attachedSinceMs(): number {
    return this.#attachedSinceMs
  }

  get slot(): Slot | undefined {
    return this.#lifecycle.kind === 'attached' ? this.#lifecycle.slot : undefined
  }

  /** Call when a call has ended in the slot or an answer was sent to it: either may have changed the state. */
  markChanged(slot: Slot): void {
    if (this.slot === slot) this.#checkpoint.markChanged()
  }

  /** Defined if another manager has taken the session. */
  get movedError(): SessionMovedError | undefined {
    const lifecycle = this.#lifecycle
    return lifecycle.kind === 'closed' && lifecycle.error instanceof SessionMovedError
      ? lifecycle.error
      : undefined
  }

  /** Call when the session has just started with state that the store does not have, such as its environment. */
  markUnstored(slot: Slot): void {
    if (this.persistence && this.#checkpoint.snapshot === undefined) this.markChanged(slot)
  }

  /**
   * Returns the session's slot; acquires and prepares one if there is none.
   *
   * @throws InterpreterCrashedError when the slot was lost since the last call, along with unsaved state
   * @throws LimitError when `maxMemoryBytes` has no room for the session within `acquireTimeoutMs`; the session stays dormant
   * @throws SessionClosedError when the session is closed, or closes now because it crashes every interpreter
   */
  async attach(signal?: AbortSignal): Promise<Slot> {
    this.requireOpen()
    this.#throwDeferred()
    if (this.#lifecycle.kind === 'attached') {
      const { slot } = this.#lifecycle
      if (slot.alive) return slot
      const { checkpointing } = this.captures
      if (checkpointing) {
        await checkpointing
        return this.attach(signal)
      }
      const lost = this.#checkpoint.hasChanged
      const outcome = this.lose(slot, 'its worker ended')
      if (lost) throw new InterpreterCrashedError('its worker ended between two calls', outcome)
    }
    try {
      return await this.#wake(signal)
    } catch (error) {
      if (this.#lifecycle.kind === 'dormant') this.persistence?.rest()
      throw error
    }
  }

  /** Acquires a slot, and loads the session into it. */
  async #wake(signal: AbortSignal | undefined): Promise<Slot> {
    const untilMs = performance.now() + this.#context.acquireTimeoutMs
    for (let refusals = 0; ; ) {
      const slot = await this.#acquire(signal)
      try {
        this.requireOpen()
        // Only now, because many sessions may wait for a slot: each would hold its snapshot in memory and its lease in the store.
        await this.persistence?.wake('load')
        return await this.#attachTo(slot)
      } catch (error) {
        const { snapshot } = this.#checkpoint
        if (error instanceof NoRoom && snapshot) {
          slot.terminate('not enough memory to load the session')
          const scale = 1 + refusals++ / 4
          await this.#whileOpen(signal, (ends) => this.#context.waitToWake(snapshot, scale, untilMs, ends))
          continue
        }
        // A rejected snapshot or a failed store leaves the slot unchanged. After any other error, the slot's state is unknown.
        if (LEAVES_SLOT.some((type) => error instanceof type)) this.#release(slot)
        else slot.terminate('the session could not be attached')
        // The checkpoint is intact, so try another slot, but only a few times: the state may crash every interpreter.
        if (!(error instanceof InterpreterCrashedError)) throw error
        if (this.#isEnding) throw error
        if (++this.#failedAttaches >= ATTACH_ATTEMPTS) throw this.#giveUp(error)
        if (error instanceof AttachTimedOut) throw error
      }
    }
  }

  #acquire(signal?: AbortSignal): Promise<Slot> {
    const wait = () => this.#whileOpen(signal, (ends) => this.#context.acquire(this.#options.tenant, ends))
    return this.#context.observer.measure('acquire', factsOf(this.#options), wait)
  }

  /** Runs a wait that ends when the session closes, because others are queued behind it. @throws SessionClosedError if it closes */
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
    const { snapshot } = this.#checkpoint
    const origin = await this.#load(slot, snapshot, upToDate)
    if (snapshot) this.#checkpoint.markLoaded(snapshot, origin)
    if (snapshot && !upToDate) this.#hostCalls.restore(snapshot)
    this.#hostCalls.resume(slot)
    this.#failedAttaches = 0
    return slot
  }

  #giveUp(cause: InterpreterCrashedError): SessionClosedError {
    const because = `${ATTACH_ATTEMPTS} interpreters in a row ended while loading it; the last reason: ${cause.reason}`
    const error = new SessionClosedError(`the session ${this.#options.id} is closed: ${because}`, { cause })
    this.#onGivenUp(error)
    return error
  }

  /** Terminates a broken slot. Returns which state the session has now. */
  lose(slot: Slot, reason: string): Outcome {
    slot.terminate(reason)
    const { snapshot, hasChanged } = this.#checkpoint
    // The session is still in another slot, which this one was going to replace.
    if (this.#lifecycle.kind === 'attached' && this.#lifecycle.slot !== slot) return 'not-started'
    if (this.#lifecycle.kind === 'attached') {
      this.#lifecycle = { kind: 'dormant', upToDate: false }
      reportDormant(this.#context, this.#options, 'lost')
      this.#hostCalls.reset(new Error(reason), 'lost')
      if (snapshot) this.#hostCalls.restore(snapshot)
    }
    this.#checkpoint.markRestored()
    return snapshot !== undefined || !hasChanged ? 'restored' : 'reset'
  }

  /** Reports an error to the next call, because no caller is waiting now. */
  deferError(error: Error): void {
    this.#deferredError = error
  }

  /** Returns the deferred error and clears it: the caller has to report it. */
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
   * Replaces the state with the snapshot's, in another slot if one is free, else in place.
   *
   * @throws SnapshotError; the session is then unchanged
   */
  async replace(snapshot: Snapshot): Promise<void> {
    const { tenant } = this.#options
    snapshot.require(this.#context.image.id, trustOf(this.#context.snapshotKey, tenant))
    this.requireOpen()
    this.#releaseReplaced()
    const before = this.slot
    const spare = before ? this.#context.tryAcquire(tenant) : await this.#acquire()
    if (!before) {
      try {
        await this.persistence?.wake('replace')
      } catch (error) {
        if (spare) this.#release(spare)
        this.persistence?.rest()
        throw error
      }
    }
    const slot = spare ?? before
    if (slot === undefined) throw new Error('unreachable: neither a slot nor another')
    if (spare && before) before.isLeaving = true
    this.#hostCalls.pause()
    let origin: Origin | undefined
    try {
      this.requireOpen()
      origin = await this.#load(slot, snapshot)
    } catch (error) {
      if (before) before.isLeaving = false
      if (spare && error instanceof SnapshotError) this.#release(spare)
      else if (spare) spare.terminate('the snapshot could not be restored')
      else if (!(error instanceof SnapshotError)) this.lose(slot, 'the snapshot could not be restored')
      if (before && this.#lifecycle.kind === 'attached') this.#hostCalls.resume(before)
      throw error
    }
    this.#checkpoint.replace(snapshot, origin)
    this.#checkpoint.markRestored()
    this.#failedAttaches = 0
    this.#deferredError = undefined
    this.persistence?.markReplaced()
    this.#hostCalls.reset(new Error('the session was restored'), 'replaced')
    this.#hostCalls.restore(snapshot)
    this.#hostCalls.resume(slot)
    if (spare && before) this.#releaseSoon(before)
  }

  /** Starts again with a fresh interpreter, in the same slot if the slot can be reverted to the image. */
  async startFresh(): Promise<void> {
    this.requireOpen()
    this.#deferredError = undefined
    this.#checkpoint.replace(undefined)
    this.#checkpoint.markRestored()
    this.persistence?.markReplaced()
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
      reportDormant(this.#context, this.#options, 'reset')
      this.#release(slot, reply?.kind === 'reverted')
    }
    await this.attach()
  }

  /**
   * Saves changes and releases the slot. `freed` resolves when the slot's memory has been returned to the account, `stored` when the store
   * has the session.
   *
   * @throws SnapshotError; the session then stays attached
   */
  async hibernate(why: 'hibernated' | 'evicted' = 'hibernated'): Promise<Hibernated> {
    this.requireOpen()
    this.#throwDeferred()
    this.#releaseReplaced()
    if (this.#lifecycle.kind !== 'attached') return { freed: undefined, stored: this.persistence?.sleep() }
    const { slot } = this.#lifecycle
    // Hold answers back for the next slot: this one would lose those that arrive after the capture.
    this.#hostCalls.pause()
    try {
      if (this.#checkpoint.hasChanged || this.persistence?.needsCapture)
        await this.captures.capture('small', true)
      this.requireOpen()
    } catch (error) {
      if (this.#lifecycle.kind === 'attached') this.#hostCalls.resume(slot)
      throw error
    }
    this.#lifecycle = { kind: 'dormant', upToDate: true }
    reportDormant(this.#context, this.#options, why)
    this.#hostCalls.leave()
    this.#context.count('hibernations')
    this.#release(slot)
    return { freed: slot.memory.freed, stored: this.persistence?.sleep() }
  }

  /**
   * Wakes a session that is being closed and has no calls left, for a last capture.
   *
   * @param signal ends the wait for a slot
   * @throws what `attach` throws; unlike there, repeated crashes do not close the session
   */
  async attachToEnd(signal: AbortSignal): Promise<void> {
    this.#isEnding = true
    this.#waits.reopen()
    // No later call could report a deferred error.
    this.takeDeferredError()
    await this.attach(signal)
  }

  /** Ends all waits for a slot or memory, because the session is about to be closed. */
  endWaits(): void {
    this.#waits.endAll()
  }

  /**
   * Closes the session. Idempotent.
   *
   * @param clean nothing runs in the slot, so another session may use it
   * @param error what later calls reject with
   */
  async close(clean: boolean, error: Error): Promise<void> {
    const lifecycle = this.#lifecycle
    this.#lifecycle = { kind: 'closed', error }
    this.#waits.endAll()
    this.#releaseReplaced()
    this.#hostCalls.reset(error, 'replaced')
    this.captures.close()
    this.persistence?.close()
    this.#checkpoint.close()
    if (lifecycle.kind !== 'attached') return
    // A packer may still read the slot's memory.
    const { inProgress } = this.captures
    if (clean && inProgress) void inProgress.then(() => this.#release(lifecycle.slot))
    else this.#release(lifecycle.slot, clean)
  }

  /** Reads the snapshot back if only the store has it. */
  async load(): Promise<void> {
    await this.persistence?.load()
  }

  /** @throws SessionClosedError, SessionMovedError, the deferred error if there is one */
  requireUsable(): void {
    this.requireOpen()
    this.#throwDeferred()
  }

  /** @throws SessionClosedError, SessionMovedError */
  requireOpen(): void {
    if (this.#lifecycle.kind === 'closed') throw this.#lifecycle.error
  }

  /** The error for calls of this session when it is closed; if it is still open, the error for a session closed by its user. */
  closedError(options?: ErrorOptions): Error {
    if (this.#lifecycle.kind === 'closed') return this.#lifecycle.error
    return new SessionClosedError(`the session ${this.#options.id} is closed`, options)
  }

  /** Renewing the slot occupies a core for longer than the caller's next step is likely to take, so let the caller go first. */
  #releaseSoon(slot: Slot): void {
    this.#replaced = { slot, timer: setTimeout(() => this.#releaseReplaced(), GIVE_BACK_MS) }
  }

  #releaseReplaced(): void {
    if (this.#replaced === undefined) return
    const { slot, timer } = this.#replaced
    this.#replaced = undefined
    clearTimeout(timer)
    this.#release(slot)
  }

  #release(slot: Slot, isClean = true): void {
    // Unless the caller named a tenant, the tenant is the session's id, and no other session can share it.
    this.#context.release(slot, { isClean, isTenantShared: this.#options.tenant !== this.#options.id })
  }

  /**
   * Loads a state into a slot and attaches the session to it. The caller then resumes sending answers to the slot.
   *
   * @param continues the snapshot's host calls are still in flight in this process
   * @returns where the slot has the snapshot, if the next capture may build on it
   */
  async #load(slot: Slot, snapshot: Snapshot | undefined, continues = false): Promise<Origin | undefined> {
    const startedMs = performance.now()
    const number = snapshot && this.persistence ? this.captures.numberToRestore() : null
    if (number !== null) snapshot?.splitBody()
    const callbacks = this.#hostCalls.describeCallbacks()
    const credit = this.#hostCalls.openWindow(slot)
    const load = () => takeOver(slot, this.#options, { snapshot, number, callbacks, continues, credit })
    const taken = await observeThaw(this.#context, this.#options, snapshot, load)
    this.requireOpen()
    if (taken.kind === 'refused') {
      const { reason, message } = taken
      throw reason === 'no-room' ? new NoRoom(message) : new SnapshotError(reason, message)
    }
    if (taken.kind === 'late') throw this.crashed(slot, taken.reason, AttachTimedOut)
    if (taken.kind === 'lost') throw this.crashed(slot, taken.reason)
    if (snapshot) this.#context.count('thaws')
    slot.connect(this.#hostCalls)
    if (this.#lifecycle.kind === 'dormant' && this.#attachedSinceMs > 0)
      reportWoke(this.#context, this.#options, startedMs)
    this.#lifecycle = { kind: 'attached', slot }
    this.#attachedSinceMs = performance.now()
    return number === null ? undefined : { slot: new WeakRef(slot), number }
  }

  /** Counts the slot as lost. Returns the error for the caller. */
  crashed(slot: Slot, reason: string, Crash = InterpreterCrashedError): InterpreterCrashedError {
    this.#context.count('crashes')
    return new Crash(reason, this.lose(slot, reason))
  }
}

/** Thrown when `maxMemoryBytes` has no room for the snapshot now. */
class NoRoom extends SnapshotError {
  override readonly name = 'SnapshotError'

  constructor(what: string) {
    const remedy = 'close or hibernate sessions, or raise maxMemoryBytes'
    super('too-large', `maxMemoryBytes has no room to restore it now: ${what}; ${remedy}`)
  }
}

/** Thrown when loading takes too long. Not retried at once, because that would take as long again. */
class AttachTimedOut extends InterpreterCrashedError {
  override readonly name = 'InterpreterCrashedError'
}
