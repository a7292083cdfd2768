// The states of one session that `.undo` can return to: one after each cell. Owns how many are kept.
import type { Session } from '../../session.js'
import type { Snapshot } from '../../shared/snapshot/snapshot.js'
import { messageOf } from '../../shared/thrown.js'
import { UsageError } from '../command.js'

/** A saved state, or why it could not be saved. */
type Saved = { readonly snapshot: Snapshot } | { readonly reason: string }

const MAX_BYTES = 256 * 1024 * 1024

export class Versions {
  readonly #session: Session
  /** One more than the number of cells to undo, because the newest is the current state. */
  readonly #maxCount: number
  #saved: Promise<Saved>[] = []

  /** @param maxCells - 0 keeps no states */
  constructor(session: Session, maxCells: number) {
    this.#session = session
    this.#maxCount = maxCells + 1
  }

  /** Saves the current state. The session queues it with its other calls, so callers need not wait. */
  save(): void {
    if (this.#maxCount === 1) return
    const saved = this.#session.snapshotState().then(
      (snapshot) => ({ snapshot }),
      (error: unknown) => ({ reason: messageOf(error, 'for an unknown reason') }),
    )
    this.#saved.push(saved)
    if (this.#saved.length > this.#maxCount) this.#saved.shift()
    void saved.then(() => this.#dropLarge())
  }

  /** @throws UsageError if there is no earlier state; SnapshotError */
  async undo(): Promise<void> {
    if (this.#maxCount === 1) throw new UsageError('--undo 0 keeps no earlier states')
    const before = await this.#saved.at(-2)
    if (before === undefined) throw new UsageError('there is no earlier state')
    if ('reason' in before)
      throw new UsageError(`the state before the last cell was not saved: ${before.reason}`)
    await this.#session.restoreState(before.snapshot)
    this.#saved.pop()
  }

  /** Keeps the newest states that fit. */
  async #dropLarge(): Promise<void> {
    const saved = await Promise.all(this.#saved)
    let bytes = 0
    const tooMany = saved.toReversed().findIndex((one) => {
      bytes += 'snapshot' in one ? one.snapshot.size : 0
      return bytes > MAX_BYTES
    })
    // The current state and the one before the last cell are kept, no matter how large they are.
    if (tooMany >= 0) this.#saved = this.#saved.slice(-Math.max(tooMany, 2))
  }
}
