// What a session writes to its two output descriptors: kept as bytes until the execution ends, and sent ahead in chunks
// where somebody listens. Owns decoding and chunking; the limit is the host's, enforced before bytes get here. Bytes come
// while guest code is on the stack, so decoders are made and used once before.

import { freeBuffer } from '../memory/free-buffer.js'

/**
 * A chunk goes out when it is this large, or when the one before it is this old: at a write, a look for signals or a sleep,
 * because code that spins never reaches a timer. The first one of an execution goes out at once.
 */
const CHUNK_BYTES = 65_536
const CHUNK_AGE_MS = 20

type Send = (stream: 1 | 2, text: string) => void

export class Output {
  readonly #streams: { readonly 1: Stream; readonly 2: Stream }

  constructor(send: Send) {
    this.#streams = { 1: new Stream((text) => send(1, text)), 2: new Stream((text) => send(2, text)) }
  }

  /** Starts an execution: what was written between executions is credited to none (ATTACKS.md F12). */
  begin(live: { readonly stdout: boolean; readonly stderr: boolean }): void {
    this.#streams[1].begin(live.stdout)
    this.#streams[2].begin(live.stderr)
  }

  write(stream: 1 | 2, bytes: Uint8Array): void {
    this.#streams[stream].write(bytes)
  }

  /** Sends what has waited long enough. */
  flushDue(): void {
    this.#streams[1].flushDue()
    this.#streams[2].flushDue()
  }

  /** Sends what there is, because the execution waits now. */
  flush(): void {
    this.#streams[1].flush()
    this.#streams[2].flush()
  }

  end(): { readonly stdout: string; readonly stderr: string } {
    return { stdout: this.#streams[1].end(), stderr: this.#streams[2].end() }
  }
}

class Stream {
  readonly #send: (text: string) => void
  readonly #whole = new TextDecoder('utf-8', { ignoreBOM: true })
  /** For what is sent ahead: a decoder that has been used in parts is slower ever after. */
  readonly #parted = new TextDecoder('utf-8', { ignoreBOM: true })
  /** `#parted` may keep the beginning of a character. */
  #isParted = false
  #live = false
  /** All of it. As bytes, which take less room than text, and none of V8's heap. */
  #kept: Uint8Array[] = []
  /** What has not been sent. */
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #sentMs = Number.NEGATIVE_INFINITY

  constructor(send: (text: string) => void) {
    this.#send = send
    // Node makes a converter at the first use in parts.
    this.#parted.decode(NOTHING, { stream: true })
    this.#parted.decode(NOTHING)
    this.#whole.decode(NOTHING)
  }

  begin(live: boolean): void {
    if (this.#isParted) this.#parted.decode(NOTHING)
    this.#isParted = false
    this.#live = live
    this.#kept = []
    this.#pending = []
    this.#pendingBytes = 0
    this.#sentMs = Number.NEGATIVE_INFINITY
  }

  write(bytes: Uint8Array): void {
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes >= CHUNK_BYTES) this.flush()
    else this.flushDue()
  }

  flushDue(): void {
    if (!this.#live || this.#pendingBytes === 0) return
    if (performance.now() - this.#sentMs >= CHUNK_AGE_MS) this.flush()
  }

  flush(): void {
    if (this.#pendingBytes > 0) this.#emit()
  }

  end(): string {
    if (this.#pendingBytes > 0) this.#emit()
    const [only] = this.#kept
    if (only === undefined) return ''
    const bytes = this.#kept.length === 1 ? only : Buffer.concat(this.#kept)
    if (this.#live) this.#sendText(NOTHING, false)
    const text = this.#whole.decode(bytes)
    free([bytes, ...(bytes === only ? [] : this.#kept)])
    this.begin(false)
    return text
  }

  #emit(): void {
    const [only] = this.#pending
    const bytes = only !== undefined && this.#pending.length === 1 ? only : Buffer.concat(this.#pending)
    if (bytes !== only) free(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    this.#kept.push(bytes)
    if (this.#live) this.#sendText(bytes, true)
  }

  /** A character split between two chunks is kept back for the next one. */
  #sendText(bytes: Uint8Array, more: boolean): void {
    this.#isParted = more
    const text = this.#parted.decode(bytes, { stream: more })
    if (text === '') return
    this.#send(text)
    this.#sentMs = performance.now()
  }
}

/** Small ones may lie in a buffer that Node shares among many. */
function free(parts: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of parts) if (buffer.byteLength === byteLength) freeBuffer(buffer)
}

const NOTHING = new Uint8Array(0)
