// Leases that have ended but whose memory is not free yet. Owns how long to wait for a thread's exit; the pool decides which leases end.
import type { ManagerMemory } from '../memory/manager-memory.js'
import type { SlotLease } from '../memory/slot-lease.js'

/** A thread exits within tens of milliseconds. Stop waiting for one that does not report its exit. */
const LAST_EXIT_MS = 5_000
/** The same once all threads have been terminated and Piscina has been destroyed. */
const CLOSE_EXIT_MS = 500

export class EndedLeases {
  readonly #memory: ManagerMemory
  readonly #onFreed: () => void
  readonly #leases = new Set<SlotLease>()

  /** @param onFreed called each time the memory of a lease is free */
  constructor(memory: ManagerMemory, onFreed: () => void) {
    this.#memory = memory
    this.#onFreed = onFreed
  }

  /** One promise per lease. Each resolves when that lease's memory is free. */
  get freed(): Promise<void>[] {
    return [...this.#leases].map(({ freed }) => freed)
  }

  /** @param gone resolves when the lease's thread has exited */
  add(lease: SlotLease, gone: Promise<void>): void {
    this.#leases.add(lease)
    void this.#memory.closeSlot(lease, gone, LAST_EXIT_MS).then(() => {
      this.#leases.delete(lease)
      this.#onFreed()
    })
  }

  /** Call when all threads have been terminated. Resolves when all memory is free. */
  async close(): Promise<void> {
    // Threads that were already exiting are gone soon, too. For a slot whose task no thread had taken yet, no exit is ever reported.
    const leases = [...this.#leases]
    const timer = setTimeout(() => {
      for (const lease of leases) lease.close()
    }, CLOSE_EXIT_MS)
    await Promise.all(leases.map(({ freed }) => freed))
    clearTimeout(timer)
  }
}
