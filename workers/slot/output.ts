// A session's output: kept as bytes until the execution ends, and also sent in chunks if there is a listener. Owns buffering, decoding,
// and the order of both streams in chunks. The host enforces the limit before bytes get here. Bytes arrive while guest code is on the
// stack, so decoders are created and used once beforehand.
import { isAscii } from 'node:buffer'
import type { LiveOutput, OutputText } from '../../src/shared/messages/slot.js'
import { freeBuffer } from '../memory/free-buffer.js'

/**
 * A chunk goes out when it is this large, or when the one before it is this old: at a write, a look for signals or a sleep,
 * because code that spins never reaches a timer. The first one of an execution goes out at once.
 */
const CHUNK_BYTES = 65_536
const CHUNK_AGE_MS = 20
/** How long the beginning of a line waits for the rest of it: `print` writes the line and its end separately. */
const LINE_WAIT_MS = 20
/** A buffer of this size stays from one execution to the next. */
const FIRST_BYTES = 16_384
/** Fewer bytes are copied faster one by one than by a call into the engine. */
const FEW_BYTES = 96
const NEWLINE = 10

type StreamNumber = 1 | 2
type Send = (output: LiveOutput) => void

export class Output {
  readonly #streams = { 1: new Stream(), 2: new Stream() }
  readonly #isLive = { 1: false, 2: false }
  readonly #send: Send
  /** Lengths in bytes of what was written and not sent yet. The streams alternate, and the last run is of `#lastStream`. */
  #runs: number[] = []
  #lastStream: StreamNumber = 1
  #unsentBytes = 0
  #sentMs = Number.NEGATIVE_INFINITY
  /** Since when the beginning of a line has waited for its end. */
  #waitingSinceMs: number | undefined

  constructor(send: Send) {
    this.#send = send
  }

  /** Starts an execution. Output written between executions belongs to none. */
  begin(live: { readonly stdout: boolean; readonly stderr: boolean }): void {
    this.#isLive[1] = live.stdout
    this.#isLive[2] = live.stderr
    this.#streams[1].begin()
    this.#streams[2].begin()
    if (this.#unsentBytes > 0) this.#nothingUnsent()
    this.#sentMs = Number.NEGATIVE_INFINITY
  }

  /** Copies the bytes of `from` in `[start, end)`. */
  write(stream: StreamNumber, from: Uint8Array, start: number, end: number): void {
    this.#streams[stream].write(from, start, end)
    if (this.#isLive[stream]) this.#written(stream, end - start)
  }

  /** Sends output that has waited long enough. */
  flushDue(): void {
    if (this.#unsentBytes === 0) return
    const nowMs = performance.now()
    if (nowMs - this.#sentMs < CHUNK_AGE_MS) return
    const partBytes = this.#streams[this.#lastStream].bytesAfterLine(this.#runs.at(-1) ?? 0)
    if (partBytes === 0) return this.#sendAhead(0)
    this.#waitingSinceMs ??= nowMs
    if (nowMs - this.#waitingSinceMs >= LINE_WAIT_MS) this.#sendAhead(0)
    else if (partBytes < this.#unsentBytes) this.#sendAhead(partBytes)
  }

  /** Sends all output, because the execution waits now. */
  flush(): void {
    if (this.#unsentBytes > 0) this.#sendAhead(0)
  }

  /** All output. The receiver owns the bytes of a large one; they are not used here again. */
  end(): { readonly stdout: OutputText; readonly stderr: OutputText } {
    if (this.#isLive[1] || this.#isLive[2]) this.#sendRest()
    this.#isLive[1] = false
    this.#isLive[2] = false
    return { stdout: this.#streams[1].end(), stderr: this.#streams[2].end() }
  }

  #written(stream: StreamNumber, bytes: number): void {
    const last = this.#runs.length - 1
    if (last >= 0 && this.#lastStream === stream) this.#runs[last] = (this.#runs[last] ?? 0) + bytes
    else this.#runs.push(bytes)
    this.#lastStream = stream
    this.#unsentBytes += bytes
    if (this.#unsentBytes < CHUNK_BYTES) return this.flushDue()
    // A line that is as long as a chunk is not waited for.
    const partBytes = this.#streams[stream].bytesAfterLine(this.#runs.at(-1) ?? 0)
    this.#sendAhead(partBytes < this.#unsentBytes ? partBytes : 0)
  }

  /** Sends all but the last `keptBytes`, which are the beginning of a line. */
  #sendAhead(keptBytes: number): void {
    const parts = new Parts()
    const runs = this.#runs
    let stream = firstStream(this.#lastStream, runs.length)
    for (const [i, bytes] of runs.entries()) {
      parts.add(stream, this.#streams[stream].take(i === runs.length - 1 ? bytes - keptBytes : bytes))
      stream = other(stream)
    }
    this.#nothingUnsent()
    if (keptBytes > 0) {
      this.#runs.push(keptBytes)
      this.#unsentBytes = keptBytes
    }
    if (parts.isEmpty) return
    this.#send(parts.output)
    this.#sentMs = performance.now()
  }

  /** The execution has ended: bytes that are no whole character are sent as U+FFFD. */
  #sendRest(): void {
    this.flush()
    const parts = new Parts()
    for (const stream of [1, 2] as const)
      if (this.#isLive[stream]) parts.add(stream, this.#streams[stream].takeRest())
    if (!parts.isEmpty) this.#send(parts.output)
  }

  #nothingUnsent(): void {
    this.#runs = []
    this.#unsentBytes = 0
    this.#waitingSinceMs = undefined
  }
}

function other(stream: StreamNumber): StreamNumber {
  return stream === 1 ? 2 : 1
}

/** Of runs that alternate up to `last`. */
function firstStream(last: StreamNumber, runs: number): StreamNumber {
  return runs % 2 === 1 ? last : other(last)
}

/** Text of both streams in the order in which it was written. */
class Parts {
  #stream: StreamNumber | undefined
  #last: StreamNumber | undefined
  #text = ''
  readonly #lengths: number[] = []

  get isEmpty(): boolean {
    return this.#text === ''
  }

  add(stream: StreamNumber, text: string): void {
    if (text === '') return
    this.#stream ??= stream
    if (this.#last === stream) this.#lengths.push((this.#lengths.pop() ?? 0) + text.length)
    else this.#lengths.push(text.length)
    this.#last = stream
    this.#text += text
  }

  get output(): LiveOutput {
    const stream = this.#stream ?? 1
    if (this.#lengths.length <= 1) return { stream, text: this.#text }
    return { stream, text: this.#text, lengths: Uint32Array.from(this.#lengths) }
  }
}

class Stream {
  readonly #whole = new TextDecoder('utf-8', { ignoreBOM: true })
  /** For what is sent ahead: a decoder that has been used in parts is slower ever after. */
  readonly #parted = new TextDecoder('utf-8', { ignoreBOM: true })
  /** `#parted` may keep the beginning of a character. */
  #isParted = false
  /** Everything written, in its first `#length` bytes. Bytes take less room than text, and none of V8's heap. */
  #buffer = new Uint8Array(FIRST_BYTES)
  #length = 0
  /** How many of them were taken to be sent. */
  #taken = 0

  constructor() {
    // Node makes a converter at the first use in parts.
    this.#parted.decode(NOTHING, { stream: true })
    this.#parted.decode(NOTHING)
    this.#whole.decode(NOTHING)
  }

  begin(): void {
    if (this.#isParted) this.#parted.decode(NOTHING)
    this.#isParted = false
    this.#length = 0
    this.#taken = 0
  }

  write(from: Uint8Array, start: number, end: number): void {
    const length = end - start
    const at = this.#length
    if (at + length > this.#buffer.length) this.#grow(at + length)
    const buffer = this.#buffer
    if (length <= FEW_BYTES) for (let i = 0; i < length; i++) buffer[at + i] = from[start + i] as number
    else buffer.set(new Uint8Array(from.buffer, from.byteOffset + start, length), at)
    this.#length = at + length
  }

  /** How many of the last `count` bytes come after the last end of a line among them. */
  bytesAfterLine(count: number): number {
    const end = this.#length
    if (this.#buffer[end - 1] === NEWLINE) return 0
    const at = this.#buffer.subarray(end - count, end).lastIndexOf(NEWLINE)
    return count - at - 1
  }

  /** The next bytes as text. A character that they only begin is kept back for the next ones. */
  take(bytes: number): string {
    if (bytes === 0) return ''
    const from = this.#taken
    this.#taken += bytes
    this.#isParted = true
    return this.#parted.decode(this.#buffer.subarray(from, this.#taken), { stream: true })
  }

  /** What is left of a character that never came to its end. */
  takeRest(): string {
    if (!this.#isParted) return ''
    this.#isParted = false
    return this.#parted.decode(NOTHING)
  }

  end(): OutputText {
    if (this.#length === 0) return ''
    const bytes = this.#buffer.subarray(0, this.#length)
    const isLarge = this.#buffer.length > FIRST_BYTES
    const text = isLarge && isAscii(bytes) ? bytes : this.#whole.decode(bytes)
    if (isLarge) {
      if (text !== bytes) freeBuffer(this.#buffer.buffer)
      this.#buffer = new Uint8Array(FIRST_BYTES)
    }
    this.begin()
    return text
  }

  /** Makes room for `bytes`, or doubles the buffer if output comes in small pieces. */
  #grow(bytes: number): void {
    const old = this.#buffer
    this.#buffer = new Uint8Array(Math.max(2 * old.length, bytes + FIRST_BYTES))
    this.#buffer.set(old.subarray(0, this.#length))
    freeBuffer(old.buffer)
  }
}

const NOTHING = new Uint8Array(0)
