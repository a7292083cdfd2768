// The main thread's side of a slot, alone. Owns what would be passed to Piscina; asserts nothing.
import type { Piscina } from 'piscina'
import { ManagerMemory } from '../../src/memory/manager-memory.js'
import type { ServeTask } from '../../src/shared/messages/slot.js'
import type { Slot } from '../../src/slots/slot.js'
import { SlotThread } from '../../src/slots/thread.js'

interface Run {
  readonly task: ServeTask
  readonly signal: AbortSignal
}

/** A slot whose worker never starts, and the arguments that Piscina would have received. */
export function slotWithoutWorker(): {
  readonly thread: SlotThread
  readonly slot: Slot
  readonly run: Run
} {
  const runs: Run[] = []
  const piscina = {
    run: (task: ServeTask, { signal }: { signal: AbortSignal }) => {
      runs.push({ task, signal })
      return new Promise(() => {})
    },
  }
  const memory = new ManagerMemory(null, []).openSlot('none', () => undefined)
  if (memory === undefined) throw new Error('an account without a bound is full')
  const thread = new SlotThread(piscina as unknown as Piscina, 'none', memory)
  const [run] = runs
  if (run === undefined) throw new Error('the slot started no task')
  return { thread, slot: thread.slot, run }
}
