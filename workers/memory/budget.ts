// How much memory a slot may hold beyond its fixed share: interpreter growth, private files, output and packing all take from it. Owns the
// count of what the slot holds, and its half of requesting more from the manager's account (src/memory/slot-lease.ts has the other half).
import type { MessagePort } from 'node:worker_threads'
import {
  ANSWERED,
  GRANT_BYTES,
  GRANTED,
  type MemoryMessage,
  type MemoryWire,
} from '../../src/shared/messages/memory.js'

/** The budget from which the host's parts take memory. */
export interface MemoryBudget {
  /** Takes all of the bytes, or returns false if there is no room. */
  take(bytes: number): boolean
  release(bytes: number): void
}

/** For hosts outside a slot: tests, and the builder of an image. */
export const UNBOUNDED: MemoryBudget = Object.freeze({ take: () => true, release: () => {} })

/** Longest wait for an answer. The main thread answers within its turn; a session must not hang if the main thread is stuck. */
const ANSWER_MS = 5_000
/** Time after a refusal during which nothing is requested: code that fails to allocate in a loop must not keep the main thread busy. */
const REFUSED_MS = 20
/** Unused allowance that a slot keeps. The rest is returned once it is worth a message (`LEAST_RETURN_BYTES`). */
const KEPT_BYTES = 8 * 1024 * 1024
/** If a grant exceeds the request by this much, memory is plentiful for other slots as well. */
const PLENTY_BYTES = 15 * 1024 * 1024
const LEAST_RETURN_BYTES = 16 * 1024 * 1024

export class SlotBudget implements MemoryBudget {
  #port: MessagePort | undefined
  #words = new Int32Array(new SharedArrayBuffer(8))
  #allowanceBytes = 0
  #heldBytes = 0
  /** The grant counter as last read from `words`. */
  #granted = 0
  #asked = 0
  #refusedUntilMs = 0
  /** Whether memory was plentiful at the last request (`PLENTY_BYTES`). */
  #hasPlenty = true
  /** Frees memory that is only kept for reuse. */
  onShort: () => void = () => {}

  /** Sends requests over this wire from now on. The main thread has its other end. */
  share({ port, words, bytes }: MemoryWire): void {
    this.#port = port
    this.#words = new Int32Array(words)
    this.#allowanceBytes += bytes
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  take(bytes: number): boolean {
    return this.#take(bytes, 'grow')
  }

  /** Like `take`, but only from what the slot has already been granted, and only while memory is plentiful. */
  takeSpare(bytes: number): boolean {
    if (!this.#hasPlenty || this.#heldBytes + bytes > this.#allowanceBytes) return false
    this.#heldBytes += bytes
    return true
  }

  /** Takes memory for packing or unpacking a snapshot. */
  takeToPack(bytes: number): boolean {
    return this.#take(bytes, 'pack')
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes
  }

  /** Returns unused allowance. Call it when a piece of work is done, because others may be waiting for memory. */
  settle(): void {
    if (!this.#hasPlenty) this.onShort()
    const spare = this.#spareBytes()
    if (spare === 0) return
    this.#allowanceBytes -= spare
    this.#port?.postMessage(['giveBack', spare] satisfies MemoryMessage)
  }

  /**
   * Releases `bytes`, which the caller passes to the main thread, and returns unused allowance like `settle`. Sends no message: the caller
   * reports the returned sum to the main thread.
   */
  handOver(bytes: number): number {
    this.#heldBytes -= bytes
    this.#allowanceBytes -= bytes
    const spare = this.#spareBytes()
    this.#allowanceBytes -= spare
    return bytes + spare
  }

  /** Undoes a hand-over: the bytes stay here after all. */
  takeBack(bytes: number): void {
    this.#allowanceBytes += bytes
  }

  #spareBytes(): number {
    const spare = this.#allowanceBytes - this.#heldBytes - KEPT_BYTES
    return spare >= LEAST_RETURN_BYTES ? spare : 0
  }

  #take(bytes: number, what: 'grow' | 'pack'): boolean {
    if (this.#heldBytes + bytes > this.#allowanceBytes && !this.#ask(bytes, what)) return false
    this.#heldBytes += bytes
    return true
  }

  #ask(bytes: number, what: 'grow' | 'pack'): boolean {
    const fits = () => this.#heldBytes + bytes <= this.#allowanceBytes
    this.#receive()
    if (!fits()) this.onShort()
    if (fits()) return true
    const startedMs = performance.now()
    if (this.#port === undefined || startedMs < this.#refusedUntilMs) return false
    const missing = this.#heldBytes + bytes - this.#allowanceBytes
    this.#asked = (this.#asked + 1) | 0
    this.#port.postMessage([what, Math.ceil(missing / GRANT_BYTES) * GRANT_BYTES] satisfies MemoryMessage)
    for (;;) {
      const answered = Atomics.load(this.#words, ANSWERED)
      if (answered === this.#asked) break
      const leftMs = startedMs + ANSWER_MS - performance.now()
      if (leftMs <= 0) break
      Atomics.wait(this.#words, ANSWERED, answered, leftMs)
    }
    const allowedBytes = this.#allowanceBytes
    this.#receive()
    this.#hasPlenty = this.#allowanceBytes - allowedBytes >= missing + PLENTY_BYTES
    if (fits()) return true
    this.#refusedUntilMs = performance.now() + REFUSED_MS
    return false
  }

  /** Adds what was granted since the last call, including by an answer that came too late for its request. */
  #receive(): void {
    const granted = Atomics.load(this.#words, GRANTED)
    this.#allowanceBytes += ((granted - this.#granted) | 0) * GRANT_BYTES
    this.#granted = granted
  }
}
