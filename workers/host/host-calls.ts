// The door for host calls of code that does not let go of the thread (brumate.call_sync, asyncio.run): requests go out as
// messages, and the thread sleeps in shared memory until an answer has come. Owns the protocol of the slot's side and how
// much may be under way; what the bytes say is between the kernel and the main thread, which believes none of them (R3).
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { HostCallMessage, HostCallWire } from '../../src/shared/messages/host-calls.js'
import { Weight, WINDOW_BYTES, weigh } from '../../src/shared/values/weight.js'
import { Credit } from './credit.js'

/** Calls that the main thread has not answered; their arguments are bounded by the session's window (credit.ts). */
const MAX_CALLS = 1024

/** The door as the imports use it. */
export interface HostCallDoor {
  /**
   * Sends a request, which from then on belongs to the door. `full`: not now, but when an answer has been taken; `too-large`:
   * never.
   */
  send(request: Uint8Array<ArrayBuffer>): 'sent' | 'full' | 'too-large'
  /** Bytes of the answer that `take` gives next; 0 if there is none yet. */
  readonly nextBytes: number
  /** Undefined if there is none yet. */
  take(): Uint8Array | undefined
  /** Sleeps until there is an answer, or room again after `full`; until `isInterrupted`, or the time has passed. */
  wait(milliseconds: number, isInterrupted: () => boolean): 'ready' | 'interrupted' | 'timeout'
  /** The session is another one, or goes on from another state: answers under way are not for it. */
  reset(): void
}

export class HostCalls implements HostCallDoor {
  #port: MessagePort | undefined
  #changes = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  /** The session: what was meant for the one before is not for this one (S1). */
  #epoch = 0
  #calls = 0
  /** What the last request that was refused for lack of credit would take. */
  #wantedBytes: number | undefined
  /** Shared with calls that do not block. */
  readonly credit = new Credit()
  #next: Uint8Array | undefined

  constructor(wire?: HostCallWire) {
    if (wire) this.share(wire)
  }

  /** Speaks over this wire from now on: the one whose other end the main thread has. */
  share({ port, changes }: HostCallWire): void {
    this.#port = port
    this.#changes = new Int32Array(changes, 0, 1)
    this.credit.share(changes)
  }

  send(request: Uint8Array<ArrayBuffer>): 'sent' | 'full' | 'too-large' {
    const weighed = weigh(request, 0)
    // What is no call is the main thread's to judge: it ends this slot.
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
      // Read before looking: whatever changes after the look changes this too.
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

  /** Once after each `full`: whoever waits tries again. */
  #hasRoomAgain(): boolean {
    if (this.#wantedBytes === undefined || !this.credit.has(this.#wantedBytes)) return false
    this.#wantedBytes = undefined
    return true
  }

  /** Makes `#next` the oldest answer that says something. */
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
