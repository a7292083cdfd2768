// The door for host calls of code that blocks the thread (brumate.call_sync, asyncio.run): requests are sent as messages, and the
// thread sleeps on shared memory until an answer arrives. Owns the slot's side of the protocol and the limit on calls in flight.
// The kernel defines what the bytes mean, and the main thread trusts none of them (R3).
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { HostCallMessage, HostCallWire } from '../../src/shared/messages/host-calls.js'
import { Weight, WINDOW_BYTES, weigh } from '../../src/shared/values/weight.js'
import { Credit } from './credit.js'

/** Most calls that the main thread has not answered yet. The session's window bounds their arguments (credit.ts). */
const MAX_CALLS = 1024

/** The door as the imports use it. */
export interface HostCallDoor {
  /**
   * Sends a request, which from then on belongs to the door. `full`: try again after an answer was taken; `too-large`: it can
   * never be sent.
   */
  send(request: Uint8Array<ArrayBuffer>): 'sent' | 'full' | 'too-large'
  /** Size in bytes of the answer that `take` returns next; 0 if there is none yet. */
  readonly nextBytes: number
  /** Removes and returns the next answer; undefined if there is none yet. */
  take(): Uint8Array | undefined
  /** Sleeps until there is an answer, or room again after `full`, or `isInterrupted` returns true, or the time has passed. */
  wait(milliseconds: number, isInterrupted: () => boolean): 'ready' | 'interrupted' | 'timeout'
  /** Drops answers that are still to come, because the session is another one or was restored to another state. */
  reset(): void
}

export class HostCalls implements HostCallDoor {
  #port: MessagePort | undefined
  #changes = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  /** Identifies the session, or the state it continues from. Answers with an earlier epoch are dropped (S1). */
  #epoch = 0
  #calls = 0
  /** Bytes that the last request needs, if it was refused for lack of credit. */
  #wantedBytes: number | undefined
  /** Shared with host calls that do not block. */
  readonly credit = new Credit()
  #next: Uint8Array | undefined

  constructor(wire?: HostCallWire) {
    if (wire) this.share(wire)
  }

  /** Uses this wire from now on. The main thread has its other end. */
  share({ port, changes }: HostCallWire): void {
    this.#port = port
    this.#changes = new Int32Array(changes, 0, 1)
    this.credit.share(changes)
  }

  send(request: Uint8Array<ArrayBuffer>): 'sent' | 'full' | 'too-large' {
    const weighed = weigh(request, 0)
    // Send bytes that are not a call as they are: the main thread rejects them and terminates this slot.
    const bytes = (weighed?.weightBytes ?? request.length) + Weight.call
    if (bytes > WINDOW_BYTES || weighed?.isTooLarge) return 'too-large'
    if (this.#calls >= MAX_CALLS) return 'full'
    if (!this.credit.has(bytes)) {
      this.#wantedBytes = bytes
      return 'full'
    }
    this.#calls += 1
    this.credit.spend(bytes)
    this.#wantedBytes = undefined
    const message: HostCallMessage = [this.#epoch, request]
    this.#port?.postMessage(message, [request.buffer])
    return 'sent'
  }

  get nextBytes(): number {
    this.#look()
    return this.#next?.length ?? 0
  }

  take(): Uint8Array | undefined {
    this.#look()
    const answer = this.#next
    this.#next = undefined
    return answer
  }

  wait(milliseconds: number, isInterrupted: () => boolean): 'ready' | 'interrupted' | 'timeout' {
    const deadlineMs = performance.now() + milliseconds
    for (;;) {
      // Read the counter before looking for an answer, so that a change after the look ends the wait below at once.
      const seen = Atomics.load(this.#changes, 0)
      this.#look()
      if (this.#next !== undefined || this.#hasRoomAgain()) return 'ready'
      if (isInterrupted()) return 'interrupted'
      const remainingMs = deadlineMs - performance.now()
      if (remainingMs <= 0) return 'timeout'
      Atomics.wait(this.#changes, 0, seen, remainingMs)
    }
  }

  reset(): void {
    this.#epoch += 1
    this.#calls = 0
    this.#wantedBytes = undefined
    this.#next = undefined
  }

  /** True once after each `full`, when there is room again, so that the waiting code retries. */
  #hasRoomAgain(): boolean {
    if (this.#wantedBytes === undefined || !this.credit.has(this.#wantedBytes)) return false
    this.#wantedBytes = undefined
    return true
  }

  /** Sets `#next` to the oldest answer that is not empty. */
  #look(): void {
    while (this.#next === undefined) {
      const received = this.#port && receiveMessageOnPort(this.#port)
      if (received === undefined) return
      const [epoch, bytes] = received.message as HostCallMessage
      if (epoch !== this.#epoch) continue
      this.#calls -= 1
      if (bytes.length > 0) this.#next = bytes
    }
  }
}
