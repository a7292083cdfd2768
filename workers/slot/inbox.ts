// What the main thread sends a slot. Owns when this thread looks for it: it sleeps in its event loop like any other, but
// where the next message comes at once it is met awake, for waking a thread takes as long as most cells and host calls do.
// What a message means is the receiver's.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { SpinPolicy } from '../../src/shared/threads/spin-policy.js'

/** Longest that it stays awake: about what waking both threads takes. */
const SPIN_MS = 0.15
/** Longest without a turn of the event loop, in which timers are due and other ports have their messages. */
const LONGEST_TURN_MS = 5

export class Inbox {
  readonly #port: MessagePort
  readonly #onMessage: (message: object) => void
  /** What follows a reply, and what follows host calls: each has a pace of its own. */
  readonly #policies = { request: new SpinPolicy(SPIN_MS), answer: new SpinPolicy(SPIN_MS) }
  /** Since when, without a turn of the event loop, messages have been met awake. */
  #awakeSinceMs: number | undefined
  #received: object | undefined
  #isClosed = false

  /** Node's own listeners: a DOM listener on a port makes Node load its fetch library for the event's class. */
  constructor(port: MessagePort, onMessage: (message: object) => void) {
    this.#port = port
    this.#onMessage = onMessage
    port.on('message', onMessage)
  }

  /** Something was sent that the main thread may follow up at once. To be called with nothing left to do. */
  linger(awaited: 'request' | 'answer'): void {
    if (this.#isClosed) return
    const sinceMs = this.#awakeSinceMs
    if (sinceMs !== undefined && performance.now() - sinceMs > LONGEST_TURN_MS) return
    if (!this.#policies[awaited].spinUntil(this.#look)) return
    if (sinceMs === undefined) this.#countTurn()
    const message = this.#received
    this.#received = undefined
    if (message !== undefined) this.#onMessage(message)
  }

  /** Nothing is heard any more. */
  close(): void {
    this.#isClosed = true
    this.#port.off('message', this.#onMessage)
  }

  #countTurn(): void {
    this.#awakeSinceMs = performance.now()
    setTimeout(() => {
      this.#awakeSinceMs = undefined
    })
  }

  readonly #look = (): boolean => {
    this.#received = receiveMessageOnPort(this.#port)?.message as object | undefined
    return this.#received !== undefined
  }
}
