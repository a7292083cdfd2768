// Queue of sessions that wait for memory in order to wake. Owns their order, timeouts and abort signals. The manager decides how to free
// memory for them (`makeRoom`).
import { CancelledError } from '../shared/errors.js'

interface Waiter {
  readonly bytes: number
  readonly settle: (hasRoom: boolean) => void
}

export class RoomQueue {
  readonly #freeBytes: () => number
  readonly #waiters: Waiter[] = []
  /** Called while a session waits: end spare slots and evict idle sessions. */
  makeRoom: () => void = () => {}

  constructor(freeBytes: () => number) {
    this.#freeBytes = freeBytes
  }

  get isAwaited(): boolean {
    return this.#waiters.length > 0
  }

  /**
   * Resolves to true when the bytes are free, without taking them, or to false at `untilMs` (on the clock of `performance.now()`).
   *
   * @throws CancelledError when `signal` aborts first
   */
  wait(bytes: number, untilMs: number, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return Promise.reject(new CancelledError('not-started', { cause: signal.reason }))
    if (!this.isAwaited && bytes <= this.#freeBytes()) return Promise.resolve(true)
    const waitMs = untilMs - performance.now()
    if (waitMs <= 0) return Promise.resolve(false)
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        const at = this.#waiters.indexOf(waiter)
        if (at >= 0) this.#waiters.splice(at, 1)
      }
      const waiter: Waiter = {
        bytes,
        settle: (hasRoom) => {
          leave()
          resolve(hasRoom)
        },
      }
      // Waiters behind this one may need less memory, so check the queue again.
      const onAbort = () => {
        leave()
        reject(new CancelledError('not-started', { cause: signal?.reason }))
        this.look()
      }
      const onLate = () => {
        waiter.settle(false)
        this.look()
      }
      const timer = Number.isFinite(waitMs) ? setTimeout(onLate, waitMs) : undefined
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.push(waiter)
      this.makeRoom()
    })
  }

  /** Call when memory may be free. If there is enough for the first waiter, it continues; the next one is checked later. */
  look(): void {
    const [first] = this.#waiters
    if (first === undefined) return
    if (first.bytes <= this.#freeBytes()) first.settle(true)
    else this.makeRoom()
  }

  /** Ends all waits, because the manager closes. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.settle(false)
  }
}
