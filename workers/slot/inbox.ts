// Receives the main thread's messages. Owns how this thread waits for them: usually asleep in its event loop, but it spins briefly when the
// next message is expected soon, because waking a thread takes as long as most cells and host calls.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { SpinPolicy } from '../../src/shared/threads/spin-policy.js'

/** Longest spin: about as long as waking both threads takes. */
const SPIN_MS = 0.15
/** Longest time without a turn of the event loop, which timers and other ports need. */
const LONGEST_TURN_MS = 5

type Awaited = 'request' | 'answer'

export class Inbox {
  readonly #port: MessagePort
  readonly #onMessage: (message: object) => void
  /** Separate histories: how soon a request follows a reply says nothing about how soon an answer follows a host call. */
  readonly #policies = { request: new SpinPolicy(SPIN_MS), answer: new SpinPolicy(SPIN_MS) }
  /** When the first message since the event loop's last turn was received by spinning; undefined if none was. */
  #awakeSinceMs: number | undefined
  #received: object | undefined
  #isClosed = false
  /** `linger` is on the stack. */
  #isLingering = false
  /** What `linger` waits for next, after the message that it is delivering. */
  #next: Awaited | undefined
  /** Other threads of the process need the cores, so sleep without spinning. */
  isCrowded = false

  /** Uses `port.on`, because `addEventListener` makes Node load its fetch library for the event's class. */
  constructor(port: MessagePort, onMessage: (message: object) => void) {
    this.#port = port
    this.#onMessage = onMessage
    port.on('message', onMessage)
  }

  /** Spins for a message. Call it after sending something that the main thread may answer at once, when nothing else is left to do. */
  linger(awaited: Awaited): void {
    if (this.#isClosed) return
    this.#next = awaited
    // A nested call, while the loop below delivers a message: leave it to the loop, so that the stack does not grow.
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
