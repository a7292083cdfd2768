// One request of the kernel run to its end, through as many waits as it has. Owns what ends a wait: a timer, an answer, an
// interrupt, the wish to suspend. What the request is, and its reply to the main thread, is service.ts's.
import type { Host } from '../host/host.js'
import type { Interpreter } from '../interpreter/interpreter.js'
import { KernelFault, type KernelReply, Opcode } from '../interpreter/link.js'

/** setTimeout's own bound. */
const MAX_DELAY_MS = 2 ** 31 - 1
/** Marshal bytes of an empty list: no new calls. */
const NO_CALLS_BYTES = 5

type Wake = 'timer' | 'answer' | 'interrupt' | 'suspend'

interface Waiting {
  readonly id: number
  readonly settle: (wake: Wake) => void
}

export type Ran =
  | { readonly kind: 'done'; readonly payload: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'suspended' }

export interface RunListener {
  /** Before each wait. */
  onWait(): void
  /** A wait has begun, for host calls sent just now. */
  onAwait(): void
  /** The `batch`th lot of new host calls of the run. */
  onCalls(batch: number, calls: Uint8Array<ArrayBuffer>): void
}

export class Runs {
  readonly #host: Host
  readonly #interpreter: Interpreter
  readonly #listener: RunListener
  /** Answers that no execution has taken yet. */
  readonly #answers: Uint8Array[] = []
  #takenBytes = 0
  #waiting: Waiting | undefined
  #batches = 0

  constructor(host: Host, interpreter: Interpreter, listener: RunListener) {
    this.#host = host
    this.#interpreter = interpreter
    this.#listener = listener
  }

  /** An execution waits: the stack is empty, and the interpreter holds all of it. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** @throws KernelFault, or whatever ended the interpreter */
  async run(id: number, request: () => KernelReply): Promise<Ran> {
    this.#batches = 0
    let reply = request()
    while (reply.kind === 'waiting') {
      const calls = reply.calls.length > NO_CALLS_BYTES
      if (calls) this.#listener.onCalls(++this.#batches, reply.calls)
      const answer = this.take()
      if (answer !== undefined) {
        reply = this.#interpreter.call(Opcode.answer, answer)
        continue
      }
      this.#listener.onWait()
      const waiting = this.#wait(id, reply.delayMs)
      if (calls) this.#listener.onAwait()
      const wake = await waiting
      if (wake === 'suspend') return { kind: 'suspended' }
      if (wake === 'interrupt') reply = this.#interpreter.call(Opcode.interrupt)
      // With an answer the loop goes round, with nothing new to send.
      else if (wake === 'timer') reply = this.#interpreter.call(Opcode.step)
      else reply = { kind: 'waiting', delayMs: reply.delayMs, calls: NOTHING_NEW }
    }
    if (reply.kind !== 'done') throw new KernelFault('the kernel answered something else')
    return reply
  }

  answer(answers: readonly Uint8Array[]): void {
    this.#answers.push(...answers)
    this.#waiting?.settle('answer')
  }

  /** Gives the kernel what has come for background tasks while nothing ran; they go on with it. */
  deliver(): void {
    for (let answer = this.take(); answer !== undefined; answer = this.take()) {
      this.#interpreter.call(Opcode.answer, answer)
    }
  }

  /** The interpreter holds another state, or is about to. */
  forget(): void {
    while (this.take() !== undefined);
  }

  /** Of all answers that came: the bytes that the kernel has got, or that were dropped. */
  get takenBytes(): number {
    return this.#takenBytes
  }

  /** The answer that has waited longest. */
  take(): Uint8Array | undefined {
    const answer = this.#answers.shift()
    this.#takenBytes += answer?.length ?? 0
    return answer
  }

  interrupt(id: number): void {
    if (this.#waiting?.id !== id) return
    // Delivered here, so running code must not get it a second time.
    this.#host.interruptDelivered(id)
    this.#waiting.settle('interrupt')
  }

  /** Unless it has asked for more since. */
  suspend(id: number, batches: number): void {
    if (this.#waiting?.id === id && this.#batches === batches) this.#waiting.settle('suspend')
  }

  #wait(id: number, delayMs: number): Promise<Wake> {
    return new Promise((resolve) => {
      // Most waits are for an answer alone.
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
