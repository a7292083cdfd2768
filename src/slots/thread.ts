// The thread of a slot: one Piscina task, which runs as long as the thread lives and serves one lease after the other. Owns the start and
// end of the worker. Each lease is a Slot (slot.ts); the pool decides which session gets it.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { deferred } from '../deferred.js'
import type { SlotLease } from '../memory/slot-lease.js'
import type { ServeTask } from '../shared/messages/slot.js'
import { MOST_SHIELDED_MS } from '../shared/threads/shield.js'
import { messageOf } from '../shared/thrown.js'
import { type Exiting, guardExit, unguardExit } from './exit-guard.js'
import { printable } from './guard.js'
import { Slot } from './slot.js'

const SHIELD_LOOK_MS = 1

export class SlotThread implements Exiting {
  readonly #abort = new AbortController()
  readonly #next: MessagePort
  readonly #ended = deferred<string>()
  readonly #stopped = deferred<void>()
  #slot: Slot
  #endReason: string | undefined

  /**
   * Starts a worker; `slot.ready` resolves when its interpreter has booted.
   *
   * @param imageId id of the image of the Piscina's workers
   * @param memory memory of the first lease
   */
  constructor(
    piscina: Piscina,
    readonly imageId: string,
    memory: SlotLease,
  ) {
    const { port1, port2 } = new MessageChannel()
    this.#next = port1
    port1.unref()
    this.#slot = new Slot(this, memory, 'boot')
    const { wire, transferList } = this.#slot
    const task: ServeTask = { ...wire, next: port2 }
    piscina.run(task, { transferList: [...transferList, port2], signal: this.#abort.signal }).then(
      () => this.terminate('its worker exited by itself'),
      (error: unknown) => this.terminate(messageOf(error, 'its worker failed')),
    )
    guardExit(this)
  }

  /** The current lease. */
  get slot(): Slot {
    return this.#slot
  }

  /** Resolves with the reason when the thread is being ended and no further lease will follow. */
  get ended(): Promise<string> {
    return this.#ended.promise
  }

  /** Resolves soon after `ended`, when the worker may be ended and its task has been aborted. */
  get stopped(): Promise<void> {
    return this.#stopped.promise
  }

  get alive(): boolean {
    return this.#endReason === undefined
  }

  /**
   * Ends the current lease and begins the next, which is `ready` once the interpreter has been set back to the image. Call only while
   * nothing runs. The caller closes the memory of the ended lease.
   */
  renew(memory: SlotLease): Slot {
    if (!this.alive) throw new Error('unreachable: a thread that has ended is renewed')
    this.#slot.retire('its lease ended')
    this.#slot = new Slot(this, memory, 'renew its interpreter')
    const { wire, transferList } = this.#slot
    this.#next.postMessage(wire, transferList)
    return this.#slot
  }

  /** Ends the worker, whatever it is doing, and rejects every pending call of the current lease (S2). Idempotent. */
  terminate(given: string): void {
    if (this.#endReason !== undefined) return
    const reason = printable(given)
    this.#endReason = reason
    this.#slot.retire(reason)
    this.#next.close()
    void this.#stop(reason)
    this.#ended.resolve(reason)
  }

  /** Call before the process exits, which ends all threads without waiting. */
  blockUntilEndable(untilMs: number): void {
    while (this.#slot.isShielded() && performance.now() < untilMs) this.#slot.waitForShield(SHIELD_LOOK_MS)
  }

  /** Never rejects. */
  async #stop(reason: string): Promise<void> {
    const untilMs = performance.now() + MOST_SHIELDED_MS
    while (this.#slot.isShielded() && performance.now() < untilMs)
      await new Promise((resolve) => setTimeout(resolve, SHIELD_LOOK_MS))
    // Pass a string as the reason: the default is an error, whose stack would keep the caller in memory.
    this.#abort.abort(reason)
    this.#slot.memory.abandon()
    unguardExit(this)
    this.#stopped.resolve(undefined)
  }
}
