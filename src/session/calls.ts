// The calls of one session, one after the other in the order they came (A9). Owns the queue; what a call does is its
// caller's. A call that has not started can be taken out; closing rejects whatever has not started.
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

  /** `onIdle` is called each time when nothing is left to do. */
  constructor(onIdle: () => void = () => {}) {
    this.#onIdle = onIdle
  }

  get length(): number {
    return this.#queue.length
  }

  /** Settles, always well, when the call that has started is over; nothing when none has. */
  get running(): Promise<void> | undefined {
    return this.#running
  }

  /**
   * Runs `task` when everything before it has settled, and settles as it does.
   *
   * @throws CancelledError when `signal` aborts before it starts, or the DeadlockError that it aborts with
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
      // An array that was never filled takes no memory: there may be thousands of sessions.
      if (this.#running === undefined && this.#queue.length === 0) return this.#start(queued)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.push(queued)
      this.#next()
    })
  }

  /** Rejects what is queued and all that comes. The running call is left to its owner. */
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
