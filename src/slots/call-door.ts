// The main thread's half of the door for host calls of code that blocks its slot (workers/host/host-calls.ts). Owns the port,
// waking the slot, and answering each message once. The content of a request is untrusted and decoded elsewhere (R3).

import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { HostCallMessage, HostCallWire } from '../shared/messages/host-calls.js'
import { isArrayBuffer, isUint8Array } from '../shared/realms.js'
import { PacedPort } from '../shared/threads/paced-port.js'

/** Handles a request. Must call `answer` exactly once, now or later; with no bytes if there is nothing to answer. */
export type OnRequest = (request: Uint8Array, answer: (payload: Uint8Array) => void) => void

/** An honest slot never has more unanswered requests than this. A slot that sends more is broken. */
const MAX_UNANSWERED = 10_000

export class CallDoor {
  readonly #port: MessagePort
  readonly #changes = new Int32Array(new SharedArrayBuffer(12))
  readonly #onRequest: OnRequest
  readonly #onViolation: (what: string) => void
  /** For the slot; the port goes into the transfer list. */
  readonly wire: HostCallWire
  #unanswered = 0
  #closed = false

  constructor(onRequest: OnRequest, onViolation: (what: string) => void) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#onRequest = onRequest
    this.#onViolation = onViolation
    this.wire = { port: port2, changes: this.#changes.buffer as SharedArrayBuffer }
    new PacedPort(port1, (message) => this.#receive(message)).unref()
  }

  /** Makes the slot check whether it is interrupted. Call it after requesting an interrupt. */
  wake(): void {
    Atomics.add(this.#changes, 0, 1)
    Atomics.notify(this.#changes, 0)
  }

  close(): void {
    this.#closed = true
    this.#port.close()
  }

  #receive(message: unknown): void {
    if (this.#closed) return
    if (!isMessage(message) || ++this.#unanswered > MAX_UNANSWERED) {
      this.close()
      return this.#onViolation('a malformed host call, or too many at once')
    }
    const [epoch, request] = message
    let answered = false
    this.#onRequest(request, (payload) => {
      if (answered || this.#closed) return
      answered = true
      this.#unanswered -= 1
      const answer: HostCallMessage = [epoch, payload]
      this.#port.postMessage(answer)
      this.wake()
    })
  }
}

function isMessage(message: unknown): message is HostCallMessage {
  return (
    Array.isArray(message) &&
    message.length === 2 &&
    Number.isSafeInteger(message[0]) &&
    isUint8Array(message[1]) &&
    isArrayBuffer(message[1].buffer)
  )
}
