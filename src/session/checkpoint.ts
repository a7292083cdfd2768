// The snapshot that a session is restored from when its slot is lost or given back, whether the session has changed since, and whether the
// store has it. Owns holding it in the manager's account. captures.ts takes snapshots, placement.ts restores them, persistence.ts stores
// them.
import type { SnapshotLedger } from '../memory/snapshot-ledger.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Slot } from '../slots/slot.js'

type Content =
  /** The session starts with a fresh interpreter. */
  | { readonly kind: 'none' }
  | { readonly kind: 'held'; readonly snapshot: Snapshot }
  /** Only the store has it. */
  | { readonly kind: 'dropped'; readonly isDescribed: boolean }

/** Where a slot has the state of the snapshot, or had it before that changed. */
export interface Origin {
  /** Does not keep it: a session holds its snapshot for longer. */
  readonly slot: WeakRef<Slot>
  /** As the slot knows it. */
  readonly number: number
}

/** What the next capture of a slot may build on. */
export interface Base {
  readonly number: number
  readonly snapshot: Snapshot
}

/** One write to the store. */
export interface Storing {
  /** Undefined: the store is to know that there is none, or has it. */
  readonly snapshot: Snapshot | undefined
  /** The store has it already. */
  readonly isDone: () => boolean
  /** The store has it. */
  readonly markDone: () => void
}

export class Checkpoint {
  readonly #ledger: SnapshotLedger
  #content: Content = { kind: 'none' }
  /** Of the snapshot that is held. */
  #origin: Origin | undefined
  /** The store has the content, or something equal. Stays false in sessions that are not stored. */
  #isStored = false
  /** The slot's state is newer than the snapshot. */
  #hasChanged = false
  /** Counts changes: answers of host calls can arrive while the state is captured. */
  #changes = 0
  /** The current state was refused as a checkpoint, and would be again. */
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

  /** Only the store has the snapshot. `refill` brings it back. */
  get isDropped(): boolean {
    return this.#content.kind === 'dropped'
  }

  /** A new one would save something new, and was not refused for the same state. */
  get isDue(): boolean {
    return this.#hasChanged && !this.#isRefused
  }

  /** What the store should get is to be captured first: there is something new, or the snapshot does not describe the globals. */
  get needsCapture(): boolean {
    return this.#hasChanged || !this.isDescribed
  }

  /** The snapshot describes the session's globals, or there is none. Otherwise it is not given to users, and salvage refuses it. */
  get isDescribed(): boolean {
    const content = this.#content
    if (content.kind === 'held') return content.snapshot.isDescribed
    return content.kind === 'none' || content.isDescribed
  }

  /** The snapshot, if users may have it as that of a session with this count: it is complete, and not from elsewhere. */
  complete(executionCount: number): Snapshot | undefined {
    const { snapshot } = this
    if (!snapshot?.isDescribed) return undefined
    return snapshot.parts.head.executionCount === executionCount ? snapshot : undefined
  }

  /** Holds another snapshot in place of the previous one; nothing once the session is closed. */
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

  /** The session's state is the snapshot's, or there is none. */
  markRestored(): void {
    this.#hasChanged = false
  }

  markRefused(): void {
    this.#isRefused = true
  }

  /** Call when a capture starts. The result, called with the captured snapshot, makes that the checkpoint. */
  begin(): (snapshot: Snapshot, origin: Origin | undefined) => void {
    const changes = this.#changes
    const equalsStored = this.#isStored && !this.#hasChanged
    const { isDescribed } = this
    return (snapshot, origin) => {
      this.replace(snapshot, origin)
      // One that describes the globals is worth storing in place of one that does not.
      this.#isStored = equalsStored && (isDescribed || !snapshot.isDescribed)
      this.#hasChanged = this.#changes !== changes
    }
  }

  /** A slot has restored it. */
  markLoaded(snapshot: Snapshot, origin: Origin | undefined): void {
    if (this.snapshot === snapshot) this.#origin = origin
  }

  /** The snapshot, if it was captured from this slot or restored there, whose state has only changed since. */
  baseIn(slot: Slot): Base | undefined {
    const { snapshot } = this
    const origin = this.#origin
    if (snapshot === undefined || origin?.slot.deref() !== slot) return undefined
    return snapshot.parts.body.isCompact ? { number: origin.number, snapshot } : undefined
  }

  /** For a write to the store of what is held now. */
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

  /** Frees the snapshot, which the store has. Does nothing if it has not, or has only an older one. */
  drop(): void {
    if (this.#content.kind !== 'held' || !this.#isStored || this.#hasChanged) return
    this.#ledger.drop(this.#content.snapshot)
    this.#content = { kind: 'dropped', isDescribed: this.#content.snapshot.isDescribed }
    this.#origin = undefined
  }

  /** Holds again what the store has. */
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
