// Where a session lives: in a slot, or dormant as a snapshot. Owns the lifecycle, every move between the two, and the checkpoint
// that a lost session goes on from; what runs in the slot is session.ts's. A session's state is in one place at a time (S1).
import { InterpreterCrashedError, type Outcome, SessionClosedError, SnapshotError } from '../shared/errors.js'
import type { Effort } from '../shared/messages/slot.js'
import { trustOf } from '../shared/snapshot/signature.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Slot } from '../slots/slot.js'
import { CheckpointBudget } from './budget.js'
import { capture } from './capture.js'
import type { SessionHome } from './context.js'
import type { Companion } from './host-call-state.js'
import type { ResolvedSessionOptions } from './options.js'
import { takeOver } from './take-over.js'

type Lifecycle =
  | { readonly kind: 'attached'; readonly slot: Slot }
  /** No slot: the next call gets one, and goes on from the checkpoint. It is where the session `left` off, or behind that. */
  | { readonly kind: 'dormant'; readonly left: boolean }
  | { readonly kind: 'closed' }

/** Longest that finalizers may run before a capture. */
const FINALIZERS_MS = 2_000

/** After a restore: until the slot that the session had is given back. */
const GIVE_BACK_MS = 10

/** Interpreters that may end while they take a session over, one after the other, before the session is closed. */
const ATTACH_ATTEMPTS = 3

export class Residence {
  readonly #home: SessionHome
  readonly #options: ResolvedSessionOptions
  readonly #companion: Companion
  readonly #budget = new CheckpointBudget()
  #checkpointing: Promise<void> | undefined
  #lifecycle: Lifecycle = { kind: 'dormant', left: false }
  /** What the session goes on from when its slot is lost. Undefined: from a fresh interpreter. */
  #checkpoint: Snapshot | undefined
  /** There is more in the slot than in the checkpoint. */
  #changed = false
  /** How often it has changed: answers of host calls may come while it is captured. */
  #changes = 0
  /** What is there now has been refused as a checkpoint; trying again would refuse it again. */
  #refused = false
  #attachedSinceMs = 0
  /** A loss that nobody has been told of. */
  #owed: Error | undefined
  readonly #onGivenUp: () => void
  /** Interpreters in a row that ended while they took the session over. */
  #failedAttaches = 0
  /** Why it was closed, if nobody asked for it. */
  #closedBecause: string | undefined

  /** `onGivenUp`: no interpreter survives the session, and it has to be closed. */
  constructor(
    home: SessionHome,
    options: ResolvedSessionOptions,
    companion: Companion,
    onGivenUp: () => void,
    from: Snapshot | undefined,
  ) {
    this.#home = home
    this.#companion = companion
    this.#onGivenUp = onGivenUp
    this.#options = options
    this.#keep(from)
  }

  get state(): Lifecycle['kind'] {
    return this.#lifecycle.kind
  }

  get attachedSinceMs(): number {
    return this.#attachedSinceMs
  }

  /** A checkpoint would hold something new. */
  get wantsCheckpoint(): boolean {
    const wanted = this.#changed && !this.#refused && this.#lifecycle.kind === 'attached'
    return wanted && this.#checkpointing === undefined
  }

  /** A call has come to its end in a slot, or an answer has gone there, and may have changed something there. */
  change(slot: Slot): void {
    if (this.#lifecycle.kind !== 'attached' || this.#lifecycle.slot !== slot) return
    this.#changed = true
    this.#changes += 1
    this.#refused = false
  }

  /**
   * The session's slot, got and prepared if it has none.
   *
   * @throws InterpreterCrashedError when the slot was lost since the last call, and with it something of the session
   * @throws SessionClosedError when the session is closed, or closes because it ends every interpreter it is put into
   */
  async enter(signal?: AbortSignal): Promise<Slot> {
    this.open()
    this.#tell()
    if (this.#lifecycle.kind === 'attached') {
      const { slot } = this.#lifecycle
      if (slot.alive) return slot
      if (this.#checkpointing) {
        await this.#checkpointing
        return this.enter(signal)
      }
      const lost = this.#changed
      const outcome = this.lose(slot, 'its worker ended')
      if (lost) throw new InterpreterCrashedError('its worker ended between two calls', outcome)
    }
    for (;;) {
      const slot = await this.#home.acquire(this.#options.tenant, signal)
      try {
        this.open()
        return await this.#settle(slot)
      } catch (error) {
        // Refused, it is as it was; else nobody knows what it is.
        if (error instanceof SnapshotError) await this.#home.release(slot, true)
        else slot.terminate('the session could not be attached')
        // Nothing of the session is lost by a worker that ends while it takes it over; but one that ends every worker must not go on.
        if (!(error instanceof InterpreterCrashedError)) throw error
        if (++this.#failedAttaches >= ATTACH_ATTEMPTS) throw this.#giveUp(error)
        if (error instanceof AttachTimedOut) throw error
      }
    }
  }

  /** Takes a slot over with what the session goes on from. */
  async #settle(slot: Slot): Promise<Slot> {
    const left = this.#lifecycle.kind === 'dormant' && this.#lifecycle.left
    await this.#move(slot, this.#checkpoint, left)
    if (this.#checkpoint && !left) this.#companion.adopt(this.#checkpoint)
    this.#companion.arrive(slot)
    this.#failedAttaches = 0
    return slot
  }

  #giveUp(cause: InterpreterCrashedError): SessionClosedError {
    this.#closedBecause = `${ATTACH_ATTEMPTS} interpreters ended while they took it over; the last: ${cause.reason}`
    const error = this.closedError({ cause })
    this.#onGivenUp()
    return error
  }

  /** Gives a slot up that did not come back well. What is left of the session. */
  lose(slot: Slot, reason: string): Outcome {
    slot.terminate(reason)
    // Another slot has the session: this one was to become its next.
    if (this.#lifecycle.kind === 'attached' && this.#lifecycle.slot !== slot) return 'not-started'
    if (this.#lifecycle.kind === 'attached') {
      this.#lifecycle = { kind: 'dormant', left: false }
      this.#companion.forget(new Error(reason), 'lost')
      if (this.#checkpoint) this.#companion.adopt(this.#checkpoint)
    }
    const outcome = this.#checkpoint !== undefined || !this.#changed ? 'restored' : 'reset'
    this.#changed = false
    return outcome
  }

  /** The next call rejects with it: it came up where nobody waits. */
  owe(error: unknown): void {
    if (error instanceof InterpreterCrashedError) this.#owed = error
  }

  /** A loss that nobody has been told of: whoever takes it tells it. */
  takeOwed(): Error | undefined {
    const owed = this.#owed
    this.#owed = undefined
    return owed
  }

  /** @throws what nobody has been told of: InterpreterCrashedError */
  #tell(): void {
    const owed = this.takeOwed()
    if (owed) throw owed
  }

  /**
   * Starts a checkpoint, if there is anything new and time for it. What cannot be captured leaves the last one in force; a slot
   * that is lost by it is told to the next call, or to the one that waits for it.
   */
  startCheckpoint(): void {
    if (!this.wantsCheckpoint || !this.#budget.allows) return
    this.#checkpointing = this.#takeCheckpoint().finally(() => {
      this.#checkpointing = undefined
    })
  }

  /** The checkpoint that is being taken. Never rejects. The slot does what comes later after it, in order. */
  get checkpointing(): Promise<void> | undefined {
    return this.#checkpointing
  }

  async #takeCheckpoint(): Promise<void> {
    const startedMs = performance.now()
    try {
      await this.capture('quick')
      this.#home.count('checkpoints')
    } catch (error) {
      if (error instanceof SnapshotError) {
        this.#refused = true
        this.#home.count('refusedCheckpoints')
        // A fault of ours included: whoever calls next has it, and nobody's process ends of it.
      } else if (error instanceof Error && !(error instanceof SessionClosedError)) this.#owed = error
    }
    this.#budget.spend(performance.now() - startedMs)
  }

  /**
   * The session as it is now, which also becomes its checkpoint. `quick`: nobody has asked for it, so that its time matters more
   * than its bytes.
   *
   * @throws SnapshotError when it cannot be captured; the session is as it was
   */
  async capture(effort: Effort = 'small'): Promise<Snapshot> {
    this.open()
    this.#tell()
    // One that came from elsewhere, or from before an execution that was lost, has another count.
    const isCurrent = this.#checkpoint?.parts.head.executionCount === this.#companion.executionCount
    if (this.#lifecycle.kind === 'dormant' && this.#checkpoint && isCurrent) return this.#checkpoint
    // Collecting garbage may run code of the user's, so that has a deadline, also where executions have none.
    const { executionTimeoutMs } = this.#options.limits
    const timeoutMs = Math.min(executionTimeoutMs ?? FINALIZERS_MS, FINALIZERS_MS)
    const slot = await this.enter()
    const changes = this.#changes
    const snapshot = await this.#capture(slot, timeoutMs, effort)
    this.#keep(snapshot)
    this.#changed = this.#changes !== changes
    return snapshot
  }

  /**
   * As `capture`, of an execution that is under way: when it awaits or has ended. The deadline is the execution's. It does not
   * become the checkpoint: a lost worker's session goes on from what completed (B2).
   */
  async captureMidway(): Promise<Snapshot> {
    if (this.#lifecycle.kind !== 'attached') return this.capture()
    return this.#capture(this.#lifecycle.slot, null, 'small')
  }

  async #capture(slot: Slot, timeoutMs: number | null, effort: Effort): Promise<Snapshot> {
    const { executionCount } = this.#companion
    // A resume that comes meanwhile takes some away, callbacks that suspend meanwhile add some: the state may have either.
    const before = this.#companion.reasons()
    const reasons = () => ({ ...before, ...this.#companion.reasons() })
    const captured = await capture(slot, this.#options, this.#home, {
      timeoutMs,
      effort,
      executionCount,
      reasons,
    })
    this.open()
    if (captured.kind === 'lost') throw this.#crashed(slot, captured.reason)
    if (captured.kind === 'refused') throw new SnapshotError(captured.reason, captured.message)
    return captured.snapshot
  }

  /**
   * Becomes what the snapshot holds, in another slot if one is free, else in place.
   *
   * @throws SnapshotError and the session is as it was
   */
  async replace(snapshot: Snapshot): Promise<void> {
    const { tenant } = this.#options
    snapshot.require(this.#home.image.id, trustOf(this.#home.snapshotKey, tenant))
    this.open()
    const before = this.#lifecycle.kind === 'attached' ? this.#lifecycle.slot : undefined
    const spare = before ? this.#home.tryAcquire(tenant) : await this.#home.acquire(tenant)
    const slot = spare ?? before
    if (slot === undefined) throw new Error('unreachable: neither a slot nor another')
    this.#companion.leave()
    try {
      this.open()
      await this.#move(slot, snapshot)
    } catch (error) {
      if (spare && error instanceof SnapshotError) await this.#home.release(spare, true)
      else if (spare) spare.terminate('the snapshot could not be restored')
      else if (!(error instanceof SnapshotError)) this.lose(slot, 'the snapshot could not be restored')
      if (before && this.#lifecycle.kind === 'attached') this.#companion.arrive(before)
      throw error
    }
    this.#keep(snapshot)
    this.#failedAttaches = 0
    this.#changed = false
    this.#owed = undefined
    this.#companion.forget(new Error('the session was restored'), 'replaced')
    this.#companion.adopt(snapshot)
    this.#companion.arrive(slot)
    // Kept for this tenant: the next restore of this session moves back into it. Making it the image again takes a core for
    // longer than what the caller does next, which therefore comes first.
    if (spare && before) setTimeout(() => void this.#home.release(before, true), GIVE_BACK_MS)
  }

  /** A fresh interpreter, in place if it can be made the image again. */
  async renew(): Promise<void> {
    this.open()
    this.#owed = undefined
    this.#keep(undefined)
    this.#changed = false
    this.#companion.forget(new Error('the session was reset'), 'replaced')
    if (this.#lifecycle.kind === 'attached') {
      const { slot } = this.#lifecycle
      const reply = await slot.call('revert', []).catch(() => undefined)
      this.open()
      if (reply?.kind === 'reverted' && reply.done) {
        await this.#move(slot, undefined)
        return this.#companion.arrive(slot)
      }
      this.lose(slot, 'the session was reset')
    }
    await this.enter()
  }

  /** Goes dormant: captures what is new, and gives the slot back. @throws SnapshotError and the session stays attached */
  async hibernate(): Promise<void> {
    this.open()
    this.#tell()
    if (this.#lifecycle.kind !== 'attached') return
    const { slot } = this.#lifecycle
    // From here on answers wait for the next slot: what came to this one after the capture would be lost.
    this.#companion.leave()
    try {
      if (this.#changed) await this.capture()
    } catch (error) {
      if (this.#lifecycle.kind === 'attached') this.#companion.arrive(slot)
      throw error
    }
    this.#lifecycle = { kind: 'dormant', left: true }
    this.#home.count('hibernations')
    await this.#home.release(slot, this.#sharesSlots)
  }

  /** Idempotent. `clean`: nothing runs in the slot. */
  async close(clean: boolean): Promise<void> {
    const lifecycle = this.#lifecycle
    this.#lifecycle = { kind: 'closed' }
    this.#companion.forget(this.closedError(), 'replaced')
    this.#keep(undefined)
    const isFree = clean && this.#checkpointing === undefined
    if (lifecycle.kind === 'attached') await this.#home.release(lifecycle.slot, isFree && this.#sharesSlots)
  }

  /** @throws SessionClosedError */
  open(): void {
    if (this.#lifecycle.kind === 'closed') throw this.closedError()
  }

  closedError(options?: ErrorOptions): SessionClosedError {
    const because = this.#closedBecause === undefined ? '' : `: ${this.#closedBecause}`
    return new SessionClosedError(`the session ${this.#options.id} is closed${because}`, options)
  }

  /** This is the checkpoint from now on; a closed session has none. */
  #keep(given: Snapshot | undefined): void {
    const snapshot = this.#lifecycle.kind === 'closed' ? undefined : given
    const { snapshots } = this.#home
    if (snapshot) snapshots.hold(snapshot)
    if (this.#checkpoint) snapshots.drop(this.#checkpoint)
    this.#checkpoint = snapshot
  }

  /** Only a tenant named by the caller can have another session that would use a slot. */
  get #sharesSlots(): boolean {
    return this.#options.tenant !== this.#options.id
  }

  /** Makes a slot this session's; who calls says when answers can go there. `continues`: the host calls of the snapshot's state are under way here. */
  async #move(slot: Slot, snapshot: Snapshot | undefined, continues = false): Promise<void> {
    const callbacks = this.#companion.describeCallbacks()
    const credit = this.#companion.openWindow(slot)
    const taken = await takeOver(slot, this.#options, { snapshot, callbacks, continues, credit })
    this.open()
    if (taken.kind === 'refused') throw new SnapshotError(taken.reason, taken.message)
    if (taken.kind === 'late') throw this.#crashed(slot, taken.reason, AttachTimedOut)
    if (taken.kind === 'lost') throw this.#crashed(slot, taken.reason)
    if (snapshot) this.#home.count('thaws')
    slot.connect(this.#companion)
    this.#lifecycle = { kind: 'attached', slot }
    this.#attachedSinceMs = performance.now()
  }

  #crashed(slot: Slot, reason: string, Crash = InterpreterCrashedError): InterpreterCrashedError {
    this.#home.count('crashes')
    return new Crash(reason, this.lose(slot, reason))
  }
}

/** Trying again at once would take as long again. */
class AttachTimedOut extends InterpreterCrashedError {
  override readonly name = 'InterpreterCrashedError'
}
