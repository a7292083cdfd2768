// Callers that wait for a slot, in order. Owns the line and each caller's clock: time counts only while all that could come is leased
// to others, not while slots of our own boot or are renewed. Which slots there are is the pool's.
import { CancelledError } from '../shared/errors.js'
import type { Slot } from './slot.js'

export interface Waiter {
  readonly tenant: string
  readonly resolve: (slot: Slot) => void
  readonly reject: (error: Error) => void
}

interface Clocked extends Waiter {
  remainingMs: number
  /** Set while the clock runs. */
  running: { readonly sinceMs: number; readonly timer: NodeJS.Timeout } | undefined
}

export class WaitingLine {
  readonly #timeoutMs: number
  readonly #timedOut: () => Error
  readonly #waiters: Clocked[] = []
  #coming = 0

  /** @param timedOut what a caller is told who has waited for others for `timeoutMs` */
  constructor(timeoutMs: number, timedOut: () => Error) {
    this.#timeoutMs = timeoutMs
    this.#timedOut = timedOut
  }

  get length(): number {
    return this.#waiters.length
  }

  /** Who has waited longest. */
  get first(): Waiter | undefined {
    return this.#waiters[0]
  }

  isOnly(tenant: string): boolean {
    return this.#waiters.every((waiter) => waiter.tenant === tenant)
  }

  /** The clock starts with `count`. @throws CancelledError when `signal` aborts first */
  join(tenant: string, signal: AbortSignal | undefined): Promise<Slot> {
    return new Promise<Slot>((resolve, reject) => {
      const leave = () => {
        this.#stop(waiter)
        signal?.removeEventListener('abort', onAbort)
        const index = this.#waiters.indexOf(waiter)
        if (index >= 0) this.#waiters.splice(index, 1)
      }
      const waiter: Clocked = {
        tenant,
        remainingMs: this.#timeoutMs,
        running: undefined,
        resolve: (slot) => {
          leave()
          resolve(slot)
        },
        reject: (error) => {
          leave()
          reject(error)
        },
      }
      const onAbort = () => {
        waiter.reject(new CancelledError('not-started', { cause: signal?.reason }))
        // Those behind have moved up.
        this.count(this.#coming)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.push(waiter)
    })
  }

  /** For so many, the first ones, a slot is on its way; the others wait for somebody to give one back. */
  count(coming: number): void {
    this.#coming = coming
    if (this.#timeoutMs === Number.POSITIVE_INFINITY) return
    for (const [index, waiter] of this.#waiters.entries()) {
      if (index < coming) this.#stop(waiter)
      else this.#start(waiter)
    }
  }

  rejectAll(error: Error): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error)
  }

  #start(waiter: Clocked): void {
    if (waiter.running) return
    const timer = setTimeout(() => waiter.reject(this.#timedOut()), waiter.remainingMs)
    waiter.running = { sinceMs: performance.now(), timer }
  }

  #stop(waiter: Clocked): void {
    if (waiter.running === undefined) return
    clearTimeout(waiter.running.timer)
    waiter.remainingMs -= performance.now() - waiter.running.sinceMs
    waiter.running = undefined
  }
}
