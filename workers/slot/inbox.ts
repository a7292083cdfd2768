// Receives the main thread's messages. Owns how this thread waits for them: usually asleep in its event loop, but spinning briefly when the
// next message is expected soon, because waking a thread takes as long as most cells and host calls.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { SpinPolicy } from '../../src/shared/threads/spin-policy.js'

/** Longest spin: about what waking both threads takes. */
const SPIN_MS = 0.15
/** Longest time without a turn of the event loop, which timers and other ports need. */
const LONGEST_TURN_MS = 5

type Awaited = 'request' | 'answer'

export class Inbox {
  readonly #port: MessagePort
  readonly #onMessage: (message: object) => void
  /** Requests after a reply and answers after host calls each have their own history. */
  readonly #policies = { request: new SpinPolicy(SPIN_MS), answer: new SpinPolicy(SPIN_MS) }
  /** Since when, without a turn of the event loop, messages have been received by spinning. */
  #awakeSinceMs: number | undefined
  #received: object | undefined
  #isClosed = false
  /** `linger` is on the stack. */
  #isLingering = false
  /** What to wait for after the message that `linger` has just delivered. */
  #next: Awaited | undefined
  /** Other threads of the process need the cores: sleep at once. */
  isCrowded = false

  /** Node's own listeners: a DOM listener on a port makes Node load its fetch library for the event's class. */
  constructor(port: MessagePort, onMessage: (message: object) => void) {
    this.#port = port
    this.#onMessage = onMessage
    port.on('message', onMessage)
  }

  /** Call after sending something that the main thread may respond to at once, when nothing else is left to do. */
  linger(awaited: Awaited): void {
    if (this.#isClosed) return
    this.#next = awaited
    // Called while the loop below delivers a message. The loop continues, so the stack does not grow.
    if (this.#isLingering) return
    this.#isLingering = true
    try {
      while (this.#next !== undefined && this.#spin(this.#next)) {
        const message = this.#received
        this.#received = undefined
        this.#next = undefined
        if (message !== undefined) this.#onMessage(message)
      }
    } finally {
      this.#isLingering = false
    }
  }

  /** Returns whether a message came. */
  #spin(awaited: Awaited): boolean {
    if (this.isCrowded || this.#isClosed) return false
    const sinceMs = this.#awakeSinceMs
    if (sinceMs !== undefined && performance.now() - sinceMs > LONGEST_TURN_MS) return false
    if (!this.#policies[awaited].spinUntil(this.#look)) return false
    if (sinceMs === undefined) this.#countTurn()
    return true
  }

  /** Stops receiving messages. */
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
