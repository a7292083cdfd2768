// Memory for the time that a snapshot is packed or unpacked. Owns that everything taken for it is given back in one go; how much each
// step needs is known where it happens.
import type { SlotBudget } from './budget.js'

export interface PackingRoom {
  /** To be called before the bytes are allocated. @throws NoRoomError */
  take(bytes: number): void
}

/** Outside of a slot. */
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

  /** Gives back all but so much of what was taken. */
  close(keptBytes = 0): void {
    this.#budget.release(this.#takenBytes - keptBytes)
    this.#takenBytes = 0
  }
}
