// How a slot makes host calls of code that blocks its thread: messages, and the words that both threads share. Owns no behaviour; the
// slot's side is workers/host/host-calls.ts and credit.ts beside it, the main thread's src/slots/call-door.ts and credit.ts.
import type { MessagePort } from 'node:worker_threads'

/**
 * Both directions of the port carry `[epoch, bytes]`. Every message to the main thread is answered by exactly one back
 * with the same epoch; bytes of none tell that there is nothing to say. After putting an answer on the port, and after asking for an
 * interrupt, the main thread adds 1 to element 0 of `changes` and notifies it.
 */
export interface HostCallWire {
  readonly port: MessagePort
  /** Three Int32; what the second and third mean is in `CreditWord`. */
  readonly changes: SharedArrayBuffer
}

export type HostCallMessage = readonly [epoch: number, bytes: Uint8Array]

/** Where the words of `changes` are that say how much of host calls' arguments the slot may send. */
export const CreditWord = {
  /** The slot waits for credit: the main thread, when it gives some, clears this and wakes it. */
  wanted: 1,
  /** Bytes that the main thread has released, modulo 2 ** 32. */
  released: 2,
} as const
