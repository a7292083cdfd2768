// Ends a session that is closed, deleted, drained, or moved to another manager. Owns the order of the steps: a session that the store keeps
// is stored after its last call, and before its slot is released.
import type { Lane } from '../shared/values/slices.js'
import type { SessionContext } from './context.js'
import type { Placement } from './placement.js'
import type { Runner } from './runner.js'
import type { SessionCalls } from './session-calls.js'

export interface ClosingParts {
  readonly id: string
  readonly context: SessionContext
  readonly placement: Placement
  readonly calls: SessionCalls
  readonly runner: Runner
  readonly lane: Lane
  /** Called when the session is closed. */
  readonly onClosed: (error: Error) => void
  /** Called when the session has been removed from the store. */
  readonly onDeleted: () => void
}

export class Closing {
  readonly #parts: ClosingParts
  /** Only for a session that the store keeps: the closing in progress. */
  #closing: Promise<void> | undefined

  constructor(parts: ClosingParts) {
    this.#parts = parts
  }

  /** Whether the session is closed or being closed. */
  get hasBegun(): boolean {
    return this.#closing !== undefined || this.#isClosed
  }

  /** Resolves when a closing in progress has ended. Never rejects. */
  async settled(): Promise<void> {
    await this.#closing?.catch(() => {})
  }

  get #isClosed(): boolean {
    return this.#parts.placement.state === 'closed'
  }

  /**
   * Stores the session if the store keeps it, and ends it.
   *
   * @param untilMs the running call may continue until then, on the clock of `performance.now()`
   * @throws NotStoredError, SessionMovedError
   */
  async close(untilMs = 0): Promise<void> {
    const { placement, calls } = this.#parts
    const { persistence } = placement
    if (this.#isClosed) return
    if (persistence) {
      this.#closing ??= this.#closeKept(untilMs, () => persistence.finish())
      return this.#closing
    }
    if (untilMs > 0) await calls.finish(placement.closedError(), untilMs)
    await this.end(placement.closedError())
  }

  /**
   * Ends the session and removes it from the store.
   *
   * @throws SessionMovedError, StoreError
   */
  async delete(): Promise<void> {
    const { placement, context, id, onDeleted } = this.#parts
    const { persistence } = placement
    if (persistence === undefined) return this.close()
    if (!this.hasBegun) {
      this.#closing = this.#closeKept(0, () => persistence.delete().then(onDeleted))
      return this.#closing
    }
    // Ignore a failure to store it: the session is being deleted.
    await this.#closing?.catch(() => {})
    if (placement.movedError) throw placement.movedError
    await context.stored.forget(id)
  }

  /** Ends the session without changing its state in the store. It can be opened again at once. */
  async abandon(): Promise<void> {
    const { placement } = this.#parts
    await this.end(placement.closedError())
    await placement.persistence?.abandon()
  }

  /** Ends the session at once. Idempotent. */
  async end(error: Error): Promise<void> {
    const { placement, calls, runner, lane, onClosed } = this.#parts
    if (this.#isClosed) return
    const closed = placement.close(calls.isSlotClean, error)
    calls.close(error)
    onClosed(error)
    runner.close()
    lane.clear()
    await closed
  }

  /** @param last the final operation on the store */
  async #closeKept(untilMs: number, last: () => Promise<void>): Promise<void> {
    const { placement, calls } = this.#parts
    const error = placement.closedError()
    await calls.settle(error, untilMs)
    try {
      if (!this.#isClosed) await last()
    } finally {
      await this.end(error)
    }
  }
}
