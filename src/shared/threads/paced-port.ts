// Receives a port's messages for a limited time in each turn of the event loop. Node would deliver all queued messages in one turn, and a
// worker can queue faster than this thread reads. Owns the port's listeners, and whether the port keeps the process alive.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'

/** Longest time for one port's messages in one turn; the rest waits for the next turn. */
const TURN_MS = 1
/** Messages delivered before the clock is read. For fewer, reading it would cost more than it saves. */
const UNTIMED_MESSAGES = 16

export class PacedPort {
  readonly #port: MessagePort
  readonly #onMessage: (message: unknown) => void
  #received = 0
  /** When message number `UNTIMED_MESSAGES` of this turn came. The time limit counts from then. */
  #timedSinceMs = 0
  #state: 'listening' | 'paused' | 'stopped' | 'closed' = 'listening'
  #isRef = true

  constructor(port: MessagePort, onMessage: (message: unknown) => void) {
    this.#port = port
    this.#onMessage = onMessage
    port.on('message', this.#receive)
    // All messages have been delivered by then, and Node crashes if the port is read again.
    port.on('close', () => {
      this.#state = 'closed'
    })
  }

  /** Makes the port keep the process alive. */
  ref(): void {
    this.#isRef = true
    this.#port.ref()
  }

  unref(): void {
    this.#isRef = false
    this.#port.unref()
  }

  /** Takes the next undelivered message, if one has arrived. If it cannot be read, the result has no `message`. */
  take(): { readonly message?: unknown } | undefined {
    if (this.#state === 'closed') return undefined
    try {
      return receiveMessageOnPort(this.#port)
    } catch {
      // Listeners get a `messageerror` event instead of this error.
      return {}
    }
  }

  /** Stops delivering messages. Idempotent. */
  stop(): void {
    if (this.#state === 'closed') return
    this.#state = 'stopped'
    this.#port.off('message', this.#receive)
  }

  readonly #receive = (message: unknown): void => {
    if (++this.#received === UNTIMED_MESSAGES) {
      this.#timedSinceMs = performance.now()
      setImmediate(this.#begin)
    } else if (this.#received > UNTIMED_MESSAGES && performance.now() - this.#timedSinceMs > TURN_MS)
      this.#pause()
    this.#onMessage(message)
  }

  /** Removes the listener, which makes Node stop in the middle of its queue. */
  #pause(): void {
    if (this.#state !== 'listening') return
    this.#state = 'paused'
    this.#port.off('message', this.#receive)
  }

  /** Begins another turn of the event loop. */
  readonly #begin = (): void => {
    this.#received = 0
    if (this.#state !== 'paused') return
    this.#state = 'listening'
    this.#port.on('message', this.#receive)
    // Adding a listener makes the port keep the process alive.
    if (!this.#isRef) this.#port.unref()
  }
}
