// Receives a slot's messages. Owns when to poll for them: waking a sleeping thread takes as long as most cells and host calls, so when
// a message is expected soon, the event loop spins instead of sleeping. Timers and other work still run in between. channel.ts interprets
// the messages.
import type { MessagePort } from 'node:worker_threads'
import { PacedPort } from '../shared/threads/paced-port.js'
import { SpinPolicy } from '../shared/threads/spin-policy.js'
import { hasCoreToSpin } from './crowd.js'

/** Longest time to poll for one message: about a short cell, plus waking the slot's thread. */
const SPIN_MS = 0.3

export class MessagePoller {
  readonly #port: PacedPort
  readonly #onMessage: (message: unknown) => void
  /** Two policies with separate histories: one for replies to calls, one for host calls that follow answers. */
  readonly #policies = { reply: new SpinPolicy(SPIN_MS), calls: new SpinPolicy(SPIN_MS) }
  /** Policy of the poll in progress. */
  #active: SpinPolicy | undefined
  #untilMs = 0
  #turn: NodeJS.Immediate | undefined

  constructor(port: MessagePort, onMessage: (message: unknown) => void) {
    this.#port = new PacedPort(port, (message) => this.#receive(message))
    this.#onMessage = onMessage
    port.on('close', () => this.#stop(false))
  }

  /** Makes the port keep the process alive. */
  ref(): void {
    this.#port.ref()
  }

  unref(): void {
    this.#port.unref()
  }

  /** Call after sending the slot something to which it may respond at once. */
  pollFor(awaited: 'reply' | 'calls'): void {
    if (this.#active !== undefined || !hasCoreToSpin()) return
    const policy = this.#policies[awaited]
    if (!policy.shouldSpin()) return
    this.#active = policy
    this.#untilMs = performance.now() + policy.spinMs
    this.#turn = setImmediate(this.#look)
  }

  /** Stops polling and delivering. `take` still returns messages that have arrived. Idempotent. */
  close(): void {
    this.#port.stop()
    this.#stop(false)
  }

  /** Returns the next message that has arrived but was not delivered. */
  take(): { readonly message?: unknown } | undefined {
    return this.#port.take()
  }

  readonly #look = (): void => {
    const received = this.#port.take()
    if (received !== undefined) return this.#receive(received.message)
    if (performance.now() < this.#untilMs) this.#turn = setImmediate(this.#look)
    else this.#stop(false)
  }

  #receive(message: unknown): void {
    this.#stop(true)
    this.#onMessage(message)
  }

  #stop(received: boolean): void {
    this.#active?.record(received)
    this.#active = undefined
    clearImmediate(this.#turn)
  }
}
