// One call into a slot with its two-stage stop: first an interrupt, then, after the grace period, the termination of the worker. Owns the
// deadline, which runs on the main thread's clock, not the guest's. runner.ts decides what a stop means to the caller.
import type { SlotReply } from '../shared/messages/slot.js'
import { messageOf } from '../shared/thrown.js'
import type { Slot } from '../slots/slot.js'

export type StopCause =
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | { readonly kind: 'abort'; readonly reason: unknown }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'close' }

export type Settled =
  | { readonly kind: 'replied'; readonly reply: SlotReply; readonly stop: StopCause | undefined }
  /** The slot ended before it answered. */
  | { readonly kind: 'lost'; readonly reason: string; readonly stop: StopCause | undefined }

/** Number of checks of a capture within its timeout. */
const LOOKS = 4

export interface CallOptions {
  readonly timeoutMs: number | null
  readonly graceMs: number
  readonly signal?: AbortSignal | undefined
  /**
   * For captures: the timeout counts only while the slot runs user code. A worker that takes longer than this many milliseconds in total
   * is considered broken.
   */
  readonly mostMs?: number
  /** `mostMs` counts from when this resolves. Never rejects. Default: from the start. */
  readonly mostSince?: Promise<void> | undefined
  /** What the slot does before this call. The deadline and stops take effect once it has ended. Never rejects. */
  readonly after?: Promise<unknown> | undefined
}

export class Call {
  readonly #slot: Slot
  readonly #id: number
  readonly #graceMs: number
  readonly #mostMs: number | undefined
  readonly #settled: Promise<Settled>
  #stop: StopCause | undefined
  #isNext = false
  #graceTimer: NodeJS.Timeout | undefined

  /** Starts the call. `send` gets the call's id, which an interrupt names. */
  constructor(slot: Slot, options: CallOptions, send: (id: number) => Promise<SlotReply>) {
    this.#slot = slot
    this.#id = slot.nextCallId()
    this.#graceMs = options.graceMs
    this.#mostMs = options.mostMs
    this.#settled = this.#run(options, send)
  }

  /** Never rejects (S2). */
  get settled(): Promise<Settled> {
    return this.#settled
  }

  /** Interrupts the call, and terminates its worker if it has not settled after the grace period. Only the first cause counts. */
  stop(cause: StopCause): void {
    if (this.#stop) return
    this.#stop = cause
    if (cause.kind === 'close') return this.#slot.terminate('the session was closed')
    if (this.#isNext) this.#interrupt()
  }

  #interrupt(): void {
    this.#slot.interrupt(this.#id)
    this.#graceTimer = setTimeout(() => {
      if (this.#mayBeStopped) this.#slot.terminate('it did not stop when interrupted')
    }, this.#graceMs)
  }

  get #mayBeStopped(): boolean {
    return this.#mostMs === undefined || this.#slot.runsUserCode(this.#id)
  }

  /** Stops the call after the timeout, or a capture after it has run user code for that long. */
  #startDeadline(timeoutMs: number): NodeJS.Timeout {
    if (this.#mostMs === undefined)
      return setTimeout(() => this.stop({ kind: 'timeout', timeoutMs }), timeoutMs)
    let looks = 0
    return setInterval(() => {
      looks = this.#mayBeStopped ? looks + 1 : 0
      // The user code may have begun just before the first check.
      if (looks > LOOKS) this.stop({ kind: 'timeout', timeoutMs })
    }, timeoutMs / LOOKS)
  }

  async #run(options: CallOptions, send: (id: number) => Promise<SlotReply>): Promise<Settled> {
    const { timeoutMs, mostMs, mostSince, signal, after } = options
    const onAbort = () => this.stop({ kind: 'abort', reason: signal?.reason })
    signal?.addEventListener('abort', onAbort, { once: true })
    let timer: NodeJS.Timeout | undefined
    let lastTimer: NodeJS.Timeout | undefined
    let hasSettled = false
    const limit = () => {
      if (mostMs === undefined || hasSettled) return
      lastTimer = setTimeout(() => this.#slot.terminate(`it took longer than ${mostMs} ms`), mostMs)
    }
    try {
      const replying = send(this.#id)
      if (after) {
        // It may reject before anything awaits it: avoid an unhandled rejection.
        replying.catch(() => {})
        await after
      }
      this.#isNext = true
      if (timeoutMs !== null) timer = this.#startDeadline(timeoutMs)
      if (mostSince) void mostSince.then(limit)
      else limit()
      if (this.#stop) this.#interrupt()
      const reply = await replying
      if (reply.kind !== 'died') return { kind: 'replied', reply, stop: this.#stop }
      this.#slot.terminate(reply.reason)
      return { kind: 'lost', reason: reply.reason, stop: this.#stop }
    } catch (error) {
      const reason = messageOf(error, 'its worker failed')
      this.#slot.terminate(reason)
      return { kind: 'lost', reason, stop: this.#stop }
    } finally {
      hasSettled = true
      clearTimeout(timer)
      clearTimeout(lastTimer)
      clearTimeout(this.#graceTimer)
      signal?.removeEventListener('abort', onAbort)
    }
  }
}
