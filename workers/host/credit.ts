// The slot's half of flow control for host calls: at most `WINDOW_BYTES` of arguments may be sent and not yet released by the main
// thread. Owns the count of sent bytes. The main thread keeps its own count (src/slots/credit.ts) and terminates a slot that sends more.
import { CreditWord } from '../../src/shared/messages/host-calls.js'
import { WINDOW_BYTES } from '../../src/shared/values/weight.js'

export class Credit {
  #words = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT))
  /** Bytes sent, modulo 2 ** 32. */
  #sent = 0

  share(words: SharedArrayBuffer): void {
    this.#words = new Int32Array(words)
  }

  /** Starts over for a session that attaches. Its earlier calls still hold `heldBytes` of the window. */
  open(releasedBytes: number, heldBytes: number): void {
    this.#sent = (releasedBytes + heldBytes) | 0
  }

  /** Whether this many bytes may be sent now. If not, asks the main thread to wake this one when it releases some. */
  has(bytes: number): boolean {
    if (bytes <= this.#free) return true
    Atomics.store(this.#words, CreditWord.wanted, 1)
    // Look again: the main thread may have released bytes before it could see `wanted`.
    return bytes <= this.#free
  }

  /** Counts bytes as sent. */
  spend(bytes: number): void {
    this.#sent = (this.#sent + bytes) | 0
  }

  get #free(): number {
    return WINDOW_BYTES - ((this.#sent - Atomics.load(this.#words, CreditWord.released)) | 0)
  }
}
