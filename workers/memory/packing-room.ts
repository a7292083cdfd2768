// Memory that is needed while a snapshot is packed or unpacked. Owns returning everything that was taken for it in one go; each step knows
// how much it needs.
import type { SlotBudget } from './budget.js'

export interface PackingRoom {
  /** Call before allocating the bytes. @throws NoRoomError */
  take(bytes: number): void
}

/** For use outside a slot. */
export const UNLIMITED_ROOM: PackingRoom = Object.freeze({ take: () => {} })

/** The manager's memory has no room for it. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError'

  constructor(bytes: number) {
    super(`the manager's maxMemoryBytes leaves no room to pack or unpack it (${bytes} bytes more)`)
  }
}

export class BudgetRoom implements PackingRoom {
  readonly #budget: SlotBudget
  #takenBytes = 0

  constructor(budget: SlotBudget) {
    this.#budget = budget
  }

  take(bytes: number): void {
    if (!this.#budget.takeToPack(bytes)) throw new NoRoomError(bytes)
    this.#takenBytes += bytes
  }

  /** Returns everything that was taken, except for `keptBytes`. */
  close(keptBytes = 0): void {
    this.#budget.release(this.#takenBytes - keptBytes)
    this.#takenBytes = 0
  }
}
