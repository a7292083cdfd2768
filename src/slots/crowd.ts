// Counts the busy slots of this process. Owns the count, and the rule that a waiting thread may spin only while none of our other threads
// needs its core.
import { availableParallelism } from 'node:os'

const CORES = availableParallelism()

let busySlots = 0

export function slotBecomesBusy(): void {
  busySlots += 1
}

export function slotBecomesIdle(): void {
  busySlots -= 1
}

/** Whether this thread and every busy slot can have a core each. */
export function hasCoreToSpin(): boolean {
  return busySlots < CORES
}
