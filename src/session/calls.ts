// Runs the calls of one session one after the other, in the order in which they were made (A9). Owns the queue, not what a call does. A
// call that has not started can be removed; closing rejects all calls that have not started.
import { CancelledError, DeadlockError } from '../shared/errors.js'

interface Queued {
  readonly start: () => Promise<void>
  readonly reject: (error: Error) => void
}

export class CallQueue {
  readonly #queue: Queued[] = []
  #running: Promise<void> | undefined
  #closed: Error | undefined
  readonly #onIdle: () => void

  /** @param onIdle called each time when no call is left */
  constructor(onIdle: () => void = () => {}) {
    this.#onIdle = onIdle
  }

  get length(): number {
    return this.#queue.length
  }

  /** Resolves when the running call has settled; undefined if none is running. Never rejects. */
  get running(): Promise<void> | undefined {
    return this.#running
  }

  /**
   * Runs `task` when all earlier calls have settled, and settles as it does.
   *
   * @throws CancelledError when `signal` aborts before the task starts; if the signal's reason is a DeadlockError, that error
   * @throws the error given to `close`
   */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closed)
    if (signal?.aborted) return Promise.reject(notStarted(signal))
    return new Promise<T>((resolve, reject) => {
      const onAbort = () => {
        const index = this.#queue.indexOf(queued)
        if (index < 0) return
        this.#queue.splice(index, 1)
        if (signal) reject(notStarted(signal))
      }
      const queued: Queued = {
        reject,
        start: () => {
          signal?.removeEventListener('abort', onAbort)
          return task().then(resolve, reject)
        },
      }
      // Start without the queue if possible: an array that was never filled takes no memory, and there may be thousands of sessions.
      if (this.#running === undefined && this.#queue.length === 0) return this.#start(queued)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.push(queued)
      this.#next()
    })
  }

  /** Rejects all queued and later calls. Does not affect the running call. */
  close(error: Error): void {
    this.#closed ??= error
    for (const { reject } of this.#queue.splice(0)) reject(error)
  }

  #next(): void {
    if (this.#running) return
    const queued = this.#queue.shift()
    if (queued === undefined) {
      if (this.#closed === undefined) this.#onIdle()
      return
    }
    this.#start(queued)
  }

  #start(queued: Queued): void {
    this.#running = queued.start().then(() => {
      this.#running = undefined
      this.#next()
    })
  }
}

function notStarted(signal: AbortSignal): Error {
  if (signal.reason instanceof DeadlockError) return signal.reason
  return new CancelledError('not-started', { cause: signal.reason })
}
