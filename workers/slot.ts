// Entry of a slot's thread, loaded by Piscina: boots the interpreter from the shared image, seals the thread, then serves leases one after
// the other. Owns the wiring of Piscina's task; the parts are in slot/. The module graph of this file contains none of Pyodide's
// JavaScript (R2).
import { workerData } from 'node:worker_threads'
import type { Image } from '../src/shared/image/image.js'
import type { LeaseWire, ServeTask } from '../src/shared/messages/slot.js'
import { readable } from './image-bytes.js'
import { seal } from './seal.js'
import { SlotLeases } from './slot/leases.js'

const leases = new SlotLeases(readable(workerData as Image))
seal()

/** Piscina's task. It runs until the worker is terminated: the promise never resolves, and rejects if the slot cannot be renewed. */
export function serve({ next, ...wire }: ServeTask): Promise<never> {
  return new Promise((_, reject) => {
    next.on('message', (nextWire: LeaseWire) => leases.renew(nextWire).catch(reject))
    leases.open(wire)
  })
}
