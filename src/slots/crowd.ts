// Counts the busy slots of this process. Owns the count, and the rule that a waiting thread may spin only while no other thread of ours
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

/** This thread and every busy slot have a core each. */
export function hasCoreToSpin(): boolean {
  return busySlots < CORES
}
