// The main thread's half of the flow control of host calls (workers/host/credit.ts has the slot's). Owns the count of released bytes
// that a slot reads, and which session's lease may add to it.
import { CreditWord } from '../shared/messages/host-calls.js'

export class SlotCredit {
  readonly #words: Int32Array
  readonly #wake: () => void
  /** Released bytes modulo 2 ** 32. Copied to shared memory for the slot, and never read back from there (R3). */
  #releasedBytes = 0
  #lease: CreditLease | undefined

  /** @param wake wakes the slot if it waits for credit */
  constructor(words: SharedArrayBuffer, wake: () => void) {
    this.#words = new Int32Array(words)
    this.#wake = wake
  }

  /** Starts the lease of a session that attaches. Earlier leases can no longer release anything (S1). */
  lease(): CreditLease {
    this.#lease = new CreditLease(this, this.#releasedBytes)
    return this.#lease
  }

  end(): void {
    this.#lease = undefined
  }

  /** @internal */
  release(lease: CreditLease, bytes: number): void {
    if (this.#lease !== lease || bytes === 0) return
    this.#releasedBytes = (this.#releasedBytes + bytes) | 0
    Atomics.store(this.#words, CreditWord.released, this.#releasedBytes)
    if (Atomics.exchange(this.#words, CreditWord.wanted, 0) !== 0) this.#wake()
  }
}

export class CreditLease {
  readonly #credit: SlotCredit
  /** The slot's count of released bytes when the lease began. */
  readonly releasedBytes: number

  constructor(credit: SlotCredit, releasedBytes: number) {
    this.#credit = credit
    this.releasedBytes = releasedBytes
  }

  /** Allows the slot to send this many more bytes. */
  release(bytes: number): void {
    this.#credit.release(this, bytes)
  }
}
