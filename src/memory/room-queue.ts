// Sessions that wait for memory to wake in. Owns their order, and that each is told when there is room, its time is up, or its signal aborts;
// who gives memory up for them is the manager's to arrange (`makeRoom`).
import { CancelledError } from '../shared/errors.js'

interface Waiter {
  readonly bytes: number
  readonly settle: (hasRoom: boolean) => void
}

export class RoomQueue {
  readonly #freeBytes: () => number
  readonly #waiters: Waiter[] = []
  /** Called while somebody waits: spare slots and idle sessions are to give their memory up. */
  makeRoom: () => void = () => {}

  constructor(freeBytes: () => number) {
    this.#freeBytes = freeBytes
  }

  get isAwaited(): boolean {
    return this.#waiters.length > 0
  }

  /**
   * True when there is room for the bytes, false when there was none until `untilMs` (of `performance.now()`). They are not taken.
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
      const onAbort = () => {
        leave()
        reject(new CancelledError('not-started', { cause: signal?.reason }))
      }
      const timer = Number.isFinite(waitMs) ? setTimeout(() => waiter.settle(false), waitMs) : undefined
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.push(waiter)
      this.makeRoom()
    })
  }

  /** There may be more room: the first in the queue goes on if it is enough. The next one looks when that has taken its part. */
  look(): void {
    const [first] = this.#waiters
    if (first === undefined) return
    if (first.bytes <= this.#freeBytes()) first.settle(true)
    else this.makeRoom()
  }

  /** Nobody waits any more: the manager closes. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.settle(false)
  }
}
