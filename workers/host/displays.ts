// Displays on their way out of the interpreter: each write to their descriptor is one. Owns the limit, which holds even if code bypasses
// the kernel; what the bytes say is between the kernel and the main thread, which does not trust them (R3).
import type { MemoryBudget } from '../memory/budget.js'
import { fail } from './errno.js'

/** Gets the bytes of one display, which are its own. */
export type DisplayReceiver = (display: Uint8Array<ArrayBuffer>) => void

export class DisplaySink {
  readonly #onDisplay: DisplayReceiver
  readonly #memory: MemoryBudget
  #takenBytes = 0
  #sentBytes = 0
  /** Of all displays of an execution; null: no limit. */
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
