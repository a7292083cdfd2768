// Runs one request to the kernel to its end, through all its waits. Owns what ends a wait: a timer, an answer, an interrupt, a request to
// suspend, or new credit. service.ts makes the request and replies to the main thread.

import type { Credit } from '../host/credit.js'
import type { Host } from '../host/host.js'
import type { Interpreter } from '../interpreter/interpreter.js'
import { KernelFault, type KernelReply, Opcode } from '../interpreter/link.js'
import { Outgoing } from './outgoing.js'

/** The longest delay that setTimeout accepts. */
const MAX_DELAY_MS = 2 ** 31 - 1
/** Marshal bytes of an empty list: no new calls. */
const NO_CALLS_BYTES = 5

type Wake = 'timer' | 'answer' | 'interrupt' | 'suspend' | 'credit'

interface Waiting {
  readonly id: number
  readonly settle: (wake: Wake) => void
}

export type Ran =
  | { readonly kind: 'done'; readonly payload: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'suspended' }

export interface RunListener {
  /** Called before each wait. */
  onWait(): void
  /** Called when a wait for host calls that were just sent has begun. */
  onAwait(): void
  /** Called with each batch of new host calls. Batches of a run are numbered from 1. */
  onCalls(batch: number, calls: Uint8Array<ArrayBuffer>): void
}

export class Runs {
  readonly #host: Host
  readonly #interpreter: Interpreter
  readonly #listener: RunListener
  /** Answers that the kernel has not taken yet. */
  readonly #answers: Uint8Array[] = []
  readonly #outgoing: Outgoing
  #takenBytes = 0
  #waiting: Waiting | undefined
  #batches = 0
  /** A suspend request that arrived before its execution waited: executions start late while a snapshot is being packed. */
  #toSuspend: { readonly id: number; readonly batches: number } | undefined

  constructor(host: Host, interpreter: Interpreter, credit: Credit, listener: RunListener) {
    this.#host = host
    this.#outgoing = new Outgoing(credit)
    this.#interpreter = interpreter
    this.#listener = listener
  }

  /** Whether an execution waits. The stack is then empty, and all its state is in the interpreter's memory. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /**
   * Returns the result without a promise if the request does not wait. Most do not, and a promise takes as long as running a small cell.
   *
   * @throws (or rejects with) KernelFault, or the error that ended the interpreter
   */
  run(id: number, request: () => KernelReply): Ran | Promise<Ran> {
    this.#batches = 0
    const reply = request()
    return reply.kind === 'waiting' ? this.#goOn(id, reply) : this.#done(reply)
  }

  async #goOn(id: number, first: KernelReply): Promise<Ran> {
    let reply = first
    while (reply.kind === 'waiting') {
      const messages =
        reply.calls.length > NO_CALLS_BYTES ? this.#outgoing.add(reply.calls) : this.#outgoing.next()
      for (const calls of messages) this.#listener.onCalls(++this.#batches, calls)
      const isHeldBack = !this.#outgoing.isEmpty
      const answer = this.#outgoing.takeRefusal() ?? (isHeldBack ? undefined : this.take())
      if (answer !== undefined) {
        reply = this.#interpreter.call(Opcode.answer, answer)
        continue
      }
      this.#listener.onWait()
      // Do not run Python until its calls have been sent: with every answer or timer it could queue more of them, without bound.
      const waiting = this.#wait(id, isHeldBack ? Number.POSITIVE_INFINITY : reply.delayMs)
      if (messages.length > 0) this.#listener.onAwait()
      const wake = await waiting
      if (wake === 'suspend' && !isHeldBack) return { kind: 'suspended' }
      if (wake === 'interrupt') reply = this.#interpreter.call(Opcode.interrupt)
      else if (wake === 'timer') reply = this.#interpreter.call(Opcode.step)
      // After an answer or credit, repeat the loop with no new calls. Python's timers may be overdue if calls were held back.
      else reply = { kind: 'waiting', delayMs: isHeldBack ? 0 : reply.delayMs, calls: NOTHING_NEW }
    }
    return this.#done(reply)
  }

  #done(reply: KernelReply): Ran {
    this.#outgoing.refuseAll()
    if (reply.kind !== 'done') throw new KernelFault('the kernel sent an unexpected reply')
    return reply
  }

  answer(answers: readonly Uint8Array[]): void {
    this.#answers.push(...answers)
    this.#waiting?.settle('answer')
  }

  /** Passes to the kernel the answers that arrived for background tasks while nothing ran. */
  deliver(): void {
    for (
      let refusal = this.#outgoing.takeRefusal();
      refusal !== undefined;
      refusal = this.#outgoing.takeRefusal()
    )
      this.#interpreter.call(Opcode.answer, refusal)
    for (let answer = this.take(); answer !== undefined; answer = this.take()) {
      this.#interpreter.call(Opcode.answer, answer)
    }
  }

  /** Drops queued calls and answers, because they do not belong to the interpreter's new state. */
  forget(): void {
    this.#outgoing.forget()
    while (this.take() !== undefined);
  }

  /** Bytes of all answers that the kernel has taken or that were dropped. */
  get takenBytes(): number {
    return this.#takenBytes
  }

  /** Removes and returns the oldest answer. */
  take(): Uint8Array | undefined {
    const answer = this.#answers.shift()
    this.#takenBytes += answer?.length ?? 0
    return answer
  }

  /** Retries calls that wait for credit, because some may have been released. */
  credit(): void {
    if (!this.#outgoing.isEmpty) this.#waiting?.settle('credit')
  }

  interrupt(id: number): void {
    if (this.#waiting?.id !== id) return
    // Delivered by ending the wait, so running code must not get it a second time.
    this.#host.interruptDelivered(id)
    this.#waiting.settle('interrupt')
  }

  /** Suspends execution `id`, unless it has sent host calls after batch number `batches`. */
  suspend(id: number, batches: number): void {
    if (this.#waiting === undefined) this.#toSuspend = { id, batches }
    else if (this.#waiting.id === id && this.#batches === batches) this.#waiting.settle('suspend')
  }

  #wait(id: number, delayMs: number): Promise<Wake> {
    const early = this.#toSuspend
    this.#toSuspend = undefined
    if (early?.id === id && early.batches === this.#batches) return Promise.resolve('suspend')
    return new Promise((resolve) => {
      // Most waits have no timer.
      const timer = Number.isFinite(delayMs)
        ? setTimeout(() => settle('timer'), Math.min(delayMs, MAX_DELAY_MS))
        : undefined
      const settle = (wake: Wake) => {
        clearTimeout(timer)
        this.#waiting = undefined
        resolve(wake)
      }
      this.#waiting = { id, settle }
    })
  }
}

const NOTHING_NEW = new Uint8Array(0)
