// The queue of callers that wait for a slot. Owns their order and timeouts. Tenants take turns (round-robin): a tenant with a thousand
// callers delays another tenant's caller by one slot at most. A caller's timeout runs only while it waits for other sessions, not while a
// slot boots or is renewed for it. The pool owns the slots.
import { CancelledError } from '../shared/errors.js'
import type { SlotRequest } from './pool-options.js'
import type { Slot } from './slot.js'

export interface Waiter extends SlotRequest {
  readonly resolve: (slot: Slot) => void
  readonly reject: (error: Error) => void
}

interface Clocked extends Waiter {
  /** Callers of a lower round are served first, those of the same round in order of arrival. Each tenant has one caller per round. */
  readonly round: number
  remainingMs: number
  /** Set while the timeout runs. */
  running: { readonly sinceMs: number; readonly timer: NodeJS.Timeout } | undefined
}

export class WaitingLine {
  readonly #timeoutMs: number
  readonly #timedOut: () => Error
  readonly #waiters: Clocked[] = []
  /** Round of the caller that was served last. A tenant that has had no turn in this round joins it. */
  #round = 0
  /** Round of the last caller of each tenant that is waiting, or has had its turn in this round. */
  readonly #lastRounds = new Map<string, number>()
  #coming = 0

  /** @param timedOut creates the error for a caller that has waited for `timeoutMs` */
  constructor(timeoutMs: number, timedOut: () => Error) {
    this.#timeoutMs = timeoutMs
    this.#timedOut = timedOut
  }

  get length(): number {
    return this.#waiters.length
  }

  /** The caller whose turn it is to get a slot of the image. */
  first(imageId: string): Waiter | undefined {
    return this.#waiters.find((waiter) => waiter.imageId === imageId)
  }

  /** How many callers wait for a slot of each image; the image whose turn it is comes first. */
  countByImage(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { imageId } of this.#waiters) counts.set(imageId, (counts.get(imageId) ?? 0) + 1)
    return counts
  }

  isOnly(tenant: string): boolean {
    return this.#waiters.every((waiter) => waiter.tenant === tenant)
  }

  /** Adds a caller; its timeout starts with the next call of `count`. @throws CancelledError when `signal` aborts first */
  join(request: SlotRequest, signal: AbortSignal | undefined): Promise<Slot> {
    return new Promise<Slot>((resolve, reject) => {
      const leave = () => {
        this.#stop(waiter)
        signal?.removeEventListener('abort', onAbort)
        const index = this.#waiters.indexOf(waiter)
        if (index >= 0) this.#waiters.splice(index, 1)
      }
      const waiter: Clocked = {
        ...request,
        round: this.#nextRound(request.tenant),
        remainingMs: this.#timeoutMs,
        running: undefined,
        resolve: (slot) => {
          leave()
          this.#served(waiter)
          resolve(slot)
        },
        reject: (error) => {
          leave()
          this.#gaveUp(waiter)
          reject(error)
        },
      }
      const onAbort = () => {
        waiter.reject(new CancelledError('not-started', { cause: signal?.reason }))
        // The callers behind it have moved up, so update which timeouts run.
        this.count(this.#coming)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const behind = this.#waiters.findLastIndex(({ round }) => round <= waiter.round)
      this.#waiters.splice(behind + 1, 0, waiter)
      this.#lastRounds.set(waiter.tenant, waiter.round)
    })
  }

  /** Stops the timeouts of the first `coming` callers, for whom slots are coming. The others wait for sessions, so their timeouts run. */
  count(coming: number): void {
    this.#coming = coming
    if (this.#timeoutMs === Number.POSITIVE_INFINITY) return
    for (const [index, waiter] of this.#waiters.entries()) {
      if (index < coming) this.#stop(waiter)
      else this.#start(waiter)
    }
  }

  /** @param imageId reject only callers that wait for this image; default: all */
  rejectAll(error: Error, imageId?: string): void {
    for (const waiter of [...this.#waiters])
      if (imageId === undefined || waiter.imageId === imageId) waiter.reject(error)
  }

  #nextRound(tenant: string): number {
    const last = this.#lastRounds.get(tenant)
    return last === undefined ? this.#round : Math.max(this.#round, last + 1)
  }

  #served({ round }: Clocked): void {
    if (this.#waiters.length === 0) this.#lastRounds.clear()
    if (round <= this.#round) return
    this.#round = round
    for (const [tenant, last] of this.#lastRounds) if (last < round) this.#lastRounds.delete(tenant)
  }

  #gaveUp({ tenant, round }: Clocked): void {
    if (this.#lastRounds.get(tenant) !== round) return
    const last = this.#waiters.findLast((waiter) => waiter.tenant === tenant)
    if (last) this.#lastRounds.set(tenant, last.round)
    else this.#lastRounds.delete(tenant)
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
