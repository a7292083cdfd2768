// The snapshot that a session is restored from when its slot is lost or given back, and whether the session has changed since. Owns
// holding it in the manager's account. captures.ts takes snapshots, placement.ts restores them.
import type { SnapshotLedger } from '../memory/snapshot-ledger.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'

export class Checkpoint {
  readonly #ledger: SnapshotLedger
  #snapshot: Snapshot | undefined
  /** The snapshot does not describe the session's globals, so it is not given out. */
  #isPartial = false
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

  /** Undefined: the session starts with a fresh interpreter. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  get hasChanged(): boolean {
    return this.#hasChanged
  }

  /** A new one would save something new, and was not refused for the same state. */
  get isDue(): boolean {
    return this.#hasChanged && !this.#isRefused
  }

  /** The snapshot, if users may have it as that of a session with this count: it is complete, and not from elsewhere. */
  complete(executionCount: number): Snapshot | undefined {
    return this.#isPartial || this.#snapshot?.parts.head.executionCount !== executionCount
      ? undefined
      : this.#snapshot
  }

  /** Holds another snapshot in place of the previous one; nothing once the session is closed. */
  replace(given: Snapshot | undefined, isPartial = false): void {
    const snapshot = this.#isClosed ? undefined : given
    if (snapshot) this.#ledger.hold(snapshot)
    if (this.#snapshot) this.#ledger.drop(this.#snapshot)
    this.#snapshot = snapshot
    this.#isPartial = isPartial
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
  begin(): (snapshot: Snapshot, isPartial: boolean) => void {
    const changes = this.#changes
    return (snapshot, isPartial) => {
      this.replace(snapshot, isPartial)
      this.#hasChanged = this.#changes !== changes
    }
  }

  close(): void {
    this.#isClosed = true
    this.replace(undefined)
  }
}
