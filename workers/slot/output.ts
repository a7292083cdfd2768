// A session's output: kept as bytes until the execution ends, and also sent in chunks if there is a listener. Owns buffering, decoding
// and chunking. The host enforces the limit before bytes get here. Bytes arrive while guest code is on the stack, so decoders are created
// and used once beforehand.
import { isAscii } from 'node:buffer'
import type { OutputText } from '../../src/shared/messages/slot.js'
import { freeBuffer } from '../memory/free-buffer.js'

/**
 * A chunk goes out when it is this large, or when the one before it is this old: at a write, a look for signals or a sleep,
 * because code that spins never reaches a timer. The first one of an execution goes out at once.
 */
const CHUNK_BYTES = 65_536
const CHUNK_AGE_MS = 20
/** A buffer of this size stays from one execution to the next. */
const FIRST_BYTES = 16_384
/** Fewer bytes are copied faster one by one than by a call into the engine. */
const FEW_BYTES = 96

type Send = (stream: 1 | 2, text: string) => void

export class Output {
  readonly #streams: { readonly 1: Stream; readonly 2: Stream }

  constructor(send: Send) {
    this.#streams = { 1: new Stream((text) => send(1, text)), 2: new Stream((text) => send(2, text)) }
  }

  /** Starts an execution. Output written between executions belongs to none. */
  begin(live: { readonly stdout: boolean; readonly stderr: boolean }): void {
    this.#streams[1].begin(live.stdout)
    this.#streams[2].begin(live.stderr)
  }

  /** Copies the bytes of `from` in `[start, end)`. */
  write(stream: 1 | 2, from: Uint8Array, start: number, end: number): void {
    this.#streams[stream].write(from, start, end)
  }

  /** Sends output that has waited long enough. */
  flushDue(): void {
    this.#streams[1].flushDue()
    this.#streams[2].flushDue()
  }

  /** Sends all output, because the execution waits now. */
  flush(): void {
    this.#streams[1].flush()
    this.#streams[2].flush()
  }

  /** All output. The receiver owns the bytes of a large one; they are not used here again. */
  end(): { readonly stdout: OutputText; readonly stderr: OutputText } {
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
  /** Everything written, in its first `#length` bytes. Bytes take less room than text, and none of V8's heap. */
  #buffer = new Uint8Array(FIRST_BYTES)
  #length = 0
  /** How many of them were sent ahead. */
  #sent = 0
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
    this.#length = 0
    this.#sent = 0
    this.#sentMs = Number.NEGATIVE_INFINITY
  }

  write(from: Uint8Array, start: number, end: number): void {
    const length = end - start
    const at = this.#length
    if (at + length > this.#buffer.length) this.#grow(at + length)
    const buffer = this.#buffer
    if (length <= FEW_BYTES) for (let i = 0; i < length; i++) buffer[at + i] = from[start + i] as number
    else buffer.set(new Uint8Array(from.buffer, from.byteOffset + start, length), at)
    this.#length = at + length
    if (this.#live) this.#sendFull()
  }

  flushDue(): void {
    if (!this.#live || this.#length === this.#sent) return
    if (performance.now() - this.#sentMs >= CHUNK_AGE_MS) this.#sendAhead(true)
  }

  flush(): void {
    if (this.#live && this.#length > this.#sent) this.#sendAhead(true)
  }

  end(): OutputText {
    if (this.#length === 0) return ''
    if (this.#live) this.#sendAhead(false)
    const bytes = this.#buffer.subarray(0, this.#length)
    const isLarge = this.#buffer.length > FIRST_BYTES
    const text = isLarge && isAscii(bytes) ? bytes : this.#whole.decode(bytes)
    if (isLarge) {
      if (text !== bytes) freeBuffer(this.#buffer.buffer)
      this.#buffer = new Uint8Array(FIRST_BYTES)
    }
    this.begin(false)
    return text
  }

  /** Makes room for `bytes`, or doubles the buffer if output comes in small pieces. */
  #grow(bytes: number): void {
    const old = this.#buffer
    this.#buffer = new Uint8Array(Math.max(2 * old.length, bytes + FIRST_BYTES))
    this.#buffer.set(old.subarray(0, this.#length))
    freeBuffer(old.buffer)
  }

  #sendFull(): void {
    if (this.#length - this.#sent >= CHUNK_BYTES) this.#sendAhead(true)
    else this.flushDue()
  }

  /** A character split between two chunks is kept back for the next one. */
  #sendAhead(more: boolean): void {
    const bytes = this.#buffer.subarray(this.#sent, this.#length)
    this.#sent = this.#length
    this.#isParted = more
    const text = this.#parted.decode(bytes, { stream: more })
    if (text === '') return
    this.#send(text)
    this.#sentMs = performance.now()
  }
}

const NOTHING = new Uint8Array(0)
