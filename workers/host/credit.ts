// How much of host calls' arguments a slot may send: a window of bytes that the main thread has not released yet. Owns the slot's side
// of that account. The main thread keeps its own (src/slots/credit.ts) and ends a slot that sends more, so nothing here is trusted.
import { CreditWord } from '../../src/shared/messages/host-calls.js'
import { WINDOW_BYTES } from '../../src/shared/values/weight.js'

export class Credit {
  #words = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT))
  /** Bytes sent, modulo 2 ** 32. */
  #sent = 0

  share(words: SharedArrayBuffer): void {
    this.#words = new Int32Array(words)
  }

  /** A session attaches, whose earlier calls still hold `heldBytes` of its window; the main thread had released `releasedBytes`. */
  open(releasedBytes: number, heldBytes: number): void {
    this.#sent = (releasedBytes + heldBytes) | 0
  }

  /** Whether that many bytes may be sent now. If not, the main thread tells when it releases some. */
  has(bytes: number): boolean {
    if (bytes <= this.#free) return true
    Atomics.store(this.#words, CreditWord.wanted, 1)
    // Some may have been released before the main thread saw that it is wanted.
    return bytes <= this.#free
  }

  /** They are sent. */
  spend(bytes: number): void {
    this.#sent = (this.#sent + bytes) | 0
  }

  get #free(): number {
    return WINDOW_BYTES - ((this.#sent - Atomics.load(this.#words, CreditWord.released)) | 0)
  }
}
