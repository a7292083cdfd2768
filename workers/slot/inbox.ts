// What the main thread sends a slot. Owns how this thread waits for it: usually asleep in its event loop, but spinning for a moment
// where the next message is about to come, because waking a thread takes as long as most cells and host calls. What a message means
// is the receiver's.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { SpinPolicy } from '../../src/shared/threads/spin-policy.js'

/** Longest spin: about what waking both threads takes. */
const SPIN_MS = 0.15
/** Longest without a turn of the event loop, in which timers are due and other ports have their messages. */
const LONGEST_TURN_MS = 5

type Awaited = 'request' | 'answer'

export class Inbox {
  readonly #port: MessagePort
  readonly #onMessage: (message: object) => void
  /** What follows a reply, and what follows host calls: each has a pace of its own. */
  readonly #policies = { request: new SpinPolicy(SPIN_MS), answer: new SpinPolicy(SPIN_MS) }
  /** Since when, without a turn of the event loop, messages have been received by spinning. */
  #awakeSinceMs: number | undefined
  #received: object | undefined
  #isClosed = false
  /** `linger` is on the stack. */
  #isLingering = false
  /** What the message that `linger` has just delivered ended with. */
  #next: Awaited | undefined
  /** Other threads of the process need the cores: sleep at once. */
  isCrowded = false

  /** Node's own listeners: a DOM listener on a port makes Node load its fetch library for the event's class. */
  constructor(port: MessagePort, onMessage: (message: object) => void) {
    this.#port = port
    this.#onMessage = onMessage
    port.on('message', onMessage)
  }

  /** Something was sent that the main thread may follow up at once. To be called with nothing left to do. */
  linger(awaited: Awaited): void {
    if (this.#isClosed) return
    this.#next = awaited
    // Called by the receiver of a message that came here: the loop below goes on, and the stack does not grow.
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

  /** True if a message came. */
  #spin(awaited: Awaited): boolean {
    if (this.isCrowded || this.#isClosed) return false
    const sinceMs = this.#awakeSinceMs
    if (sinceMs !== undefined && performance.now() - sinceMs > LONGEST_TURN_MS) return false
    if (!this.#policies[awaited].spinUntil(this.#look)) return false
    if (sinceMs === undefined) this.#countTurn()
    return true
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
