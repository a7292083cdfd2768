// Ends a slot's thread if it sends messages on ports that it must not use: Piscina's, and `parentPort`. Owns the access to internals of
// Piscina 5.3.2 and Node.
import type { MessagePort, Worker } from 'node:worker_threads'

/** Description of Node's symbol for the other end of `parentPort`. Without such a symbol, Node's own handling of that port stays. */
const PUBLIC_PORT = 'kPublicPort'

/** What Piscina keeps of a thread. */
interface PiscinaWorker {
  readonly port: MessagePort
  readonly worker: Worker
}

/**
 * Call when the thread is ready. From then on an honest thread sends nothing on these ports, because its task never ends. The first
 * message ends the thread before Piscina reads it: Piscina would throw if it is no task, and would give a worker whose task is "done"
 * another task (S1, R3). Further messages are not read, however many there are.
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
