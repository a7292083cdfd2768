// How much memory a slot may hold beyond its fixed share: interpreter growth, private files, output and packing all take from it.
// Owns what the slot holds and its half of asking the manager's account for more (src/memory/slot-lease.ts has the other half).
import type { MessagePort } from 'node:worker_threads'
import {
  ANSWERED,
  GRANT_BYTES,
  GRANTED,
  type MemoryMessage,
  type MemoryWire,
} from '../../src/shared/messages/memory.js'

/** Where the host's parts get room from. */
export interface MemoryBudget {
  /** False, with nothing taken, if there is no room. */
  take(bytes: number): boolean
  release(bytes: number): void
}

/** For hosts outside of a slot: tests, and the builder of an image. */
export const UNBOUNDED: MemoryBudget = Object.freeze({ take: () => true, release: () => {} })

/** Longest wait for an answer. The main thread answers within its turn; a session must not hang on one that is stuck. */
const ANSWER_MS = 5_000
/** After a refusal nothing is asked for as long: code that fails to allocate in a loop must not keep the main thread busy. */
const REFUSED_MS = 20
/** Allowance that a slot keeps unused; what is beyond it goes back once that is worth a message. */
const KEPT_BYTES = 8 * 1024 * 1024
/** Where as much comes on top of what was asked for, others have enough as well. */
const PLENTY_BYTES = 15 * 1024 * 1024
const LEAST_RETURN_BYTES = 16 * 1024 * 1024

export class SlotBudget implements MemoryBudget {
  #port: MessagePort | undefined
  #words = new Int32Array(new SharedArrayBuffer(8))
  #allowanceBytes = 0
  #heldBytes = 0
  /** As last seen in `words`. */
  #granted = 0
  #asked = 0
  #refusedUntilMs = 0
  /** The last question was granted with as much on top as there can be. */
  #hasPlenty = true
  /** Lets go of what is only kept for later use. */
  onShort: () => void = () => {}

  /** Asks over this wire from now on: the one whose other end the main thread has. */
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

  /** As `take`, of what the slot has been granted already, and only while there is plenty. */
  takeSpare(bytes: number): boolean {
    if (!this.#hasPlenty || this.#heldBytes + bytes > this.#allowanceBytes) return false
    this.#heldBytes += bytes
    return true
  }

  /** For the time that a snapshot is packed or unpacked. */
  takeToPack(bytes: number): boolean {
    return this.#take(bytes, 'pack')
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes
  }

  /** Gives back what is not used. To be called when a piece of work is done: others may be waiting for it. */
  settle(): void {
    if (!this.#hasPlenty) this.onShort()
    const spare = this.#spareBytes()
    if (spare === 0) return
    this.#allowanceBytes -= spare
    this.#port?.postMessage(['giveBack', spare] satisfies MemoryMessage)
  }

  /**
   * As `settle`, but the bytes are told to the main thread by the caller, who hands over `bytes` that were taken from this budget
   * and are released now.
   */
  handOver(bytes: number): number {
    this.#heldBytes -= bytes
    this.#allowanceBytes -= bytes
    const spare = this.#spareBytes()
    this.#allowanceBytes -= spare
    return bytes + spare
  }

  /** What was handed over stays here after all. */
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

  /** Takes what was granted since the last look, also by an answer that came too late for its question. */
  #receive(): void {
    const granted = Atomics.load(this.#words, GRANTED)
    this.#allowanceBytes += ((granted - this.#granted) | 0) * GRANT_BYTES
    this.#granted = granted
  }
}
