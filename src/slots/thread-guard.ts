// Ends a slot's thread for messages on ports that are not the slot's own: Piscina's, and `parentPort`. Owns the
// access to what Piscina 5.3.2 and Node keep of a thread.
import type { MessagePort, Worker } from 'node:worker_threads'

/** Name of Node's symbol for the other end of `parentPort`. Where there is none, that port is read as Node does. */
const PUBLIC_PORT = 'kPublicPort'

/** What Piscina keeps of a thread. */
interface PiscinaWorker {
  readonly port: MessagePort
  readonly worker: Worker
}

/**
 * Call when the thread is ready. From then on an honest one sends nothing on these ports: its task never ends. So the first message ends
 * it, before Piscina reads it, which would throw on what is no task and give a worker whose task is "done" the next tenant's (S1, R3).
 * What follows the first message is not read, however much it is.
 */
export function guardThread(piscinaWorker: object): Worker {
  const info = valuesBySymbol(piscinaWorker)
    .map(([, value]) => value)
    .find(isPiscinaWorker)
  if (info === undefined) throw new Error('this version of Piscina does not show its workers')
  const { worker, port } = info
  // Whether this one holds the process is Piscina's to say: it does while the worker has its task.
  endOnMessage(port, worker)
  for (const [name, value] of valuesBySymbol(worker)) {
    if (name !== PUBLIC_PORT) continue
    endOnMessage(value as MessagePort, worker)
    ;(value as MessagePort).unref()
  }
  return worker
}

function endOnMessage(port: MessagePort, worker: Worker): void {
  port.removeAllListeners('message')
  port.once('message', () => void worker.terminate())
}

function valuesBySymbol(object: object): (readonly [string | undefined, unknown])[] {
  return Object.getOwnPropertySymbols(object).map((key) => [
    key.description,
    (object as Record<symbol, unknown>)[key],
  ])
}

function isPiscinaWorker(value: unknown): value is PiscinaWorker {
  return typeof value === 'object' && value !== null && 'port' in value && 'worker' in value
}
