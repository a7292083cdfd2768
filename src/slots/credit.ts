// How much of host calls' arguments a slot may send (workers/host/credit.ts). Owns the main thread's side of that account: what it has
// released, and for whom.
import { CreditWord } from '../shared/messages/host-calls.js'

export class SlotCredit {
  readonly #words: Int32Array
  readonly #wake: () => void
  /** Modulo 2 ** 32. The slot reads it from shared memory; from there it is never read here (R3). */
  #releasedBytes = 0
  #lease: CreditLease | undefined

  /** `wake` reaches the slot where it waits for credit. */
  constructor(words: SharedArrayBuffer, wake: () => void) {
    this.#words = new Int32Array(words)
    this.#wake = wake
  }

  /** For the session that attaches now. What earlier leases release counts no more (S1). */
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
  /** What the slot had been told when the lease began. */
  readonly releasedBytes: number

  constructor(credit: SlotCredit, releasedBytes: number) {
    this.#credit = credit
    this.releasedBytes = releasedBytes
  }

  /** The slot may send that much more. */
  release(bytes: number): void {
    this.#credit.release(this, bytes)
  }
}
