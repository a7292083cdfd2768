// A session's output on its way to the main thread. Owns buffering, decoding and chunking. The host enforces the limit before bytes get
// here. The buffers are shared, so that the main thread can read what was not sent when the worker has ended. Bytes arrive while
// guest code is on the stack, so the decoder is created and used once beforehand.
import { isAscii } from 'node:buffer'
import { OUTPUT_BUFFER_BYTES, SharedOutput } from '../../src/shared/messages/output.js'

/**
 * A chunk goes out when the buffer is full. With a listener also when the chunk before it is this old: at a write, a look for signals or
 * a sleep, because code that spins never reaches a timer. The first one of an execution then goes out at once.
 */
const CHUNK_AGE_MS = 20
/** Fewer bytes are copied faster one by one than by a call into the engine. */
const FEW_BYTES = 96

type Send = (stream: 1 | 2, text: string) => void

export interface OutputMode {
  /** Send output while it is written, per stream. */
  readonly stdout: boolean
  readonly stderr: boolean
  /** Whether more than fits into the buffer may be sent. If not, it is dropped: nobody listens to calls that are no executions. */
  readonly isSent: boolean
}

export class Output {
  readonly #shared: SharedOutput
  readonly #streams: { readonly 1: Stream; readonly 2: Stream }

  #isSent = false

  constructor(send: Send, shared = new SharedOutput()) {
    this.#shared = shared
    this.#streams = {
      1: new Stream(1, shared, (text) => send(1, text)),
      2: new Stream(2, shared, (text) => send(2, text)),
    }
  }

  /** Starts an execution. Output written between executions belongs to none. */
  begin(id: number, mode: OutputMode): void {
    this.#isSent = mode.isSent
    this.#shared.begin(id)
    this.#streams[1].begin(mode.stdout, mode.isSent)
    this.#streams[2].begin(mode.stderr, mode.isSent)
  }

  /** Whether an execution runs, so that the main thread listens. */
  get isSent(): boolean {
    return this.#isSent
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

  /** Sends all output that has a listener, because the execution waits now. */
  flush(): void {
    this.#streams[1].flush()
    this.#streams[2].flush()
  }

  /** The output that was not sent. */
  end(): { readonly stdout: string; readonly stderr: string } {
    this.#isSent = false
    return { stdout: this.#streams[1].end(), stderr: this.#streams[2].end() }
  }
}

class Stream {
  readonly #number: 1 | 2
  readonly #shared: SharedOutput
  readonly #send: (text: string) => void
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  readonly #buffer: Uint8Array
  #length = 0
  #isLive = false
  #isSent = false
  #sentMs = Number.NEGATIVE_INFINITY

  constructor(number: 1 | 2, shared: SharedOutput, send: (text: string) => void) {
    this.#number = number
    this.#shared = shared
    this.#buffer = shared.buffers[number]
    this.#send = send
    this.#decoder.decode(new Uint8Array(0))
  }

  begin(isLive: boolean, isSent: boolean): void {
    this.#isLive = isLive
    this.#isSent = isSent
    this.#length = 0
    this.#sentMs = Number.NEGATIVE_INFINITY
  }

  write(from: Uint8Array, start: number, end: number): void {
    let at = start
    while (end - at > OUTPUT_BUFFER_BYTES - this.#length) {
      const room = OUTPUT_BUFFER_BYTES - this.#length
      this.#copy(from, at, at + room)
      if (!this.#isSent) return
      at += room
      this.#sendChunk()
    }
    this.#copy(from, at, end)
    if (this.#isLive) this.flushDue()
  }

  flushDue(): void {
    if (!this.#isLive || this.#length === 0) return
    if (performance.now() - this.#sentMs >= CHUNK_AGE_MS) this.#sendChunk()
  }

  flush(): void {
    if (this.#isLive) this.#sendChunk()
  }

  end(): string {
    if (this.#length === 0) return ''
    if (this.#isLive) this.#sendChunk()
    const rest = this.#decode(this.#length)
    this.#length = 0
    this.#shared.setLength(this.#number, 0)
    if (!this.#isLive || rest === '') return rest
    // The beginning of a character that never ended.
    this.#send(rest)
    return ''
  }

  #copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start
    const buffer = this.#buffer
    const at = this.#length
    if (length <= FEW_BYTES) for (let i = 0; i < length; i++) buffer[at + i] = from[start + i] as number
    else buffer.set(new Uint8Array(from.buffer, from.byteOffset + start, length), at)
    this.#length = at + length
    this.#shared.setLength(this.#number, this.#length)
  }

  /** Sends all whole characters. */
  #sendChunk(): void {
    const end = wholeCharacters(this.#buffer, this.#length)
    if (end === 0) return
    this.#send(this.#decode(end))
    this.#shared.countChunk(this.#number)
    this.#buffer.copyWithin(0, end, this.#length)
    this.#length -= end
    this.#shared.setLength(this.#number, this.#length)
    this.#sentMs = performance.now()
  }

  #decode(end: number): string {
    const bytes = this.#buffer.subarray(0, end)
    return end > FEW_BYTES && isAscii(bytes)
      ? Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('latin1')
      : this.#decoder.decode(bytes)
  }
}

/** `end`, or a few bytes less if a character begins there that needs bytes after `end`. */
function wholeCharacters(bytes: Uint8Array, end: number): number {
  for (let at = end - 1; at >= 0 && at > end - 4; at--) {
    const byte = bytes[at] as number
    if ((byte & 0xc0) === 0x80) continue
    const size = byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return at + size > end ? at : end
  }
  return end
}
