// Ends a slot's thread if it sends messages on ports that it must not use: Piscina's port and `parentPort`. Owns the access to internals of
// Piscina 5.3.2 and Node.
import type { MessagePort, Worker } from 'node:worker_threads'

/** Description of Node's symbol for the other end of `parentPort`. If there is no such symbol, Node's handling of that port stays. */
const PUBLIC_PORT = 'kPublicPort'

/** The part of Piscina's record of a thread that is used here. */
interface PiscinaWorker {
  readonly port: MessagePort
  readonly worker: Worker
}

/**
 * Call when the thread is ready. From then on, an honest thread sends nothing on these ports, because its task never ends. The first
 * message ends the thread before Piscina reads it. Otherwise Piscina would throw on an unknown task, and would give another task to a
 * worker whose task is "done" (S1, R3). Further messages are not read, however many there are.
 */
export function guardThread(piscinaWorker: object): Worker {
  const info = valuesBySymbol(piscinaWorker)
    .map(([, value]) => value)
    .find(isPiscinaWorker)
  if (info === undefined) throw new Error('this version of Piscina does not show its workers')
  const { worker, port } = info
  // Do not unref this port: Piscina decides whether it keeps the process alive, which it does while the worker has a task.
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
