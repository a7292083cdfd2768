// Entry of a slot's thread, loaded by Piscina: boots the interpreter from the shared image at once, seals the thread, and serves one
// lease after the other. Owns the wiring of Piscina's task; what it wires is in slot/. Nothing of Pyodide's JavaScript is in this file's
// module graph (R2).
import { workerData } from 'node:worker_threads'
import type { Image } from '../src/shared/image/image.js'
import type { LeaseWire, ServeTask } from '../src/shared/messages/slot.js'
import { readable } from './image-bytes.js'
import { seal } from './seal.js'
import { SlotLeases } from './slot/leases.js'

const leases = new SlotLeases(readable(workerData as Image))
seal()

/** Serves until the worker is ended: the promise rejects where a slot cannot be renewed, and never resolves. Piscina keeps the task as the slot's life. */
export function serve({ next, ...wire }: ServeTask): Promise<never> {
  return new Promise((_, reject) => {
    next.on('message', (nextWire: LeaseWire) => leases.renew(nextWire).catch(reject))
    leases.open(wire)
  })
}
