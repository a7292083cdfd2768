// Takes displays from the interpreter: each write to their descriptor is one display. Owns the limit, which holds even if code bypasses the
// kernel. The kernel defines what the bytes mean, and the main thread does not trust them (R3).
import type { MemoryBudget } from '../memory/budget.js'
import { fail } from './errno.js'

/** Receives the bytes of one display. They are a copy that belongs to the receiver. */
export type DisplayReceiver = (display: Uint8Array<ArrayBuffer>) => void

export class DisplaySink {
  readonly #onDisplay: DisplayReceiver
  readonly #memory: MemoryBudget
  #takenBytes = 0
  #sentBytes = 0
  /** Limit for all displays of an execution together; null: no limit. */
  maxBytes: number | null = null

  constructor(onDisplay: DisplayReceiver, memory: MemoryBudget) {
    this.#onDisplay = onDisplay
    this.#memory = memory
  }

  begin(): void {
    this.#sentBytes = 0
  }

  /** The main thread has the displays now, so they no longer take memory here. */
  taken(): void {
    if (this.#takenBytes === 0) return
    this.#memory.release(this.#takenBytes)
    this.#takenBytes = 0
  }

  /** Copies the bytes of `from` in `[start, start + length)`. Fails with EFBIG past the limit, ENOSPC if there is no memory. */
  show(from: Uint8Array, start: number, length: number): void {
    if (this.#sentBytes + length > (this.maxBytes ?? Number.POSITIVE_INFINITY)) fail('EFBIG')
    if (!this.#memory.take(length)) fail('ENOSPC')
    this.#takenBytes += length
    this.#sentBytes += length
    const display = new Uint8Array(length)
    display.set(new Uint8Array(from.buffer, from.byteOffset + start, length))
    this.#onDisplay(display)
  }
}
