// What a slot sends. Owns when this thread looks for it: it sleeps in its event loop like any other, but where messages come at
// once the loop goes on turning instead, for waking a thread takes as long as most cells and host calls do. Timers and all
// other work have their turns meanwhile. What a message means is channel.ts's.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { Patience } from '../shared/threads/spin-policy.js'

/** Longest that the loop turns for one message: a short cell, and waking the slot's thread for it. */
const PATIENCE_MS = 0.3

export class Vigil {
  readonly #port: MessagePort
  readonly #hear: (message: unknown) => void
  /** What follows a call, and what follows answers of host calls: each has a pace of its own. */
  readonly #patience = { reply: new Patience(PATIENCE_MS), calls: new Patience(PATIENCE_MS) }
  /** The one that is kept. */
  #kept: Patience | undefined
  #untilMs = 0
  #turn: NodeJS.Immediate | undefined
  #isGone = false

  constructor(port: MessagePort, hear: (message: unknown) => void) {
    this.#port = port
    this.#hear = hear
    port.on('message', (message: unknown) => this.#receive(message))
    // Everything has come by then, and Node crashes when asked for more.
    port.on('close', () => {
      this.#isGone = true
      this.#end(false)
    })
  }

  /** The slot was sent something that it may follow up at once. */
  keep(awaited: 'reply' | 'calls'): void {
    if (this.#kept !== undefined) return
    const patience = this.#patience[awaited]
    if (!patience.begin()) return
    this.#kept = patience
    this.#untilMs = performance.now() + patience.longestMs
    this.#turn = setImmediate(this.#look)
  }

  /** Nothing is heard any more. Idempotent. */
  close(): void {
    this.#port.removeAllListeners('message')
    this.#end(false)
  }

  /** The next message that has come and was not heard. */
  take(): { readonly message?: unknown } | undefined {
    return this.#isGone ? undefined : receiveMessageOnPort(this.#port)
  }

  readonly #look = (): void => {
    const received = receiveMessageOnPort(this.#port)
    if (received !== undefined) return this.#receive(received.message)
    if (performance.now() < this.#untilMs) this.#turn = setImmediate(this.#look)
    else this.#end(false)
  }

  #receive(message: unknown): void {
    this.#end(true)
    this.#hear(message)
  }

  #end(came: boolean): void {
    this.#kept?.end(came)
    this.#kept = undefined
    clearImmediate(this.#turn)
  }
}
