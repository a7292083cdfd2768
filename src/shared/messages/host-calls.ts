// Host calls of code that blocks its slot's thread: the messages, and the words that both threads share. Owns no behaviour; the
// slot's side is workers/host/host-calls.ts and credit.ts beside it, the main thread's side src/slots/call-door.ts and credit.ts.
import type { MessagePort } from 'node:worker_threads'

/**
 * Both directions of the port carry `[epoch, bytes]`. The main thread answers every message with exactly one message of the same epoch,
 * which is empty if there is nothing to report. After sending an answer, and after requesting an interrupt, the main thread adds 1 to
 * element 0 of `changes` and notifies it.
 */
export interface HostCallWire {
  readonly port: MessagePort
  /** Three Int32. `CreditWord` describes the second and third. */
  readonly changes: SharedArrayBuffer
}

export type HostCallMessage = readonly [epoch: number, bytes: Uint8Array]

/** Indices in `changes` of the words for the flow control of host calls' arguments. */
export const CreditWord = {
  /** Set while the slot waits for credit. When the main thread gives some, it clears this and wakes the slot. */
  wanted: 1,
  /** Bytes that the main thread has released, modulo 2 ** 32. */
  released: 2,
} as const
