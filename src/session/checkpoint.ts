// The snapshot from which a session is restored when its slot was lost or released, whether the session has changed since, and whether the
// store has it. Owns its entry in the manager's memory account. captures.ts takes snapshots, placement.ts restores them, persistence.ts
// stores them.
import type { SnapshotLedger } from '../memory/snapshot-ledger.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Slot } from '../slots/slot.js'

type Content =
  /** The session starts with a fresh interpreter. */
  | { readonly kind: 'none' }
  | { readonly kind: 'held'; readonly snapshot: Snapshot }
  /** Only the store has it. */
  | { readonly kind: 'dropped'; readonly isDescribed: boolean }

/** The slot that the snapshot was captured from or restored into. */
export interface Origin {
  /** A weak reference, because a session keeps its snapshot for longer than the slot should stay in memory. */
  readonly slot: WeakRef<Slot>
  /** The snapshot's number in the slot. */
  readonly number: number
}

/** The snapshot that the next capture of a slot may build on. */
export interface Base {
  readonly number: number
  readonly snapshot: Snapshot
}

/** One write to the store. */
export interface Storing {
  /** Undefined: there is none, or only the store has it. */
  readonly snapshot: Snapshot | undefined
  /** Whether the store already has it. */
  readonly isDone: () => boolean
  /** Call when the store has it. */
  readonly markDone: () => void
}

export class Checkpoint {
  readonly #ledger: SnapshotLedger
  #content: Content = { kind: 'none' }
  /** Origin of the held snapshot. */
  #origin: Origin | undefined
  /** The store has the content, or something equal. Stays false in sessions that are not stored. */
  #isStored = false
  /** The slot's state is newer than the snapshot. */
  #hasChanged = false
  /** Number of changes, to detect those that happen during a capture, such as answers to host calls. */
  #changes = 0
  /** The current state could not be captured as a checkpoint, and trying again would fail, too. */
  #isRefused = false
  #isClosed = false

  constructor(ledger: SnapshotLedger, from: Snapshot | undefined) {
    this.#ledger = ledger
    this.replace(from)
  }

  /** Undefined: the session starts with a fresh interpreter, or only the store has it. */
  get snapshot(): Snapshot | undefined {
    return this.#content.kind === 'held' ? this.#content.snapshot : undefined
  }

  get hasChanged(): boolean {
    return this.#hasChanged
  }

  get isStored(): boolean {
    return this.#isStored
  }

  /** Whether only the store has the snapshot. `refill` sets it again. */
  get isDropped(): boolean {
    return this.#content.kind === 'dropped'
  }

  /** Whether a new checkpoint would save changes, and has not already failed for the same state. */
  get isDue(): boolean {
    return this.#hasChanged && !this.#isRefused
  }

  /** Whether a capture must come before a write to the store: there are changes, or the snapshot does not describe the globals. */
  get needsCapture(): boolean {
    return this.#hasChanged || !this.isDescribed
  }

  /** Whether the snapshot describes the globals, or there is none. Otherwise it is not given to users, and salvage rejects it. */
  get isDescribed(): boolean {
    const content = this.#content
    if (content.kind === 'held') return content.snapshot.isDescribed
    return content.kind === 'none' || content.isDescribed
  }

  /** The snapshot, if it can be given to users as one of this session: it describes the globals and has this execution count. */
  complete(executionCount: number): Snapshot | undefined {
    const { snapshot } = this
    if (!snapshot?.isDescribed) return undefined
    return snapshot.parts.head.executionCount === executionCount ? snapshot : undefined
  }

  /** Holds another snapshot instead of the previous one. Holds nothing once the session is closed. */
  replace(given: Snapshot | undefined, origin?: Origin): void {
    const snapshot = this.#isClosed ? undefined : given
    if (snapshot) this.#ledger.hold(snapshot)
    if (this.snapshot) this.#ledger.drop(this.snapshot)
    this.#content = snapshot ? { kind: 'held', snapshot } : { kind: 'none' }
    this.#origin = snapshot && origin
    this.#isStored = false
  }

  markChanged(): void {
    this.#hasChanged = true
    this.#changes += 1
    this.#isRefused = false
  }

  /** Call when the session's state is the snapshot's, or that of a fresh interpreter if there is no snapshot. */
  markRestored(): void {
    this.#hasChanged = false
  }

  markRefused(): void {
    this.#isRefused = true
  }

  /** Call when a capture starts. Returns a function that makes the captured snapshot the checkpoint. */
  begin(): (snapshot: Snapshot, origin: Origin | undefined) => void {
    const changes = this.#changes
    const equalsStored = this.#isStored && !this.#hasChanged
    const { isDescribed } = this
    return (snapshot, origin) => {
      this.replace(snapshot, origin)
      // A snapshot that describes the globals is worth storing instead of an equal one that does not.
      this.#isStored = equalsStored && (isDescribed || !snapshot.isDescribed)
      this.#hasChanged = this.#changes !== changes
    }
  }

  /** Call when a slot has restored the snapshot. */
  markLoaded(snapshot: Snapshot, origin: Origin | undefined): void {
    if (this.snapshot === snapshot) this.#origin = origin
  }

  /** The snapshot, if the next capture of this slot can build on it: it was captured from this slot or restored there. */
  baseIn(slot: Slot): Base | undefined {
    const { snapshot } = this
    const origin = this.#origin
    if (snapshot === undefined || origin?.slot.deref() !== slot) return undefined
    return snapshot.parts.body.isCompact ? { number: origin.number, snapshot } : undefined
  }

  /** Starts a write to the store of what is held now. */
  beginStore(): Storing {
    const content = this.#content
    const isCurrent = () => this.#content === content
    return {
      snapshot: this.snapshot,
      isDone: () => isCurrent() && this.#isStored,
      markDone: () => {
        if (isCurrent()) this.#isStored = true
      },
    }
  }

  /** Frees the snapshot if the store has it. Does nothing if the store does not, or if there are changes since. */
  drop(): void {
    if (this.#content.kind !== 'held' || !this.#isStored || this.#hasChanged) return
    this.#ledger.drop(this.#content.snapshot)
    this.#content = { kind: 'dropped', isDescribed: this.#content.snapshot.isDescribed }
    this.#origin = undefined
  }

  /** Holds the snapshot again, after it was read from the store. */
  refill(snapshot: Snapshot): void {
    if (!this.isDropped || this.#isClosed) return
    this.replace(snapshot)
    this.#isStored = true
  }

  close(): void {
    this.#isClosed = true
    this.replace(undefined)
  }
}
